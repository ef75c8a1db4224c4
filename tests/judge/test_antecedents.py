"""Why a row could not be asked: looked up in the trace, and never refuted by it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest
from asked import asked_for
from brokercert.engine.play.scenario import load_dialect
from brokercert.judge import judge_trace
from brokercert.judge.silence import NOTHING_TO_JUDGE
from brokercert.requirements import NONE, load_set
from brokercert.sets import own_sets
from brokercert.trace import records as r
from brokercert.verdict import Finding, Verdict
from talks import S, Talk, alone, authorize, healthy, sync, valid
from traces import rows_of
from ways_back import back, ended, logged_in

SET = "tradovate-stage2"
ROWS = rows_of(SET)
JUDGING = load_dialect(SET).judging
ALL = ("wire", "report", "snapshot", "request", "stop", "tokens", "process", "orders")


def nobody() -> Talk:
    talk = Talk(ends=40 * S)
    talk.told.append(r.SubjectStarted(t=0))
    return talk


def asked_to_authorize() -> Talk:
    talk = alone(40)
    authorize(talk, 2)
    return talk


def refused() -> Talk:
    talk = alone(40)
    authorize(talk, 2, s=401, d="Access is denied")
    return talk


def lost(*, attempt: bool) -> Talk:
    talk = logged_in(60, synced=False)
    ended(talk, 20)
    if attempt:
        talk.told += [r.Accepted(t=22 * S, conn=2), r.Ended(t=23 * S, conn=2, by="client", how="fin")]
    return talk


def came_back() -> Talk:
    talk = logged_in(60)
    ended(talk, 20)
    back(talk, 22)
    return talk


def ticketed(*, retry: bool) -> Talk:
    talk = logged_in(60, synced=False)
    sync(talk, 3, d={"p-ticket": "«ticket#1»", "p-time": 4, "p-captcha": False})
    if retry:
        sync(talk, 8, ident=2, ticket="«ticket#1»", d={})
    return talk


def shut_down() -> Talk:
    talk = logged_in(60)
    talk.broker(9 * S, 1, {"e": "shutdown", "d": {"reasonCode": "Maintenance", "reason": ""}})
    return talk


# Of each antecedent: a trace in which it came, and one that lacks it alone.
CAME: dict[str, tuple[Callable[[], Talk], Callable[[], Talk]]] = {
    "connected": (lambda: alone(40), nobody),
    "authorize-sent": (asked_to_authorize, lambda: alone(40)),
    "authorized": (lambda: logged_in(40, synced=False), asked_to_authorize),
    "request-after-authorize": (logged_in, lambda: logged_in(40, synced=False)),
    "synced": (logged_in, lambda: logged_in(40, synced=False)),
    "refused": (refused, asked_to_authorize),
    "second-attempt": (lambda: lost(attempt=True), lambda: lost(attempt=False)),
    "reauthorized": (came_back, lambda: lost(attempt=True)),
    "retry": (lambda: ticketed(retry=True), lambda: ticketed(retry=False)),
    "shutdown": (shut_down, logged_in),
}


def folded(talk: Talk) -> Any:
    return JUDGING.folded(talk.trace())


def test_each_antecedent_has_both_traces() -> None:
    assert set(CAME) == set(ROWS.antecedents)


@pytest.mark.parametrize("set_id", own_sets())
def test_each_antecedent_of_a_set_can_be_looked_up(set_id: str) -> None:
    assert set(load_dialect(set_id).judging.antecedents) == set(load_set(set_id).antecedents)


@pytest.mark.parametrize("name", CAME)
def test_an_antecedent_is_there_where_it_came_and_nowhere_else(name: str) -> None:
    came, missing = CAME[name]
    assert JUDGING.antecedents[name].came(folded(came()))
    assert not JUDGING.antecedents[name].came(folded(missing()))


def said(talk: Talk, row: str) -> list[Finding]:
    found = talk.findings(exercises=(row,), offers=ALL, scenario="s")
    return [one for one in found if one.requirement == row]


@pytest.mark.parametrize("row", [row for row in ROWS.rows if row.antecedent != NONE], ids=lambda row: row.id)
def test_a_row_is_never_said_to_lack_what_its_trace_holds(row: Any) -> None:
    came, _ = CAME[row.antecedent]
    for finding in said(came(), row.id):
        assert JUDGING.antecedents[row.antecedent].missing not in finding.observed


@pytest.mark.parametrize("row", [row for row in ROWS.rows if row.antecedent != NONE], ids=lambda row: row.id)
def test_a_row_whose_antecedent_never_came_is_not_passed(row: Any) -> None:
    _, missing = CAME[row.antecedent]
    verdicts = {finding.verdict for finding in said(missing(), row.id)}
    assert verdicts <= {Verdict.BLOCKED, Verdict.NOT_OBSERVED, Verdict.NOT_APPLICABLE, Verdict.FAIL, Verdict.WARNING}


TALKS = {
    **{f"{name}-{n}": talk for name, pair in CAME.items() for n, talk in enumerate(pair)},
    "asked-for": asked_for,
    **{f"valid-{seed}": (lambda seed=seed: valid(seed, 2)) for seed in range(5)},
}


@pytest.mark.parametrize("name", TALKS)
def test_no_row_blocks_that_passed_in_that_trace(name: str) -> None:
    trace = TALKS[name]().trace(exercises=tuple(ROWS.by_id), offers=ALL)
    found = judge_trace(trace, ROWS, JUDGING)
    verdicts: dict[str, set[Verdict]] = {}
    for one in found:
        verdicts.setdefault(one.requirement, set()).add(one.verdict)
    for one in found:
        if one.blocked_by:
            assert verdicts.get(one.blocked_by) != {Verdict.PASS}, one


def test_what_a_scenario_waited_for_in_vain_is_the_reason_and_its_row_the_blocker() -> None:
    talk = logged_in(60, synced=False)
    healthy(talk, 60)
    for at in range(2 * S, 60 * S, 5 * S // 2):
        talk.client(at, 1, "[]")
    talk.told.append(r.Left(t=55 * S, text="no sync request was answered", row="EVT-020"))
    [finding] = said(talk, "HBT-030")
    assert (finding.verdict, finding.blocked_by) == (Verdict.BLOCKED, "EVT-020")
    assert finding.observed == "could not be asked: no sync request was answered (EVT-020 failed)"


def test_a_scenario_that_went_no_further_without_anybodys_failure_says_why() -> None:
    talk = logged_in(60)
    talk.told.append(r.Left(t=15 * S, text="no request came of the command"))
    [finding] = said(talk, "REQ-020")
    assert finding.verdict is Verdict.NOT_OBSERVED and not finding.blocked_by
    assert finding.observed == "the scenario went no further: no request came of the command"


def test_where_the_antecedent_came_and_nothing_is_said_nobody_is_blamed() -> None:
    [finding] = said(logged_in(60), "HBT-030")
    assert (finding.verdict, finding.observed) == (Verdict.NOT_OBSERVED, NOTHING_TO_JUDGE)


def test_a_crash_is_told_whatever_could_not_be_asked() -> None:
    talk = lost(attempt=False)
    talk.told.append(r.SubjectOutput(t=20 * S, stream="err", text="RuntimeError: out of range"))
    talk.exit(21 * S, 1)
    [finding] = said(talk, "REC-020")
    assert "exited with status 1 at 21.000 s" in finding.observed
    assert "RuntimeError: out of range" in finding.observed
