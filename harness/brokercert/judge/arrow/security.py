"""Checks of the rows AOS-*: what the client prints (AR Security)."""

from __future__ import annotations

import re
from collections.abc import Iterator

from brokercert.judge.arrow.bench import BOTH, ArrowBench, check
from brokercert.judge.asides import listed
from brokercert.verdict import Finding, Form

SECRET = re.compile("«(?:part of )?(?:session|token|password|presented|request-token)#[0-9]+»")


@check("AOS-010", *BOTH)
def check_output(bench: ArrowBench) -> Iterator[Finding]:
    """No session, token or password appears in what the client prints or reports."""
    talk = bench.talk
    if not bench.asked:
        return
    found: dict[str, int] = {}  # each credential -> the line that has it first
    for number, text in talk.printed:
        for what in SECRET.findall(text):
            found.setdefault(what, number)
    if found:
        said = f"its output holds {listed(list(found))}"
        yield bench.breach(Form.CONTENT, said, "no credential in any output", sorted(set(found.values())))
        return
    said = f"{len(talk.printed)} line(s) of output, no credential among them"
    # What was searched: from the first request that brought a credential, the first line to the last.
    evidence = [bench.asked[0][1].record, *(number for number, _ in (*talk.printed[:1], *talk.printed[-1:]))]
    yield bench.ok(Form.RESTRAINT, said, evidence)
