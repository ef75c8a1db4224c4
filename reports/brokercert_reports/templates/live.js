"use strict";
// Whatever a client or the broker said becomes a text node here, never markup: `put` is the only way into the page.
const MOST = 300; // lines drawn, as many as the broker keeps
const CUT = 240; // characters of a line that are shown at once
const page = document.body;
const at = (id) => document.getElementById(id);
const put = (tag, text, kind) => {
  const made = document.createElement(tag);
  if (text !== undefined) made.textContent = text;
  if (kind) made.className = kind;
  return made;
};
const several = (n) => n.toLocaleString("en");

let socket = null;
let actions = [];
let lines = []; // the newest MOST
let total = 0;
let paused = false;
let kept = null; // the newest state that came in a pause
let began = null; // when the broker's clock was 0, on this page's clock
let asks = 0;

// The socket.

function connect() {
  const url = new URL("/live", location.href);
  url.protocol = "ws:";
  url.search = location.search;
  socket = new WebSocket(url);
  socket.onopen = () => link();
  socket.onmessage = (message) => take(JSON.parse(message.data));
  socket.onclose = (event) => {
    socket = null;
    began = null;
    link(event.code === 1013 ? event.reason : "");
    setTimeout(connect, 1000);
  };
}

function link(why) {
  const open = socket !== null && socket.readyState === WebSocket.OPEN;
  page.className = !open ? "lost" : paused ? "paused" : "live";
  at("link").textContent = open ? (paused ? "paused" : "live") : why || "the broker is gone; if it is started again, open the URL that it prints";
}

function take(news) {
  if ("answer" in news) {
    at("said").textContent = (news.ok ? "Done: " : "Not done: ") + news.text;
    at("said").className = news.ok ? "" : "bad";
    return;
  }
  if (news.facts) introduce(news);
  if (news.now !== undefined) began = performance.now() - news.now * 1000;
  if (news.lines) {
    const last = lines.length ? lines[lines.length - 1].number : 0;
    const fresh = news.lines.filter((line) => line.number > last);
    lines = lines.concat(fresh).slice(-MOST);
    total = news.total;
    if (!paused) log(fresh);
    else count();
  }
  if (news.state) {
    if (paused) kept = news.state;
    else show(news.state);
  }
}

function introduce(news) {
  actions = news.actions;
  at("facts").replaceChildren(...Object.entries(news.facts).map(([name, text]) => {
    const pair = put("div");
    pair.append(put("dt", name), put("dd", text));
    return pair;
  }));
  at("hand").replaceChildren(...actions.filter((a) => a.on === "broker").map((a) => button(a, "", "")));
}

// What is done by hand.

function button(action, target, what) {
  const made = put("button", action.label + (action.fields.length ? "…" : ""));
  made.type = "button";
  made.dataset.act = action.name;
  if (action.help) made.title = action.help;
  if (what) made.append(put("span", ` ${what} ${target}`, "mark")); // its name begins with what is seen
  made.onclick = () => (action.fields.length ? ask(action, target, what) : perform(action, target, {}));
  return made;
}

function perform(action, target, give) {
  if (socket && socket.readyState === WebSocket.OPEN)
    socket.send(JSON.stringify({ do: action.name, id: ++asks, on: target, give }));
}

function ask(action, target, what) {
  at("ask-title").textContent = what ? `${action.label} ${what} ${target}` : action.label;
  const inputs = action.fields.map((field) => {
    const made = put(field.kind === "choice" ? "select" : "input");
    made.id = `ask-${field.name}`;
    made.name = field.name;
    if (field.kind === "choice") made.append(...field.choices.map((choice) => put("option", choice)));
    else made.autocomplete = "off";
    made.value = field.default;
    return made;
  });
  at("ask-fields").replaceChildren(...action.fields.flatMap((field, i) => {
    const label = put("label", field.label);
    label.htmlFor = inputs[i].id;
    return [label, inputs[i]];
  }));
  at("ask-form").onsubmit = (event) => {
    event.preventDefault();
    at("ask").close();
    perform(action, target, Object.fromEntries(inputs.map((input) => [input.name, input.value])));
  };
  at("ask").showModal();
}

