"""Credentials where none belong: in URLs, in output, and in what a client says of itself (S2 §1, Error handling)."""

from __future__ import annotations

from collections.abc import Iterator

from brokercert.judge.asides import Leak, listed
from brokercert.judge.moments import records_of
from brokercert.judge.tradovate.bench import Bench, check
from brokercert.verdict import Finding, Form


@check("LOG-090")
def check_no_leak(bench: Bench) -> Iterator[Finding]:
    """No token, password or secret, nor a longer part of one, stands in a URL, in what the client prints, or in what it
    says of itself, over 20 s at least.
    """
    leaks = bench.talk.asides.leaks
    for where in dict.fromkeys(leak.where for leak in leaks):
        yield _leaked(bench, where, [leak for leak in leaks if leak.where == where])
    if not leaks and bench.talk.upgraded:
        yield _none_leaked(bench)


def _leaked(bench: Bench, where: str, leaks: list[Leak]) -> Finding:
    """Each credential is named, however many are in one line."""
    first = {leak.what: leak for leak in reversed(leaks)}
    named = [leak.what for leak in leaks if first[leak.what] is leak]
    lines = len({leak.record for leak in leaks})
    times = f", {lines} times" if lines > 1 else ""
    return bench.breach(
        Form.CONTENT,
        f"{listed(named)} in {where}{times}",
        "credentials in no URL, in no output, and in nothing that the client says of itself",
        sorted({*records_of(*leaks[:3]), *records_of(*first.values())}),
        clause=where,
    )


def _none_leaked(bench: Bench) -> Finding:
    asides = bench.talk.asides
    if asides.dropped:
        return bench.short(f"{asides.dropped} lines of output were more than is kept, and were not looked at")
    watch = bench.barred(bench.talk.started or 0, bench.micros("window_default"))
    looked = ", ".join(f"{where} ({len(records)})" for where, records in asides.searched.items())
    # What was searched: of each place the first and the last.
    evidence = [number for records in asides.searched.values() for number in (records[0], records[-1])]
    said = f"no credential was found in what was searched: {looked}"
    return watch.kept(said, evidence, short=f"watched for {watch} only", seen=[])
