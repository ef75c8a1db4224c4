"""Is what a finding says true? An independent reader holds its sentence against the records of its trace.

The law: it shares no code with the judge. It reads the records alone, knows no limit, and decides no verdict. It asks
what anybody could ask who has the trace beside a sentence. Is that duration the time between two records? Did that
frame come? Was nothing of that kind there? A sentence that the trace refutes is a fault of the judge. Words that it
does not know it leaves alone: `understood` says which sentences it does.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence

from brokercert.matrix.truth.claims import CLAIMS
from brokercert.matrix.truth.facts import ROUNDED, SECOND, Facts
from brokercert.trace import Trace
from brokercert.verdict import Finding, Verdict

DURATION = re.compile(r"(-?\d+\.\d{3}) s\b")
FALLEN = (Verdict.FAIL, Verdict.WARNING)
# Durations that are no time between two records: what was scripted, and what was computed from several.
COMPUTED = re.compile(
    r"ticket of [\d.]+ s|on average|the first was [\d.]+ s|`o` to authorize|[\d.]+ s of it the broker's closing"
    r"|[\d.]+ s of it in a penalty"
    r"|processed within|a median|percentile|during a penalty|before its penalty was over|no request in 3600.000 s"
    r"|in the foreground"
)


def untrue(trace: Trace, findings: Sequence[Finding]) -> list[str]:
    """What the findings on a trace say that its records refute: a line each."""
    facts = Facts(trace)
    return [
        f"{one.requirement} in {trace.header.scenario}: {why}: {one.observed}"
        for one in findings
        for why in (
            *_of_evidence(facts, one),
            *_of_durations(facts, one),
            *_of_claims(facts, one),
            *_of_blame(one, findings),
        )
    ]


def understood(sentence: str) -> bool:
    """Whether any part of a sentence is held against the trace."""
    return bool(DURATION.search(sentence)) or any(pattern.search(sentence) for pattern, _ in CLAIMS)


def _of_evidence(facts: Facts, one: Finding) -> Iterator[str]:
    if any(not 0 < n <= len(facts.times) for n in one.evidence):
        yield "it cites a record that is not there"


def _of_durations(facts: Facts, one: Finding) -> Iterator[str]:
    """A duration runs from or to a record that is cited, or the beginning or the end of the trace. One for which
    something was held back runs from the record that says so.
    """
    if COMPUTED.search(one.observed):
        return
    ends = [0, *facts.at(one.evidence), *(facts.times[-1:])]
    if "held back for" in one.observed:
        ends += facts.held
    for text in DURATION.findall(one.observed):
        took = round(float(text) * SECOND)
        if took < 0 or text.startswith("-"):
            yield f"{text} s is before its cause"
        elif took and not any(_near(facts, t + way * took) for t in ends for way in (1, -1)):
            yield f"no two records are {text} s apart, of which it cites one"


def _near(facts: Facts, t: int) -> bool:
    return any(abs(moment - t) <= ROUNDED for moment in facts.moments)


def _of_claims(facts: Facts, one: Finding) -> Iterator[str]:
    for pattern, holds in CLAIMS:
        for match in pattern.finditer(one.observed):
            if not holds(facts, one, match):
                yield f"«{match.group()}» is not so"


def _of_blame(one: Finding, findings: Sequence[Finding]) -> Iterator[str]:
    """A row that passed, and did not fail, blocks nothing; one that is said to have failed did."""
    if one.verdict is not Verdict.BLOCKED:
        return
    said = {x.verdict for x in findings if x.requirement == one.blocked_by}
    if said and said <= {Verdict.PASS}:
        yield f"{one.blocked_by} passed, and is said to block it"
    failed = re.search(r"could not be asked: (\S+) failed", one.observed)
    if failed and not any(x.requirement == failed[1] and x.verdict in FALLEN for x in findings):
        yield f"{failed[1]} is said to have failed, and did not"


def uncited(findings: Iterable[Finding]) -> list[str]:
    """Passes that cite no record: nobody can agree with them without counting the trace himself."""
    return [
        f"{x.requirement} in {x.scenario}: {x.observed}"
        for x in findings
        if x.verdict is Verdict.PASS and not x.evidence
    ]
