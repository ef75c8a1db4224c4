"""The independent reader: it takes what is true, and refutes a sentence that was made false in any one word."""

from __future__ import annotations

import re
import tempfile
from functools import cache
from itertools import pairwise
from pathlib import Path

import pytest
from brokercert.engine.play.scenario import load_suite
from brokercert.engine.run.run import RunRequest
from brokercert.engine.run.virtual_run import play_alone
from brokercert.judge import judge_trace
from brokercert.matrix.subjects import REFERENCE, subject_named
from brokercert.matrix.truth.claims import CLAIMS
from brokercert.matrix.truth.reader import uncited, understood, untrue
from brokercert.matrix.truth.spread import APART, LATE, spread
from brokercert.requirements import load_set
from brokercert.trace import Trace, trace_of
from brokercert.trace import records as r
from brokercert.verdict import Finding, Verdict
from msgspec.structs import replace

TWICE_TIMED = r.Fault | r.Window | r.Stall  # they tell of a second moment
STAGE2, ARROW = "tradovate-stage2", "arrow-orders"
# Each with the defect that makes the judge say most of it.
PLAYED = [
    (STAGE2, REFERENCE, "steady"),
    (STAGE2, REFERENCE, "silent-dead"),
    (STAGE2, REFERENCE, "outage-upgrade"),
    (ARROW, REFERENCE, "silence"),
    (ARROW, REFERENCE, "steady"),
]


@cache
def played(set_id: str, subject: str, scenario: str) -> tuple[Trace, tuple[Finding, ...]]:
    rows, suite = load_set(set_id), load_suite(set_id)
    request = RunRequest(set_id, subject_named(set_id, subject), tier="virtual")
    with tempfile.TemporaryDirectory() as folder:
        trace = play_alone(suite.by_name(scenario), request, rows, "test", Path(folder)).trace
    return trace, tuple(judge_trace(trace, rows, suite.dialect.judging))


def all_played() -> list[tuple[Trace, tuple[Finding, ...]]]:
    names = {set_id: {s.name for s in load_suite(set_id).scenarios} for set_id in (STAGE2, ARROW)}
    return [played(*one) for one in PLAYED if one[2] in names[one[0]]]


def test_what_is_true_is_not_refuted() -> None:
    for trace, findings in all_played():
        assert untrue(trace, list(findings)) == []


def test_what_was_held_back_a_moment_after_its_cause_was_held_back_as_long() -> None:
    """A finding cites the request whose answer was held back; on a busy machine the record of that comes later."""
    trace, findings = played(STAGE2, REFERENCE, "answer-held")
    said = [one for one in findings if "held back for" in one.observed]
    assert said
    late = [replace(x, t=x.t + 2_000) if isinstance(x, r.Withheld | r.Released) else x for x in trace.records]
    assert untrue(trace_of(trace.header, late), said) == []
    longer = [replace(one, observed=re.sub(r"\d\.\d{3} s", "9.013 s", one.observed)) for one in said]
    assert len(untrue(trace_of(trace.header, late), longer)) >= len(said)


@pytest.mark.parametrize("scenario", ["steady", "silent-dead", "idle-close", "order-in-flight-lost"])
def test_a_trace_that_was_spread_has_the_same_records_in_their_order_none_at_one_moment(scenario: str) -> None:
    trace, _ = played(STAGE2, REFERENCE, scenario)
    later = spread(trace)
    assert later is not None
    assert [replace(x, t=0) for x in later.records if not isinstance(x, TWICE_TIMED)] == [
        replace(x, t=0) for x in trace.records if not isinstance(x, TWICE_TIMED)
    ]
    assert all(b.t - a.t >= APART for a, b in pairwise(later.records))
    assert 0 <= later.records[-1].t - trace.records[-1].t <= LATE
    for a, b in zip(trace.records, later.records, strict=True):
        if isinstance(a, r.Window) and isinstance(b, r.Window):
            assert b.since >= a.since


