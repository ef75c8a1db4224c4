// Lets the harness step the wall clock of a Node program; its timers and `performance.now()` go on as they do.
// NODE_OPTIONS names it. BROKERCERT_CLOCK names a file with the seconds by which the clock is ahead.
"use strict";
const { appendFileSync, readFileSync } = require("node:fs");
const file = process.env.BROKERCERT_CLOCK;
if (file) {
  const RealDate = Date;
  const LOOK = 20; // ms between two looks into the file
  let ahead = 0;
  let looked = -Infinity;
  const now = () => {
    if (performance.now() - looked >= LOOK) {
      looked = performance.now();
      try {
        ahead = 1000 * Number(readFileSync(file, "utf8")) || 0;
      } catch {} // taken away at the scenario's end
    }
    return RealDate.now() + ahead;
  };
  const whole = () => Math.trunc(now());
  globalThis.Date = new Proxy(RealDate, {
    construct: (real, given, made) => Reflect.construct(real, given.length ? given : [whole()], made),
    apply: () => new RealDate(whole()).toString(),
    get: (real, name) => (name === "now" ? whole : Reflect.get(real, name)),
  });
  try {
    appendFileSync(`${file}.by`, "node\n");
  } catch {}
}
