"""Checks of the rows AOS-*: what the client prints (AR Security)."""

from __future__ import annotations

import re
from collections.abc import Iterator

from brokercert.judge.arrow.bench import ArrowBench, check
from brokercert.verdict import Finding, Form

SECRET = re.compile("«(?:session|token|password|presented)#[0-9]+»")


@check("AOS-010")
def check_output(bench: ArrowBench) -> Iterator[Finding]:
    """No session, token or password appears in what the client prints or reports."""
    talk = bench.talk
    if not talk.upgraded and not bench.asked:
        return
    for number, text in talk.printed:
        found = SECRET.search(text)
        if found:
            yield bench.breach(
                Form.CONTENT, f"its output holds {found.group()}", "no credential in any output", [number]
            )
            return
    yield bench.ok(Form.RESTRAINT, f"{len(talk.printed)} line(s) of output, no credential among them")
