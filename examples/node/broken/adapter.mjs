// What brokercert asks of client.mjs at the level *commands*: a report for what it did, and answers on standard input.
// An adapter is thin: it tells what the client believes and has it send what it is asked to send. It decides nothing.
import { createInterface } from "node:readline";

const IN_FORCE = ["AtExecution", "OnHold", "ExecutionSuspended"];
const FIELDS = {
  order: ["accountId", "contractId", "action", "ordStatus"],
  fill: ["orderId", "qty", "price"],
  position: ["accountId", "contractId", "netPos", "netPrice"],
  cashBalance: ["accountId", "amount"],
  account: ["name"],
};

// A report: one JSON line, at once.
export function say(event, more = {}) {
  process.stdout.write(`${JSON.stringify({ event, ...more })}\n`);
}

// Do what the lines of standard input ask, until it ends.
export function listen({ entities, request, stop }) {
  createInterface({ input: process.stdin }).on("line", (line) => {
    const { command, id, endpoint, query, body, priority } = JSON.parse(line);
    const outcome = (status, data, error) => say("outcome", { id, status, data, error });
    if (command === "snapshot") say("snapshot", { id, entities: stateOf(entities) });
    else if (command === "request") request(endpoint, query, body, priority, outcome);
    else if (command === "stop") stop();
    else say("unsupported", { id, command });
  });
}

// What the client believes. An order's quantity and price are those of its last New or successful Modify.
function stateOf(entities) {
  const of = (kind) => [...(entities.get(kind)?.values() ?? [])];
  const current = new Map();
  for (const { id, orderId, commandType, commandStatus } of of("command").sort((one, other) => one.id - other.id)) {
    if (commandType === "New" || (commandType === "Modify" && IN_FORCE.includes(commandStatus))) current.set(orderId, id);
  }
  const chosen = (names, entity) => Object.fromEntries(["id", ...names].map((name) => [name, entity[name]]));
  const state = Object.fromEntries(Object.entries(FIELDS).map(([kind, names]) => [kind, of(kind).map((entity) => chosen(names, entity))]));
  for (const order of state.order) {
    const version = entities.get("orderVersion")?.get(current.get(order.id) ?? order.id);
    Object.assign(order, { orderQty: version?.orderQty, price: version?.price });
  }
  return state;
}