// What the broker thinks: rows are kept and changed in place, so that a click or a focus is never lost.

function show(state) {
  const numeric = (names, columns) => columns.map((name) => names.includes(name));
  const rows = state.connections.map((c) => ({
    id: String(c.id),
    over: c.ended !== null,
    can: c.ended === null ? null : [],
    cells: [c.id, c.ended === null ? c.stage || "open" : c.end, c.kind, c.at.toFixed(1), c.last.toFixed(1), c.sent, c.told, c.client].map(String),
  }));
  const open = rows.filter((row) => !row.over).length;
  fill("connections", rows, [true, false, false, true, true, true, true, false], 1, state.connections_left_out, `${open} open`);
  for (const cell of at("b-connections").querySelectorAll("td:nth-child(8)")) cell.className = "client";
  choices(state.connections);
  for (const [i, table] of state.tables.entries()) {
    if (!at(`b-${table.name}`)) at(i === 0 ? "first" : "more").append(section(table));
    fill(table.name, table.rows, numeric(table.numeric, table.columns), table.columns.indexOf("Status"), table.left_out, "");
  }
}

function section(table) {
  const made = put("section");
  const title = put("h2", table.title);
  title.id = `t-${table.name}`;
  made.setAttribute("aria-labelledby", title.id);
  const note = put("span", "", "note");
  note.id = `n-${table.name}`;
  const scroll = put("div", undefined, "scroll");
  scroll.tabIndex = 0;
  scroll.setAttribute("role", "region");
  scroll.setAttribute("aria-label", `Table of ${table.title}`);
  const head = put("tr");
  for (const name of table.columns) {
    const cell = put("th", name, table.numeric.includes(name) ? "n" : "");
    cell.scope = "col";
    head.append(cell);
  }
  if (actions.some((action) => action.on === table.name)) {
    const cell = put("th", undefined, "hands");
    cell.scope = "col";
    cell.append(put("span", "By hand", "mark"));
    head.append(cell);
  }
  const body = put("tbody");
  body.id = `b-${table.name}`;
  const grid = put("table");
  const header = put("thead");
  header.append(head);
  grid.append(header, body);
  const empty = put("p", "None yet.", "none");
  empty.id = `e-${table.name}`;
  scroll.append(grid, empty);
  made.append(title, " ", note, scroll);
  return made;
}

function fill(name, rows, numeric, strong, leftOut, more) {
  const body = at(`b-${name}`);
  const known = new Map([...body.rows].map((tr) => [tr.dataset.id, tr]));
  const mine = actions.filter((action) => action.on === (name === "connections" ? "connection" : name));
  const what = name === "connections" ? "connection" : name.replace(/s$/, "");
  const wanted = new Set(rows.map((row) => row.id));
  for (const [id, tr] of known) if (!wanted.has(id)) tr.remove();
  for (const row of rows) {
    let tr = known.get(row.id);
    if (!tr) {
      tr = put("tr", undefined, body.dataset.shown ? "new" : "");
      tr.dataset.id = row.id;
      row.cells.forEach((_, i) => tr.append(put("td", "", numeric[i] ? "n" : "")));
      if (mine.length) tr.append(put("td", undefined, "hands"));
      body.prepend(tr); // the newest first
    }
    tr.classList.toggle("over", row.over);
    row.cells.forEach((text, i) => {
      const cell = tr.cells[i];
      if (cell.textContent === text) return;
      cell.textContent = text;
      if (i === strong) {
        cell.className = "strong";
        void cell.offsetWidth; // so that the animation begins again
        if (body.dataset.shown) cell.classList.add("new");
      }
    });
    if (!mine.length) continue;
    const can = mine.filter((action) => row.can === null || row.can.includes(action.name));
    const key = can.map((action) => action.name).join();
    const hands = tr.cells[row.cells.length];
    if (hands.dataset.can !== key) {
      hands.dataset.can = key;
      hands.replaceChildren(...can.map((action) => button(action, row.id, what)));
    }
  }
  body.dataset.shown = "yes"; // from here on a row is news
  blank(name, rows.length === 0);
  const left = leftOut ? `${several(leftOut)} older left out` : "";
  at(`n-${name}`).textContent = [rows.length ? several(rows.length) : "", more, left].filter(Boolean).join(", ");
}

