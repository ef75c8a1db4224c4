"""What later sockets are asked is asked of a first one, where the client has no later ones.

The law: whoever never comes back, or comes back without syncing, gets a verdict of each row that its first socket can
show, in every scenario that is met after losses. Only what a way back alone shows stays open.
"""

from __future__ import annotations

from pathlib import Path

import pytest
from brokercert.engine.play.scenario import load_suite
from brokercert.engine.run.run import RunRequest
from brokercert.engine.run.virtual_run import play_alone
from brokercert.judge import judge_trace
from brokercert.matrix.subjects import subject_named
from brokercert.requirements import load_set
from brokercert.trace import records as r
from brokercert.verdict import Finding
from brokercert_scenarios.tradovate_stage2.again import MEETINGS

SET = "tradovate-stage2"
ROWS = load_set(SET)
SUITE = load_suite(SET)
SHOWN = ("pass", "fail", "warning")
# What no first socket shows: not observed of a client that is not back.
ON_THE_WAY_BACK = {
    "REC-040": "a client that is not back has nothing to compare",
    "REC-080": "only what is told again after a way back can be processed twice",
    "REC-095": "what was asked for while the client was away is sent, or not, once it is back",
}
# Who is not back after one loss or two, and the rows by whose failure others are blocked.
GONE = {
    "never-reconnects": "REC-010",
    "does-not-resync": "REC-030",
    "never-reconnects@after-one-loss": "REC-010",
    "does-not-resync@after-one-loss": "REC-030",
}

pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")


def played(who: str, name: str, folder: Path) -> tuple[list[r.Body], list[Finding]]:
    request = RunRequest(SET, subject_named(SET, who), tier="virtual")
    trace = play_alone(SUITE.by_name(name), request, ROWS, "first", folder).trace
    assert [one.state for one in trace.records if isinstance(one, r.Finished)] == ["completed"]
    return list(trace.records), judge_trace(trace, ROWS, SUITE.dialect.judging)


@pytest.mark.parametrize("who", GONE)
@pytest.mark.parametrize("name", MEETINGS)
def test_who_has_no_later_sockets_is_judged_by_its_first(who: str, name: str, tmp_path: Path) -> None:
    _, findings = played(who, name, tmp_path)
    blockers = {one.requirement for one in findings if one.verdict.value == "fail"}
    for row in SUITE.by_name(name).exercises:
        said = [one for one in findings if one.requirement == row]
        assert said, row
        for one in said:
            if one.verdict.value == "blocked":
                assert one.blocked_by == GONE[who] and GONE[who] in blockers, one
            else:
                assert one.verdict.value in SHOWN or row in ON_THE_WAY_BACK, one


@pytest.mark.parametrize("name", [name for name, met in MEETINGS.items() if 0 not in met.losses])
def test_a_client_that_is_back_is_never_started_anew_for_it(name: str, tmp_path: Path) -> None:
    records, _ = played("reference", name, tmp_path)
    assert not [one for one in records if isinstance(one, r.Afresh)]


def test_what_was_met_once_is_not_begun_anew(tmp_path: Path) -> None:
    for name in (name for name, met in MEETINGS.items() if 0 in met.losses):
        records, _ = played("never-reconnects", name, tmp_path / name)
        assert not [one for one in records if isinstance(one, r.Afresh)], name


def test_the_trace_says_where_it_begins_anew_and_for_whom(tmp_path: Path) -> None:
    records, findings = played("never-reconnects", "pings", tmp_path)
    (anew,) = (number for number, one in enumerate(records, 1) if isinstance(one, r.Afresh))
    (said,) = (one for one in findings if one.requirement == "CON-070")
    assert said.verdict.value == "pass" and min(said.evidence) > anew
