// fails OFF-010: leaves without a close frame
// A Tradovate WebSocket client: one socket at a time, for as long as the process lives.
// Its law: whatever ends a socket, a new one follows with back-off, authorizes, and syncs once. SIGTERM ends it for good.
import WebSocket from "ws";

const { BROKERCERT_URL: url, BROKERCERT_TOKEN: token } = process.env;
if (!url || !token) {
  console.error("BROKERCERT_URL and BROKERCERT_TOKEN must be set");
  process.exit(2);
}

const BEAT = 2_500; // ms: the protocol's heartbeat cadence
const SILENCE = 10_000; // ms without any arrival (`h` comes every 2.5 s) after which the server is given up
const STEP = 10_000; // ms for each of: connect with upgrade, `o`, the answer to authorize
const FIRST_DELAY = 500; // ms before the first attempt to reconnect; doubled each time ...
const LONGEST_DELAY = 10_000; // ... up to this
const STABLE = 60_000; // ms that a socket must have worked before the ladder starts again at its foot
const REFUSED = 27_000; // ms before a refused token is tried again: at most three uses in a minute
const LOCKOUT = 3_600_000; // ms after 429, or a ticket that only a person can use: requests made earlier prolong it
const GIVEN_UP = 4000; // close code for a socket that this client gives up, as the vendor's own client sends it
const ENTITY_TYPES = ["account", "cashBalance", "position", "order", "orderVersion", "executionReport", "fill", "contract"];

const entities = new Map(); // "order/210518" -> the entity as last told
let current = null; // the one socket in use
let attempts = 0; // since the last stable socket
let notBefore = 0; // no request before this time (lock-out)
let penalty = { until: 0, ticket: undefined }; // of the sync request; it outlives the socket
let retry = null;
let stopping = false;

function connect() {
  console.log("connecting");
  const ws = new WebSocket(url, { handshakeTimeout: STEP, perMessageDeflate: false, maxPayload: 64 * 1024 * 1024 });
  const session = { ws, state: "connecting", lastId: -1, authorizeId: -1, syncId: -1, seen: Date.now(), timers: [], pause: 0 };
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

function request(session, endpoint, body) {
  session.lastId += 1;
  session.ws.send(`${endpoint}\n${session.lastId}\n\n${body}`);
  return session.lastId;
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
    if (message?.i === session.authorizeId) authorizeAnswered(session, message);
    else if (message?.i === session.syncId) syncAnswered(session, message);
    else if (message?.e === "props") apply(message.d);
  }
}

function authorize(session) {
  session.state = "authorizing";
  expect(session, "authorizing");
  session.authorizeId = request(session, "authorize", token);
}

function authorizeAnswered(session, { s: status, d: data }) {
  if (session.state !== "authorizing") return;
  if (status === 429 || data?.["p-captcha"]) return over(session, "locked out", LOCKOUT);
  if (data?.["p-ticket"]) return over(session, "penalty for authorize", (data["p-time"] ?? 10) * 1000);
  if (status !== 200 || data?.errorText) return over(session, `authorize refused with ${status}`, REFUSED);
  console.log("authorized");
  session.state = "working";
  session.timers.push(setInterval(() => session.ws.send("[]"), BEAT));
  session.timers.push(setInterval(() => Date.now() - session.seen > SILENCE && over(session, "silence"), 500));
  session.timers.push(setTimeout(() => (attempts = 0), STABLE));
  syncAfter(session, Math.max(0, penalty.until - Date.now()));
}

function syncAfter(session, delay) {
  session.timers.push(setTimeout(() => {
    const body = { splitResponses: true, entityTypes: ENTITY_TYPES };
    session.syncId = request(session, "user/syncrequest", JSON.stringify({ ...body, "p-ticket": penalty.ticket }));
  }, delay));
}

function syncAnswered(session, { s: status, d: data }) {
  if (status === 429 || data?.["p-captcha"]) {
    notBefore = Date.now() + LOCKOUT;
    return console.log("locked out: no request for an hour");
  }
  if (data?.["p-ticket"]) {
    const wait = (data["p-time"] ?? 10) * 1000;
    penalty = { until: Date.now() + wait, ticket: data["p-ticket"] };
    return syncAfter(session, wait);
  }
  penalty = { until: 0, ticket: undefined };
  if (status !== 200 || data?.errorText) return over(session, `sync refused with ${status}`, REFUSED);
  for (const [collection, items] of Object.entries(data ?? {})) {
    if (Array.isArray(items)) for (const item of items) apply({ entityType: singular(collection), entity: item });
  }
  console.log("synced");
}

function singular(name) {
  return name.replace(/ies$/, "y").replace(/ses$/, "s").replace(/([^s])s$/, "$1");
}

function apply(change) {
  for (const entity of [change?.entity].flat()) {
    if (entity?.id === undefined) continue;
    const key = `${change.entityType}/${entity.id}`;
    if (change.eventType === "Deleted") entities.delete(key);
    else entities.set(key, entity);
  }
}

// The end of a socket, whoever ended it: called once, and the only place that arranges for the next one.
function over(session, why, pause = 0) {
  if (session !== current) return;
  current = null;
  session.timers.forEach(clearTimeout);
  entities.clear(); // the next snapshot tells what is true
  leave(session.ws, GIVEN_UP, 1_000);
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

process.on("SIGTERM", () => {
  stopping = true;
  clearTimeout(retry);
  const ws = current?.ws;
  if (!ws || ws.readyState === WebSocket.CLOSED) process.exit(0);
  ws.on("close", () => process.exit(0));
  setTimeout(() => process.exit(0), 3_000);
  leave(ws, 1000, 2_000);
});

connect();
