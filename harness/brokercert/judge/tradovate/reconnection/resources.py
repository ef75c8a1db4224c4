"""What a client leaves behind: descriptors, threads and memory over many reconnects (S2 §5)."""

from __future__ import annotations

from collections.abc import Iterator

from brokercert.judge.tradovate.bench import Bench, check
from brokercert.verdict import Finding, Form

SETTLED, LAST = "after drop 5", "after drop 20"  # runtimes settle in the first five
MIB = 1024 * 1024


@check("REC-100")
def check_nothing_left(bench: Bench) -> Iterator[Finding]:
    """After twenty drops the client holds as many descriptors and threads as after five (one more is allowed), and no
    more than 10 % more memory.
    """
    seen = bench.talk.asides.resources
    if SETTLED not in seen or LAST not in seen:
        if bench.talk.authorized:
            yield bench.short("the client was not seen after five and after twenty drops")
        return
    (first, before), (last, after) = seen[SETTLED], seen[LAST]
    spare = round(bench.limit("left_over"))
    clean = True
    for what, old, new in (
        ("file descriptors", before.descriptors, after.descriptors),
        ("threads", before.threads, after.threads),
    ):
        if new > old + spare:
            clean = False
            yield bench.breach(
                Form.ABSENCE,
                f"{new} {what} after twenty drops, {old} after five",
                f"at most {old + spare}",
                [first, last],
                [bench.count(what, new, old + spare)],
                clause=what,
            )
    most = before.memory * (1 + bench.limit("left_over_memory"))
    if after.memory > most:
        clean = False
        yield bench.breach(
            Form.ABSENCE,
            f"{after.memory / MIB:.1f} MiB after twenty drops, {before.memory / MIB:.1f} MiB after five",
            f"at most {most / MIB:.1f} MiB",
            [first, last],
            [bench.count("bytes of memory", after.memory, most)],
            clause="memory",
        )
    if clean:
        yield bench.ok(
            Form.SHOWN,
            f"after twenty drops {after.descriptors} descriptors, {after.threads} threads and"
            f" {after.memory / MIB:.1f} MiB; after five {before.descriptors}, {before.threads} and"
            f" {before.memory / MIB:.1f} MiB",
            [first, last],
        )
