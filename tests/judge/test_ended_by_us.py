"""What we did is never the client's doing: what follows our own end of a client neither convicts nor acquits it, and
what it owed before that still does.
"""

from __future__ import annotations

import tempfile
from functools import cache
from pathlib import Path
from random import Random
from typing import Any

import pytest
from brokercert.engine.play.scenario import load_suite
from brokercert.engine.run.run import RunRequest
from brokercert.engine.run.virtual_run import play_alone
from brokercert.judge import judge_trace
from brokercert.matrix.subjects import REFERENCE, subject_named
from brokercert.requirements import load_set
from brokercert.trace import Body, Trace, trace_of
from brokercert.trace import records as r
from brokercert.verdict import Finding, Verdict
from msgspec.structs import replace

STAGE2, ARROW = "tradovate-stage2", "arrow-orders"
S = 1_000_000
MANY = 8  # moments of each trace
PLAYED = [  # beside the stability that each is judged for: losses, penalties, requests, log-off, silence, belief
    *((STAGE2, name) for name in ("steady", "loss-fin", "sync-ticket", "token-refused", "stop-open", "silent-dead")),
    *((STAGE2, name) for name in ("request-unanswered", "malformed-json", "order-flow", "outage-refused")),
    *((ARROW, name) for name in ("outage-basic", "disconnect-open", "credentials-refused")),
]


@cache
def played(set_id: str, scenario: str) -> Trace:
    rows, suite = load_set(set_id), load_suite(set_id)
    request = RunRequest(set_id, subject_named(set_id, REFERENCE), tier="virtual")
    with tempfile.TemporaryDirectory() as folder:
        return play_alone(suite.by_name(scenario), request, rows, "test", Path(folder)).trace


def findings(set_id: str, trace: Trace) -> list[Finding]:
    return judge_trace(trace, load_set(set_id), load_suite(set_id).dialect.judging)


def ours(t: int, why: r.Why = "unasked", processes: int = 0) -> r.EndedByUs:
    return r.EndedByUs(t=t, why=why, processes=processes)


def open_at(records: list[Body]) -> list[int]:
    """Connections that nobody had ended by then."""
    accepted = [x.conn for x in records if isinstance(x, r.Accepted)]
    over = {x.conn for x in records if isinstance(x, r.Ended)}
    return [conn for conn in accepted if conn not in over]


def aftermath(records: list[Body], rng: Random) -> list[Body]:
    """Whatever a client's end may look like from outside, in any order; its daemon may even come back."""
    t = records[-1].t
    after: list[Body] = [r.SubjectExited(t=t, code=rng.choice([-9, 0, 1]), asked=False)]
    for conn in open_at(records):
        code, text = rng.choice([1000, 4000, None]), rng.choice(["[]", "PONG", "authorize\n7\n\nx", "rubbish"])
        some: list[Body] = [
            r.Frame(t=t, conn=conn, sender="client", ordinal=999, opcode=1, text=text),
            r.Frame(t=t, conn=conn, sender="client", ordinal=1000, opcode=8, code=code),
            r.Violation(t=t, conn=conn, text="half a frame"),
        ]
        after += rng.sample(some, rng.randint(0, len(some)))
        after.append(r.Ended(t=t, conn=conn, by="client", how=rng.choice(("fin", "rst"))))
    rng.shuffle(after)
    if rng.random() < 0.5:
        new = max((x.conn for x in records if isinstance(x, r.Accepted)), default=0) + 1
        after.append(r.Accepted(t=t, conn=new))
        after.append(r.Head(t=t, conn=new, method="GET", target="/", headers=(), upgrade=True))
        after.append(r.Ended(t=t, conn=new, by="client", how="fin"))
    return [replace(record, t=t + place * rng.randint(0, S)) for place, record in enumerate(after)]


def ended(trace: Trace, records: list[Body], after: list[Body]) -> Trace:
    done = r.Finished(t=max(x.t for x in [*records, *after]), state="completed")
    return trace_of(trace.header, [*records, *after, done])


@pytest.mark.parametrize(("set_id", "scenario"), PLAYED, ids=[name for _, name in PLAYED])
def test_nothing_that_follows_our_own_end_of_a_client_changes_a_finding(set_id: str, scenario: str) -> None:
    """Cut anywhere, the trace says the same whether it simply ends there or we ended the client and it did anything."""
    trace = played(set_id, scenario)
    rng = Random(scenario)
    body = [x for x in trace.records if not isinstance(x, r.Finished)]
    first = next(number for number, x in enumerate(body, 1) if isinstance(x, r.SubjectStarted))
    for place in rng.sample(range(first, len(body) + 1), min(MANY, len(body) - first)):
        before = list(body[:place])
        end = ours(before[-1].t)
        expected = findings(set_id, ended(trace, [*before, end], []))
        assert expected == findings(set_id, ended(trace, [*before, end], aftermath([*before, end], rng)))
        assert expected == findings(set_id, ended(trace, before, []))


