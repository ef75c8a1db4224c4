// fails OFF-010: leaves without a close frame
// A Tradovate WebSocket client: one socket at a time, for as long as the process lives.
// Its laws: whatever ends a socket, a new one follows with back-off, authorizes, and syncs once; a request has one outcome
// and goes out once, or again with its ticket. SIGTERM ends it for good. What it tells and takes beside: adapter.mjs.
import WebSocket from "ws";
import { listen, say } from "./adapter.mjs";

const { BROKERCERT_URL: url, BROKERCERT_TOKEN: token } = process.env;
if (!url || !token) {
  console.error("BROKERCERT_URL and BROKERCERT_TOKEN must be set");
  process.exit(2);
}

const BEAT = 2_500; // ms: the protocol's heartbeat cadence
const SILENCE = 10_000; // ms without any arrival (`h` comes every 2.5 s) after which the server is given up
const STEP = 10_000; // ms for each of: connect with upgrade, `o`, the answer to authorize
const ANSWER = 30_000; // ms for the answer to any other request
const FIRST_DELAY = 500; // ms before the first attempt to reconnect; doubled each time ...
const LONGEST_DELAY = 10_000; // ... up to this
const STABLE = 60_000; // ms that a socket must have worked before the ladder starts again at its foot
const REFUSED = 27_000; // ms before a refused token is tried again: at most three uses in a minute
const LOCKOUT = 3_600_000; // ms after 429, or a ticket that only a person can use: requests made earlier prolong it
const GIVEN_UP = 4000; // close code for a socket that this client gives up, as the vendor's own client sends it
const ENTITY_TYPES = ["account", "cashBalance", "position", "order", "orderVersion", "command", "commandReport", "executionReport", "fill", "contract"];
const FINISHED = ["Canceled", "Completed", "Expired", "Filled", "Rejected"];

const entities = new Map(); // "order" -> id -> the entity as last told
const penalties = new Map(); // endpoint -> when its penalty ends
const sync = { endpoint: "user/syncrequest", query: "", body: { splitResponses: true, entityTypes: ENTITY_TYPES }, priority: 0, done: synced };
let early = []; // what came before the snapshot, which may be older
let current = null; // the one socket in use
let lastId = -1; // of a request; none is used again, on no later socket either
let attempts = 0; // since the last stable socket
let notBefore = 0; // no request before this time (lock-out)
let retry = null;
let stopping = false;

function connect() {
  say("connecting");
  const ws = new WebSocket(url, { handshakeTimeout: STEP, perMessageDeflate: false, maxPayload: 64 * 1024 * 1024 });
  const session = { ws, state: "connecting", waiting: [], pending: new Map(), seen: Date.now(), timers: [] };
  current = session;
  const arrived = () => (session.seen = Date.now());
  ws.on("open", () => { arrived(); session.state = "opening"; expect(session, "opening"); });
  ws.on("message", (data, isBinary) => { arrived(); if (!isBinary) receive(session, data.toString()); });
  ws.on("ping", arrived);
  ws.on("unexpected-response", (_, response) => over(session, `upgrade answered ${response.statusCode}`, response.statusCode === 429 ? LOCKOUT : 0));
  ws.on("error", (error) => over(session, error.code ?? error.message));
  ws.on("close", (code) => over(session, `closed with ${code}`));
}

// The step that the session is in must be over in time, or the socket is given up.
function expect(session, state) {
  session.timers.push(setTimeout(() => session.state === state && over(session, `nothing came while ${state}`), STEP));
}

function receive(session, text) {
  if (session !== current) return; // what an abandoned socket still says is nobody's business
  if (text === "o" && session.state === "opening") return authorize(session);
  let content;
  try {
    content = JSON.parse(text.slice(1)); // `h` and further `o` end here too: they carry nothing
  } catch {
    return; // one bad frame must not cost the connection
  }
  if (text[0] === "c") return over(session, "the server said goodbye");
  if (text[0] !== "a" || !Array.isArray(content)) return;
  for (const message of content) {
    if (session.pending.has(message?.i)) answered(session, message.i, message.s, message.d);
    else if (message?.e === "props") changed(session, message.d);
  }
}

function authorize(session) {
  session.state = "authorizing";
  expect(session, "authorizing");
  submit(session, { endpoint: "authorize", query: "", body: token, priority: 0, done: (status, data, error) => authorized(session, error) });
}

function authorized(session, error) {
  if (session !== current || session.state !== "authorizing") return;
  if (error) {
    say("error", { text: `login refused: ${error}` });
    return over(session, `authorize refused: ${error}`, REFUSED);
  }
  session.state = "working";
  session.timers.push(setInterval(() => session.ws.send("[]"), BEAT));
  session.timers.push(setInterval(() => Date.now() - session.seen > SILENCE && over(session, "silence"), 500));
  session.timers.push(setTimeout(() => (attempts = 0), STABLE));
  early = [];
  submit(session, sync);
}

// The snapshot is all that is true, and then what was told before it came.
function synced(status, data, error) {
  if (error) return status && Date.now() >= notBefore ? over(current, `sync refused: ${error}`, REFUSED) : undefined;
  entities.clear();
  for (const [collection, items] of Object.entries(data)) if (Array.isArray(items)) apply({ entityType: singular(collection), entity: items });
  early.forEach(apply);
  console.log("synced");
}

