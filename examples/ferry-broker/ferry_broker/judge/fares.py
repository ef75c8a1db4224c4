"""Fares: FP Fares."""

from __future__ import annotations

from collections.abc import Iterator

from brokercert.judge.check import seconds
from brokercert.verdict import Finding, Form

from ferry_broker.judge.bench import FerryBench, check


@check("FFA-010")
def check_pays(bench: FerryBench) -> Iterator[Finding]:
    """Each fare is answered by `paid` within a second, in the order in which they came."""
    most = bench.micros("pay_within")
    for c in bench.talk.aboard:
        until = c.last_seen(bench.end)
        due = [said for said in c.broker_said if said.op == "fare" and said.t + most <= until]
        paid = [said for said in c.client_said if said.op == "paid"]
        for place, fare in enumerate(due):
            answer = paid[place] if place < len(paid) else None
            if answer is None or answer.t - fare.t > most:
                text = f"fare {fare.body.get('n')} was not paid within {seconds(most)}{bench.exit_text()}"
                yield bench.breach(Form.ABSENCE, text, "`paid` within a second", [fare.record])
                return
            if answer.body.get("n") != fare.body.get("n"):
                text = f"`paid` {answer.body.get('n')!r} where fare {fare.body.get('n')} was next"
                yield bench.breach(Form.CONTENT, text, "each fare, in their order", [fare.record, answer.record])
                return
        if due:
            evidence = [due[0].record, *(said.record for said in paid[: len(due)])]
            yield bench.ok(Form.SHOWN, f"{len(due)} fare(s) paid in time and order", evidence)
