"""Credentials where none belong: in URLs and in output (S2 §1, Error handling)."""

from __future__ import annotations

from collections.abc import Iterator

from brokercert.judge.asides import Leak
from brokercert.judge.check import seconds
from brokercert.judge.moments import records_of
from brokercert.judge.tradovate.bench import Bench, check
from brokercert.verdict import Finding, Form


@check("LOG-090")
def check_no_leak(bench: Bench) -> Iterator[Finding]:
    """No token, password or secret stands in a URL or in anything that the client prints, over 20 s at least."""
    leaks = bench.talk.asides.leaks
    for where in dict.fromkeys(leak.where for leak in leaks):
        yield _leaked(bench, where, [leak for leak in leaks if leak.where == where])
    if not leaks and bench.talk.upgraded:
        yield _none_leaked(bench)


def _leaked(bench: Bench, where: str, leaks: list[Leak]) -> Finding:
    times = f", {len(leaks)} times" if len(leaks) > 1 else ""
    return bench.breach(
        Form.CONTENT,
        f"{leaks[0].what} in {where}{times}",
        "credentials in no URL and in no output",
        records_of(*leaks[:3]),
        clause=where,
    )


def _none_leaked(bench: Bench) -> Finding:
    asides, window = bench.talk.asides, bench.micros("window_default")
    watched = bench.end - (bench.talk.started or 0)
    if watched < window:
        return bench.short(f"watched for {seconds(watched)} only")
    if asides.dropped:
        return bench.short(f"{asides.dropped} lines of output were more than is kept, and were not looked at")
    said = f"no credential in any URL, nor in {asides.lines} line(s) of output"
    return bench.ok(Form.RESTRAINT, said, spare=watched - window)