def test_a_trace_of_too_many_records_is_not_spread() -> None:
    trace, _ = played(STAGE2, REFERENCE, "steady")
    assert spread(trace_of(trace.header, trace.records * (LATE // APART))) is None


def test_what_is_counted_from_another_record_of_the_same_moment_is_refuted_once_it_is_spread() -> None:
    """In virtual time the rule that ends a socket and its close frame share a moment."""
    trace, _ = played(STAGE2, "never-reconnects", "idle-close")
    rows, suite = load_set(STAGE2), load_suite(STAGE2)

    def told(trace: Trace) -> Finding:
        found = judge_trace(trace, rows, suite.dialect.judging)
        return next(x for x in found if x.requirement == "HBT-060" and x.verdict is Verdict.FAIL)

    later = spread(trace)
    assert later is not None
    for one, refuted in ((trace, False), (later, True)):
        said = told(one)
        first = replace(said, evidence=said.evidence[:1])
        assert (untrue(one, [said]), bool(untrue(one, [first]))) == ([], refuted)


def test_a_duration_that_is_not_between_two_records_is_refuted() -> None:
    trace, findings = played(STAGE2, REFERENCE, "silent-dead")
    said = [one for one in findings if re.search(r"\d+\.\d{3} s", one.observed)]
    assert said
    for one in said:
        longer = re.sub(r"(\d+\.\d{3}) s", lambda m: f"{float(m[1]) + 7.013:.3f} s", one.observed, count=1)
        assert untrue(trace, [replace(one, observed=longer)]), longer
        negative = re.sub(r"(\d+\.\d{3} s)", r"-\1", one.observed, count=1)
        assert untrue(trace, [replace(one, observed=negative)]), negative


@pytest.mark.parametrize(
    "sentence",
    [
        "the client ended connection 2 (fin)",
        "connection 99: correct",
        "the client exited with status 3 at 1.000 s",
        "the client was ended by signal 9 at 1.000 s",
        "a second authorize on connection 1, 5.000 s after the first",
        "2 sync requests on connection 1, 5.000 s apart",
        "one sync on each of 9 socket(s)",
        "no heartbeat in 60.000 s",
        "«access-token#1» in its output",
        "«access-token#1» in a URL",
        "the refused token «access-token#1» was sent 7 times",
        "its antecedent (authorized) never came",
        "its antecedent (connected) never came",
        "its antecedent (synced) never came",
        "the client closed with 4999 and left",
        "99 attempts in 0.001 s",
        "at most 1 heartbeats in 20 s on an authorized socket",
        "99 requests on a connection, no id twice",
        "the first request on new connection 1 was `user/syncrequest`",
        "7 shards, each once",
        "a snapshot of 99.0 MiB was taken",
        "`order/list` was sent on connection 1, 5.000 s after its token had been refused",
        "`reconnect` was raised 99 times",
    ],
)
def test_a_planted_lie_is_refuted(sentence: str) -> None:
    trace, findings = played(STAGE2, REFERENCE, "steady")
    lie = replace(findings[0], observed=sentence, evidence=tuple(findings[0].evidence) or (1,), verdict=Verdict.FAIL)
    assert understood(sentence)
    assert untrue(trace, [lie]), sentence


def test_a_record_that_is_not_there_is_no_evidence() -> None:
    trace, findings = played(STAGE2, REFERENCE, "steady")
    assert untrue(trace, [replace(findings[0], evidence=(len(trace.records) + 1,))])
    assert untrue(trace, [replace(findings[0], evidence=(0,))])


def test_a_row_that_passed_blocks_nothing_and_one_that_failed_did() -> None:
    trace, findings = played(STAGE2, REFERENCE, "steady")
    passed = next(one for one in findings if one.verdict is Verdict.PASS)
    blocked = replace(passed, requirement="X", verdict=Verdict.BLOCKED, blocked_by=passed.requirement, observed="")
    assert untrue(trace, [passed, blocked])
    failed = replace(blocked, observed=f"could not be asked: {passed.requirement} failed")
    assert len(untrue(trace, [passed, failed])) == 2
    assert untrue(trace, [replace(passed, verdict=Verdict.FAIL), failed]) == []


def test_every_phrase_has_a_pattern_of_its_own() -> None:
    assert len({pattern.pattern for pattern, _ in CLAIMS}) == len(CLAIMS)
    assert not understood("something else")


def test_a_pass_that_cites_nothing_is_told() -> None:
    _, findings = played(STAGE2, REFERENCE, "steady")
    one = next(x for x in findings if x.verdict is Verdict.PASS)
    assert uncited([replace(one, evidence=())]) and not uncited([replace(one, evidence=(1,))])


def test_the_reader_shares_no_code_with_the_judge() -> None:
    sources = list(Path(untrue.__code__.co_filename).parent.glob("*.py"))
    assert len(sources) > 2 and all("brokercert.judge" not in source.read_text("utf-8") for source in sources)
