// What the mock must take: a client as the vendor's own samples write it, whose bodies and queries may be `undefined`.
// SCENARIOS = ("steady", "load", "loss-fin", "loss-close-1012", "answer-in-batch")
// EXPECT = {"REC-035": "not applicable"}
// The token as a JSON string, ids from 0, `undefined` for what is not there, an extra read request on the way to the
// sync, and heartbeats driven by arrivals only. `ws` is that of the Node example.
import { createRequire } from "node:module";
import { createInterface } from "node:readline";

const WebSocket = createRequire(new URL("../../examples/node/client.mjs", import.meta.url))("ws");
const { BROKERCERT_URL: url, BROKERCERT_TOKEN: token } = process.env;
let attempts = 0;
let stopping = false;
let socket;

function connect() {
  let ids = 0;
  let lastBeat = Date.now();
  const handlers = new Map();
  const ws = (socket = new WebSocket(url));

  const send = (endpoint, query, body, done) => {
    handlers.set(ids, done);
    ws.send(`${endpoint}\n${ids++}\n${query}\n${JSON.stringify(body)}`);
  };

  const synced = () => (attempts = 0); // resets its ladder with each success, which the documents do not forbid
  const sync = () =>
    send("user/syncRequest", undefined, { splitResponses: true, entityTypes: ["order", "fill", "position"] }, synced);
  const authorized = ({ s }) => (s === 200 ? send("account/list", undefined, undefined, sync) : ws.close());

  ws.on("message", (data) => {
    const text = data.toString();
    if (Date.now() - lastBeat >= 2500) {
      lastBeat = Date.now();
      ws.send("[]");
    }
    if (text === "o") send("authorize", "", token, authorized);
    if (text[0] === "c") ws.close();
    if (text[0] !== "a") return;
    for (const message of JSON.parse(text.slice(1))) {
      const done = handlers.get(message.i);
      handlers.delete(message.i);
      done?.(message);
    }
  });
  ws.on("error", (error) => console.log(error.code));
  ws.on("close", () => {
    if (stopping) process.exit(0);
    setTimeout(connect, Math.min(1000 * 2 ** attempts++, 60_000) * (1 + Math.random() / 10));
  });
}

function stop() {
  stopping = true;
  if (socket.readyState === WebSocket.OPEN) socket.close();
  else process.exit(0);
}

process.on("SIGTERM", stop);
createInterface({ input: process.stdin }).on("line", (line) => JSON.parse(line).command === "stop" && stop());
connect();