// Requests. `done(status, data, error)` is called once; status 0: never answered; no error: a success.
function request(endpoint, query, body, priority, done) {
  if (current?.state === "working") submit(current, { endpoint, query, body, priority, done });
  else done(0, null, "no connection");
}

function submit(session, request) {
  session.waiting.push(request);
  flush(session);
}

// Sends what need not wait, by priority, and within one as it came.
function flush(session) {
  if (session !== current) return;
  session.waiting.sort((one, other) => one.priority - other.priority);
  const ready = (request) => Date.now() >= Math.max(notBefore, penalties.get(request.endpoint) ?? 0);
  const leaving = session.waiting.filter(ready);
  session.waiting = session.waiting.filter((request) => !leaving.includes(request));
  for (const request of leaving) {
    const id = ++lastId;
    const body = request.ticket ? { ...request.body, "p-ticket": request.ticket } : request.body;
    session.pending.set(id, request);
    session.ws.send(`${request.endpoint}\n${id}\n${request.query}\n${typeof body === "string" ? body : body === null ? "" : JSON.stringify(body)}`);
    session.timers.push(setTimeout(() => finish(session, id, 0, null, "never answered"), ANSWER));
  }
}

function finish(session, id, status, data, error) {
  const request = session.pending.get(id);
  session.pending.delete(id);
  request?.done(status, data, error);
}

// An outcome, or a penalty: then the request waits, and all others to its endpoint with it.
function answered(session, id, status, data) {
  const request = session.pending.get(id);
  request.ticket = undefined;
  if (status === 429 || (data?.["p-captcha"] && request.priority <= 0)) {
    say("error", { text: `${request.endpoint}: locked out, no request for an hour` });
    notBefore = Date.now() + LOCKOUT;
    if (request.endpoint === "authorize") return over(session, "locked out", LOCKOUT);
  }
  const wait = (data?.["p-time"] ?? 10) * 1000;
  if (data?.["p-ticket"] && request.endpoint === "authorize") return over(session, "penalty for authorize", wait);
  if (!data?.["p-ticket"] || data["p-captcha"]) return finish(session, id, status, data, errorIn(status, data));
  session.pending.delete(id);
  Object.assign(request, { ticket: data["p-ticket"], priority: -1 }); // it leaves first: it was there first
  penalties.set(request.endpoint, Date.now() + wait);
  session.waiting.push(request);
  setTimeout(() => current && flush(current), wait + 10); // a timer may be a little early
}

// Why an answer is no success: one with status 200 may carry an error too.
function errorIn(status, data) {
  if (status !== 200) return typeof data === "string" && data ? data : `status ${status}`;
  for (const key of ["errorText", "failureText", "failureReason", "violations", "p-captcha"]) if (data?.[key] && data[key] !== "Success") return `${key}: ${JSON.stringify(data[key])}`;
  return "";
}

// State.
function changed(session, change) {
  if ([...session.pending.values()].includes(sync)) early.push(change);
  for (const entity of apply(change)) say("processed", { entityType: change.entityType, id: entity.id, eventType: change.eventType });
}

// Created and updated replace by id, deleted removes by id; a finished order does not come back to life.
function apply(change) {
  const told = [change?.entity].flat().filter((entity) => entity?.id !== undefined);
  if (told.length && !entities.has(change.entityType)) entities.set(change.entityType, new Map());
  const held = entities.get(change?.entityType);
  for (const entity of told) {
    if (change.eventType === "Deleted") held.delete(entity.id);
    else if (!FINISHED.includes(held.get(entity.id)?.ordStatus) || FINISHED.includes(entity.ordStatus)) held.set(entity.id, entity);
  }
  return told;
}

function singular(name) {
  return name.replace(/ies$/, "y").replace(/ses$/, "s").replace(/([^s])s$/, "$1");
}

// The end of a socket, whoever ended it: called once, and the only place that arranges for the next one.
function over(session, why, pause = 0) {
  if (session !== current) return;
  current = null;
  session.timers.forEach(clearTimeout);
  leave(session.ws, GIVEN_UP, 1_000);
  const lost = [...session.waiting, ...session.pending.values()]; // never sent again: the next snapshot tells what became of them
  session.pending.clear();
  for (const request of lost) request.done(0, null, "the connection was lost");
  if (pause === LOCKOUT) notBefore = Date.now() + LOCKOUT;
  const ladder = Math.min(LONGEST_DELAY, FIRST_DELAY * 2 ** attempts++) * (0.8 + 0.2 * Math.random());
  const delay = Math.max(ladder, pause, notBefore - Date.now());
  console.log(`${why}; next attempt in ${Math.round(delay)} ms`);
  if (!stopping) retry = setTimeout(connect, delay);
}

// A close frame, and no waiting for a server that does not answer it.
function leave(ws, code, patience) {
  if (ws.readyState === WebSocket.OPEN) ws.terminate();
  setTimeout(() => ws.terminate(), ws.readyState === WebSocket.CONNECTING ? 0 : patience).unref();
}

function stop() {
  stopping = true;
  clearTimeout(retry);
  const ws = current?.ws;
  if (!ws || ws.readyState === WebSocket.CLOSED) process.exit(0);
  ws.on("close", () => process.exit(0));
  setTimeout(() => process.exit(0), 3_000);
  leave(ws, 1000, 2_000);
}

process.on("SIGTERM", stop);
listen({ entities, request, stop });
connect();
