// What the client asks of the broker. Its laws: a request has one outcome, and goes out once, or again with its ticket;
// no id is used twice, on no later socket either; a penalty holds back its own endpoint alone, a lock-out everything.
//
// A request is {endpoint, query, body, priority, done}. `done(status, data, error)` is called once, with status 0 where
// no answer came, and no error for a success. A low priority leaves first, where requests have to wait. With `once`, a
// penalty is an outcome too: whoever asked tries again.
import { say } from "./adapter.mjs";

const ANSWER = 30_000; // ms for an answer
export const LOCKOUT = 3_600_000; // ms after 423 or 429, or a ticket that only a person can use: requests prolong it
const ERRORS = ["errorText", "failureText", "failureReason", "violations", "p-captcha", "p-ticket"]; // under status 200 too

export const now = () => performance.now(); // ms: the wall clock may be set back, and this one never is

export class Outbox {
  waiting = [];
  pending = new Map(); // id -> request
  penalties = new Map(); // endpoint -> when its penalty ends
  lockedUntil = 0;
  lastId = -1;
  send = null; // takes a text, while there is a socket

  submit(request) {
    if (!this.send) return request.done(0, null, "no connection");
    if (now() < this.lockedUntil) return request.done(0, null, "locked out: not sent");
    this.waiting.push(request);
    this.flush();
  }

  // Sends what need not wait, by priority, and within one as it came.
  flush() {
    this.waiting.sort((one, other) => one.priority - other.priority);
    const ready = (request) => this.send && now() >= Math.max(this.lockedUntil, this.penalties.get(request.endpoint) ?? 0);
    const leaving = this.waiting.filter(ready);
    this.waiting = this.waiting.filter((request) => !leaving.includes(request));
    for (const request of leaving) {
      const id = ++this.lastId;
      const body = request.ticket ? { ...request.body, "p-ticket": request.ticket } : request.body;
      const text = typeof body === "string" ? body : body === null ? "" : JSON.stringify(body);
      this.pending.set(id, request);
      this.send(`${request.endpoint}\n${id}\n${request.query}\n${text}`);
      setTimeout(() => this.finish(id, 0, null, "never answered"), ANSWER).unref();
    }
  }

  finish(id, status, data, error) {
    const request = this.pending.get(id);
    this.pending.delete(id);
    request?.done(status, data, error);
  }

  // An outcome, or a penalty: then the request waits, and all others to its endpoint with it.
  answered(id, status, data) {
    const request = this.pending.get(id);
    request.ticket = undefined;
    if (status === 423 || status === 429) this.lockOut(request.endpoint);
    if (!data?.["p-ticket"] || data["p-captcha"] || request.once) return this.finish(id, status, data, errorIn(status, data));
    const wait = penaltyIn(data);
    this.pending.delete(id);
    Object.assign(request, { ticket: data["p-ticket"], priority: -1 }); // it leaves first: it was there first
    const ends = now() + wait;
    this.penalties.set(request.endpoint, Math.max(ends, this.penalties.get(request.endpoint) ?? ends)); // the longest holds
    this.waiting.push(request);
    setTimeout(() => this.flush(), wait + 10).unref(); // a timer may be a little early
  }

  lockOut(endpoint) {
    say("error", { text: `${endpoint}: locked out, no request for an hour` });
    this.lockedUntil = now() + LOCKOUT;
  }

  // The socket is gone. What had no outcome is never sent again: the next snapshot tells what became of it.
  close() {
    this.send = null;
    const lost = [...this.waiting, ...this.pending.values()];
    this.waiting = [];
    this.pending.clear();
    for (const request of lost) request.done(0, null, "the connection was lost");
  }
}

// How long a penalty lasts, in ms. What is no such time is not believed.
export function penaltyIn(data) {
  const wait = data["p-time"];
  return (typeof wait === "number" && wait >= 0 && wait * 1000 < LOCKOUT ? wait : 10) * 1000;
}

// Why an answer is no success: one with status 200 may carry an error too.
function errorIn(status, data) {
  if (status !== 200) return typeof data === "string" && data ? data : `status ${status}`;
  for (const key of ERRORS) if (data?.[key] && data[key] !== "Success") return `${key}: ${JSON.stringify(data[key])}`;
  return "";
}