def test_it_was_our_record_that_kept_the_end_from_convicting() -> None:
    """The same bytes on the wire without it: as traces of before it are judged, and a crash is."""
    trace = played(STAGE2, "steady")
    before = [x for x in trace.records if x.t <= 40 * S]
    (conn,) = open_at(before)
    fin, gone = r.Ended(t=41 * S, conn=conn, by="client", how="fin"), r.SubjectExited(t=42 * S, code=-9, asked=False)
    fell = {f.requirement for f in findings(STAGE2, ended(trace, before, [fin, gone])) if f.verdict is Verdict.FAIL}
    assert "LOG-060" in fell
    spared = findings(STAGE2, ended(trace, [*before, ours(40 * S)], [fin, gone]))
    assert not [f for f in spared if f.verdict is Verdict.FAIL]


@pytest.mark.parametrize(
    ("set_id", "scenario", "row"), [(STAGE2, "stop-open", "OFF-010"), (ARROW, "disconnect-open", "AOC-040")]
)
@pytest.mark.parametrize(("waited", "verdict"), [(15.1, Verdict.FAIL), (1.0, Verdict.NOT_OBSERVED)])
def test_a_log_off_that_was_owed_before_is_still_owed(
    set_id: str, scenario: str, row: str, waited: float, verdict: Verdict
) -> None:
    trace = played(set_id, scenario)
    asked = next(x for x in trace.records if isinstance(x, r.StopAsked))
    before = [*trace.records[: trace.records.index(asked) + 1], ours(asked.t + round(waited * S), "asked")]
    after = [r.Ended(t=before[-1].t, conn=conn, by="client", how="fin") for conn in open_at(before)]
    after.append(r.SubjectExited(t=before[-1].t, code=-9, asked=True))
    found = findings(set_id, ended(trace, before, after))
    assert {f.verdict for f in found if f.requirement == row} == {verdict}


def gone(trace: Trace, at: int, code: int, *, asked: bool = False, lives: bool = True) -> Trace:
    """Its program leaves at `at`, after a judged stop where it was asked; we end the rest of it 2 s later."""
    before: list[Any] = [x for x in trace.records if x.t <= at]
    if asked:
        before.append(r.StopAsked(t=at, how="signal"))
    ends = [r.Ended(t=at, conn=conn, by="client", how="fin") for conn in open_at(before)]
    before += [] if lives else ends
    before += [r.SubjectExited(t=at, code=code, asked=asked), ours(at + 2 * S, "left-over", 1)]
    return ended(trace, before, ends if lives else [])


def test_a_client_in_the_background_is_told_so_and_not_convicted_of_its_end() -> None:
    whole = played(STAGE2, "steady")
    started = next(place for place, x in enumerate(whole.records, 1) if isinstance(x, r.SubjectStarted))
    for trace in (whole, Trace(whole.header, whole.records[:started])):  # logged in, or not connected yet
        found = findings(STAGE2, gone(trace, 20 * S, 0))
        assert not [f for f in found if f.verdict is Verdict.FAIL]
        told = [f for f in found if f.requirement in ("LOG-010", "LOG-060") and f.verdict is Verdict.NOT_OBSERVED]
        assert told and all("keep the client in the foreground" in f.observed for f in told)


@pytest.mark.parametrize("code", [0, 1, -11])
def test_a_client_whose_connection_ended_with_it_is_convicted_whatever_helper_it_left_behind(code: int) -> None:
    found = findings(STAGE2, gone(played(STAGE2, "steady"), 20 * S, code, lives=False))
    assert any(f.requirement == "LOG-060" and f.verdict is Verdict.FAIL for f in found)


def test_who_connects_after_its_program_left_goes_on() -> None:
    """Its first connection ended with the program; the second it had not long enough to make."""
    trace = gone(played(STAGE2, "steady"), 20 * S, 0, lives=False)
    place = next(place for place, x in enumerate(trace.records, 1) if isinstance(x, r.SubjectExited))
    again = r.Accepted(t=21 * S, conn=2)
    came_back = Trace(trace.header, (*trace.records[:place], again, *trace.records[place:]))
    folded = load_suite(STAGE2).dialect.judging.folded
    assert folded(trace).background is None
    assert folded(came_back).background is not None


@pytest.mark.parametrize(("code", "asked", "died"), [(0, False, False), (1, False, True), (-15, True, False)])
def test_a_crash_is_a_crash_though_a_child_of_it_holds_its_connection(code: int, asked: bool, died: bool) -> None:
    talk = load_suite(STAGE2).dialect.judging.folded(gone(played(STAGE2, "steady"), 20 * S, code, asked=asked))
    assert (talk.died() is not None, talk.background is None) == (died, died)


def test_a_wrapper_that_left_alone_shows_no_log_off() -> None:
    """It was asked and went; what it had wrapped held the connection until we ended it, before its time was over."""
    trace = played(STAGE2, "stop-open")
    asked = next(x for x in trace.records if isinstance(x, r.StopAsked))
    short = Trace(trace.header, trace.records[: trace.records.index(asked)])
    found = [f for f in findings(STAGE2, gone(short, asked.t, -15, asked=True)) if f.requirement == "OFF-010"]
    assert {f.verdict for f in found} == {Verdict.NOT_OBSERVED}, found
