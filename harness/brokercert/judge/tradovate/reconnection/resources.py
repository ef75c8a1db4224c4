"""What a client leaves behind: descriptors, threads and memory over many reconnects (S2 §5)."""

from __future__ import annotations

from collections.abc import Iterator

from brokercert.judge.tradovate.bench import Bench, check
from brokercert.trace import records as r
from brokercert.verdict import Finding, Form

Seen = tuple[int, r.Resources]  # record number, record

MIB = 1024 * 1024


@check("REC-100")
def check_nothing_left(bench: Bench) -> Iterator[Finding]:
    """After twenty drops the client holds as many descriptors and threads as after five (one more is allowed), and no
    more than 10 % or 4 MiB more memory.
    """
    seen = bench.talk.asides.resources
    settled, end = (seen.get(f"after drop {bench.limit(name):g}") for name in ("drops_settled", "drops"))
    if settled is None or end is None:
        if bench.talk.authorized:
            yield bench.short("the client was not seen after five and after twenty drops")
        return
    wrong = [*_left_over(bench, settled, end), *_grown(bench, settled, end)]
    yield from wrong
    if not wrong:
        yield _as_before(bench, settled, end)


def _left_over(bench: Bench, settled: Seen, end: Seen) -> Iterator[Finding]:
    """Descriptors or threads that are more than after five drops."""
    (first, before), (last, after) = settled, end
    spare = round(bench.limit("left_over"))
    for what, old, new in (
        ("file descriptors", before.descriptors, after.descriptors),
        ("threads", before.threads, after.threads),
    ):
        if new > old + spare:
            yield bench.breach(
                Form.ABSENCE,
                f"{new} {what} after twenty drops, {old} after five",
                f"at most {old + spare}",
                [first, last],
                [bench.count(what, new, old + spare)],
                clause=what,
            )


def _grown(bench: Bench, settled: Seen, end: Seen) -> Iterator[Finding]:
    """Memory that is more than after five drops."""
    (first, before), (last, after) = settled, end
    grown = max(before.memory * bench.limit("left_over_memory"), bench.limit("left_over_memory_floor"))
    most = before.memory + grown
    if after.memory > most:
        yield bench.breach(
            Form.ABSENCE,
            f"{after.memory / MIB:.1f} MiB after twenty drops, {before.memory / MIB:.1f} MiB after five",
            f"at most {most / MIB:.1f} MiB",
            [first, last],
            [bench.count("bytes of memory", after.memory, most)],
            clause="memory",
        )


def _as_before(bench: Bench, settled: Seen, end: Seen) -> Finding:
    (first, before), (last, after) = settled, end
    return bench.ok(
        Form.SHOWN,
        f"after twenty drops {after.descriptors} descriptors, {after.threads} threads and"
        f" {after.memory / MIB:.1f} MiB; after five {before.descriptors}, {before.threads} and"
        f" {before.memory / MIB:.1f} MiB",
        [first, last],
    )
