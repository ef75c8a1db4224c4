"""Staying aboard, and leaving: FP Staying aboard."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import pairwise

from brokercert.judge.attempts import attempts_of
from brokercert.judge.check import seconds
from brokercert.verdict import Finding, Form

from ferry_broker.judge.bench import FerryBench, check


@check("FST-010")
def check_here(bench: FerryBench) -> Iterator[Finding]:
    """`here` is said every second, as long as the client is aboard."""
    most = bench.micros("here_most")
    for c in bench.talk.aboard:
        assert c.aboard is not None
        beats = [(said.t, said.record) for said in c.client_said if said.op == "here"]
        marks = [(c.aboard.t, c.aboard.record), *beats]
        until = c.last_seen(bench.end)
        late = [(a, b) for a, b in pairwise(marks) if b[0] - a[0] > most]
        if late:
            (before, one), (after, two) = late[0]
            took = bench.time("between two `here`", after - before, bench.limit("here_most"))
            yield bench.breach(Form.TIME, f"`here` after {seconds(after - before)}", "every second", [one, two], [took])
        elif until - marks[-1][0] > most:
            text = f"no `here` in {seconds(until - marks[-1][0])}{bench.exit_text()}"
            yield bench.breach(Form.ABSENCE, text, "every second", [marks[-1][1]])
        elif len(beats) > 1:
            yield bench.ok(Form.SHOWN, f"{len(beats)} times `here` on connection {c.id}", [n for _, n in beats])


@check("FST-020")
def check_comes_back(bench: FerryBench) -> Iterator[Finding]:
    """After a loss the client connects again, and not within the first half second."""
    for c in bench.talk.aboard:
        if c.loss is None or c.loss.by == "client":
            continue
        again = attempts_of(bench.talk, c.loss.t)
        waited = bench.end - c.loss.t
        if not again and waited < bench.micros("window_back"):
            yield bench.short(f"watched for {seconds(waited)} only", [c.loss.record])
        elif not again:
            text = f"not back in {seconds(waited)}{bench.exit_text()}"
            yield bench.breach(Form.ABSENCE, text, "a new connection", [c.loss.record])
        elif again[0].t - c.loss.t < bench.micros("back_least"):
            took = bench.time("from the loss to the next connection", again[0].t - c.loss.t, bench.limit("back_least"))
            text = f"back after {seconds(again[0].t - c.loss.t)}"
            yield bench.breach(
                Form.EARLY, text, "half a second later at least", [c.loss.record, again[0].record], [took]
            )
        else:
            evidence = [c.loss.record, again[0].record]
            yield bench.ok(Form.WAITED, f"back after {seconds(again[0].t - c.loss.t)}", evidence)


@check("FST-030")
def check_leaves(bench: FerryBench) -> Iterator[Finding]:
    """A client that is asked to leave sends a close frame."""
    for asked in bench.talk.stops:
        if not asked.what.judged:
            continue
        for c in bench.talk.aboard:
            if c.loss is not None and c.loss.t < asked.t:
                continue
            if c.client_close is not None:
                evidence = [asked.record, c.client_close.record]
                yield bench.ok(Form.SHOWN, f"a close frame on connection {c.id}", evidence)
            elif c.ended or bench.end - asked.t >= bench.micros("window_stop"):
                text = f"no close frame on connection {c.id}"
                yield bench.breach(Form.ABSENCE, text, "a close frame", [asked.record])
            else:
                yield bench.short(f"watched for {seconds(bench.end - asked.t)} only", [asked.record])