// A table without rows is a sentence.
function blank(name, empty) {
  at(`e-${name}`).hidden = !empty;
  at(`b-${name}`).parentElement.hidden = empty;
}

// The wire.

function choices(connections) {
  const select = at("only");
  const chosen = select.value;
  const ids = connections.map((c) => String(c.id)).reverse();
  const now = [...select.options].slice(1).map((option) => option.value);
  if (chosen && !ids.includes(chosen)) ids.push(chosen); // what is being read stays to be chosen
  if (now.join() === ids.join()) return;
  select.replaceChildren(select.options[0], ...ids.map((id) => put("option", id)));
  select.value = chosen;
}

const fits = (line) =>
  (at("beats").checked || !line.beat) &&
  (!at("only").value || String(line.conn) === at("only").value) &&
  (!at("with").value || line.text.toLowerCase().includes(at("with").value.toLowerCase()));

let follows = true; // the newest line, until somebody scrolls up to read

function toEnd() {
  if (follows) at("log").scrollTop = at("log").scrollHeight;
}

function log(fresh) {
  const body = at("b-wire");
  body.append(...fresh.filter(fits).map(drawn));
  const oldest = lines.length ? lines[0].number : 0;
  while (body.rows.length && Number(body.rows[0].dataset.number) < oldest) body.rows[0].remove();
  toEnd();
  count();
}

function drawn(line) {
  const tr = put("tr", undefined, `s-${line.who}`);
  tr.dataset.number = line.number;
  const who = { client: "client →", broker: "← broker" }[line.who] || line.who;
  const text = put("td", line.text.length > CUT ? `${line.text.slice(0, CUT)}…` : line.text);
  if (line.text.length > CUT) {
    const more = put("button", "all");
    more.type = "button";
    more.append(put("span", ` of line ${line.number}`, "mark"));
    more.onclick = () => {
      text.textContent = line.text;
    };
    text.append(more);
  }
  tr.append(put("td", line.at.toFixed(3), "n"), put("td", line.conn || "", "n"), put("td", who), text);
  return tr;
}

function count() {
  const shown = at("b-wire").rows.length;
  const waiting = paused && lines.length ? lines.filter((line) => line.number > pausedAt).length : 0;
  const parts = [];
  if (total) parts.push(`${several(shown)} shown of the last ${several(lines.length)}`);
  if (total > lines.length) parts.push(`${several(total - lines.length)} older left out`);
  if (waiting) parts.push(`${several(waiting)} new since the pause`);
  at("n-wire").textContent = parts.join(", ");
  blank("wire", shown === 0);
  at("e-wire").textContent = total ? "Nothing of what is kept fits." : "Nothing yet.";
}

function again() {
  at("b-wire").replaceChildren();
  log(lines.filter((line) => !paused || line.number <= pausedAt));
  follows = true;
  toEnd();
}

let pausedAt = 0;
at("pause").onclick = () => {
  paused = !paused;
  pausedAt = lines.length ? lines[lines.length - 1].number : 0;
  at("pause").textContent = paused ? "Go on" : "Pause";
  at("pause").setAttribute("aria-pressed", String(paused));
  link();
  if (!paused) {
    if (kept) show(kept);
    kept = null;
    again();
  }
};
for (const id of ["only", "with", "beats"]) at(id).addEventListener("input", again);
at("log").onscroll = () => {
  const box = at("log");
  follows = box.scrollHeight - box.scrollTop - box.clientHeight < 40;
};
new ResizeObserver(toEnd).observe(at("log"));
at("ask-no").onclick = () => at("ask").close();
setInterval(() => {
  if (began !== null && !paused) at("clock").textContent = `${((performance.now() - began) / 1000).toFixed(0)} s`;
}, 250);
connect();
