// A Tradovate WebSocket client: one socket at a time, for as long as the process lives.
// Its law: whatever ends a socket, a new one follows with back-off, authorizes, and syncs once. SIGTERM ends it for good.
// What it asks: outbox.mjs. What it believes: state.mjs. What it tells brokercert and takes from it: adapter.mjs.
import WebSocket from "ws";
import { listen, say } from "./adapter.mjs";
import { LOCKOUT, now, Outbox, penaltyIn } from "./outbox.mjs";
import { State } from "./state.mjs";

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
const GIVEN_UP = 4000; // close code for a socket that this client gives up, as the vendor's own client sends it
const ENTITY_TYPES = ["account", "cashBalance", "position", "order", "orderVersion", "command", "commandReport", "executionReport", "fill", "contract"];

const outbox = new Outbox();
const state = new State();
const sync = { endpoint: "user/syncrequest", query: "", body: { splitResponses: true, entityTypes: ENTITY_TYPES }, priority: 0, done: synced };
let early = []; // what came before the snapshot, which may be older
let current = null; // the one socket in use
let attempts = 0; // since the last stable socket
let retry = null;
let stopping = false;

function connect() {
  say("connecting");
  const ws = new WebSocket(url, { handshakeTimeout: STEP, perMessageDeflate: false, maxPayload: 64 * 1024 * 1024 });
  const session = { ws, stage: "connecting", seen: now(), timers: [] };
  current = session;
  const arrived = () => (session.seen = now());
  ws.on("open", () => { arrived(); enter(session, "opening"); });
  ws.on("message", (data, isBinary) => { arrived(); if (!isBinary) receive(session, data.toString()); });
  ws.on("ping", arrived);
  ws.on("unexpected-response", (_, response) => over(session, `upgrade answered ${response.statusCode}`, response.statusCode === 429 ? LOCKOUT : 0));
  ws.on("error", (error) => over(session, error.code ?? error.message));
  ws.on("close", (code) => over(session, `closed with ${code}`));
}

// The stage must be over in time, or the socket is given up.
function enter(session, stage) {
  session.stage = stage;
  session.timers.push(setTimeout(() => session.stage === stage && over(session, `nothing came while ${stage}`), STEP));
}

function receive(session, text) {
  if (session !== current) return; // what an abandoned socket still says is nobody's business
  if (text === "o" && session.stage === "opening") return authorize(session);
  let content;
  try {
    content = JSON.parse(text.slice(1)); // `h` and further `o` end here too: they carry nothing
  } catch {
    return; // one bad frame must not cost the connection
  }
  if (text[0] === "c") return over(session, "the server said goodbye");
  if (text[0] !== "a" || !Array.isArray(content)) return;
  for (const message of content) {
    if (outbox.pending.has(message?.i)) outbox.answered(message.i, message.s, message.d);
    else if (message?.e === "props") changed(message.d);
  }
}

function authorize(session) {
  enter(session, "authorizing");
  outbox.send = (request) => session.ws.send(request);
  outbox.submit({ endpoint: "authorize", query: "", body: token, priority: 0, once: true, done: (...answer) => authorized(session, ...answer) });
}

function authorized(session, status, data, error) {
  if (session !== current || session.stage !== "authorizing") return;
  if (data?.["p-captcha"]) outbox.lockOut("authorize");
  if (now() < outbox.lockedUntil) return over(session, "locked out");
  if (data?.["p-ticket"]) return over(session, "penalty for authorize", penaltyIn(data));
  if (error) {
    say("error", { text: `login refused: ${error}` });
    return over(session, `authorize refused: ${error}`, REFUSED);
  }
  session.stage = "working";
  session.timers.push(setInterval(() => session.ws.send("[]"), BEAT));
  session.timers.push(setInterval(() => now() - session.seen > SILENCE && over(session, "silence"), 500));
  session.timers.push(setTimeout(() => (attempts = 0), STABLE));
  early = [];
  outbox.submit(sync);
}

function synced(status, data, error) {
  if (data?.["p-captcha"]) outbox.lockOut(sync.endpoint);
  if (error) return status && now() >= outbox.lockedUntil ? over(current, `sync refused: ${error}`, REFUSED) : undefined;
  state.replace(data, early);
  console.log("synced");
}

function changed(change) {
  if ([...outbox.pending.values()].includes(sync)) early.push(change);
  for (const entity of state.apply(change)) say("processed", { entityType: change.entityType, id: entity.id, eventType: change.eventType });
}

function request(endpoint, query, body, priority, done) {
  if (current?.stage === "working") outbox.submit({ endpoint, query, body, priority, done });
  else done(0, null, "no connection");
}

// The end of a socket, whoever ended it: called once, and the only place that arranges for the next one.
function over(session, why, pause = 0) {
  if (session !== current) return;
  current = null;
  session.timers.forEach(clearTimeout);
  leave(session.ws, GIVEN_UP, 1_000);
  outbox.close();
  const ladder = Math.min(LONGEST_DELAY, FIRST_DELAY * 2 ** attempts++) * (0.8 + 0.2 * Math.random());
  const delay = Math.max(ladder, pause, outbox.lockedUntil - now());
  console.log(`${why}; next attempt in ${Math.round(delay)} ms`);
  if (!stopping) retry = setTimeout(connect, delay);
}

// A close frame, and no waiting for a server that does not answer it.
function leave(ws, code, patience) {
  if (ws.readyState === WebSocket.OPEN) ws.close(code);
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
listen({ entities: state.entities, request, stop });
connect();
