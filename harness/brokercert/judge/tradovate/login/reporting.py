"""What the user is told of a failure: S2 §1. Evidence is the client's own reports, so only a client that gives any."""

from __future__ import annotations

from collections.abc import Iterator

from brokercert.judge.buffering.late_reports import unless_held
from brokercert.judge.check import seconds
from brokercert.judge.tradovate.bench import Bench, check
from brokercert.verdict import Finding, Form


@check("LOG-045")
def check_refusal_told(bench: Bench) -> Iterator[Finding]:
    """After a refused authorize the user is told of the failure, within the minute that is watched."""
    talk = bench.talk
    refused = min((c.refused for c in talk.upgraded if c.refused), key=lambda answer: answer.record, default=None)
    if refused is None:
        return
    window = bench.micros("window_refused")
    told = next((e for e in talk.told.errors if refused.t <= e.t), None)
    if told is not None:
        text = f"the user was told {seconds(told.t - refused.t)} after the refusal"
        yield bench.ok(Form.SHOWN, text, [refused.record, told.record])
        return
    watched = bench.end - refused.t
    if watched < window and talk.exited is None:
        yield bench.short(f"watched for {seconds(watched)} after the refusal only", [refused.record])
        return
    silent = bench.breach(
        Form.ABSENCE,
        f"authorize was refused, and the user was told nothing of it in {seconds(watched)}{bench.exit_text()}",
        "a failure that the user is told of (an `error` report)",
        [refused.record],
    )
    yield unless_held(bench, silent, talk.told.late_answers("error"))
