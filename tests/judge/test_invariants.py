"""Invariants are judged in every trace: what breaks one, by hand, in a scenario that lists no row at all."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import arrow_talks
import pytest
from asked import answer, asked_for, outcome
from brokercert.engine.play.scenario import load_suite
from brokercert.judge import judge_rows, judge_trace
from brokercert.judge.plays import combined
from brokercert.requirements import load_set
from brokercert.sets import own_sets
from brokercert.trace import Trace, trace_of
from brokercert.trace import records as r
from brokercert.verdict import Finding, Level, Verdict
from talks import OLD, S, Talk, alone, authorize, healthy, sync, valid
from traces import header
from ways_back import back, ended, logged_in

ALL = ("wire", "report", "snapshot", "request", "stop", "tokens", "shards", "orders")
WHOLE = {"expressionType": "modAccountId", "divisor": 1, "remainder": 0}
NOWHERE = "a-scenario-that-lists-no-row"


def authorized_twice() -> Talk:
    talk = logged_in(30)
    authorize(talk, 5, ident=7)
    return talk


def authorized_before_open() -> Talk:
    talk = alone(30, opens=False)
    talk.told.append(r.Withheld(t=S, conn=1, what="o"))
    authorize(talk, 2, s=200)
    return talk


def token_printed() -> Talk:
    talk = logged_in(30)
    talk.told.append(r.SubjectOutput(t=9 * S, stream="err", text=f"login with {OLD}"))
    return talk


def id_twice() -> Talk:
    talk = logged_in(30)
    talk.client(9 * S, 1, "account/list\n1\n\n")
    return talk


def answers_confused() -> Talk:
    talk = asked_for()
    answer(talk, 20, 1)
    answer(talk, 21, 2)
    outcome(talk, 22, 1, item=2)
    outcome(talk, 22, 2)
    return talk


def error_taken_for_success() -> Talk:
    talk = asked_for()
    answer(talk, 20, 1, errorText="no")
    outcome(talk, 21, 1)
    return talk


def flood() -> Talk:
    talk = logged_in(60)
    for at in range(10 * S, 30 * S, S // 4):
        talk.client(at, 1, "[]")
    return talk


def synced_twice() -> Talk:
    talk = logged_in(60)
    sync(talk, 9, ident=8, d={})
    return talk


def synced_unauthorized() -> Talk:
    talk = alone(60)
    sync(talk, 2, ident=1, d={})
    authorize(talk, 3, ident=2, s=200)
    return talk


def synced_wrongly(**body: Any) -> Talk:
    talk = logged_in(60, synced=False)
    sync(talk, 3, body=body, d={})
    return talk


def ticket() -> dict[str, Any]:
    return {"p-ticket": "«ticket#1»", "p-time": 4, "p-captcha": False}


def retried_without_its_ticket() -> Talk:
    talk = logged_in(60, synced=False)
    sync(talk, 3, d=ticket())
    sync(talk, 8, ident=2, d={})
    return talk


def ticket_back_at_once_on_the_next_socket() -> Talk:
    talk = logged_in(60, synced=False)
    sync(talk, 3, d=ticket() | {"p-time": 20})
    ended(talk, 5)
    back(talk, 6, synced=False)
    sync(talk, 8, conn=2, ticket="«ticket#1»", d={})
    return talk


def ticket_given_away() -> Talk:
    talk = logged_in(60, synced=False)
    sync(talk, 3, d=ticket())
    talk.client(8 * S, 1, 'account/list\n9\n\n{"p-ticket": "«ticket#1»"}')
    return talk


def synced_first_on_the_new_socket() -> Talk:
    talk = logged_in(60)
    healthy(talk, 20)
    ended(talk, 20)
    talk.told += [r.Accepted(t=22 * S, conn=2), *_upgraded(22 * S, 2)]
    talk.frame(22 * S, 2, "o")
    sync(talk, 23, conn=2, ident=3)
    authorize(talk, 24, conn=2, ident=4, s=200)
    return talk


def _upgraded(t: int, conn: int) -> list[Any]:
    head = r.Head(t=t, conn=conn, method="GET", target="/v1/websocket", headers=(), upgrade=True)
    return [head, r.UpgradeAnswer(t=t, conn=conn, status=101)]


def synced_twice_on_the_new_socket() -> Talk:
    talk = logged_in(80)
    ended(talk, 20)
    back(talk, 22)
    sync(talk, 30, conn=2, ident=9, d={})
    return talk


def goes_on_on_the_old_socket() -> Talk:
    talk = logged_in(80)
    talk.told.append(r.Fault(t=20 * S, requested=20 * S, name="silent-dead", conn=1))
    back(talk, 30)
    talk.client(40 * S, 1, "account/list\n55\n\n")
    talk.client(41 * S, 1, "[]")
    ended(talk, 50)
    return talk


def not_masked() -> Talk:
    talk = alone(60)
    talk.told.append(r.Violation(t=2 * S, conn=1, text="incorrect masking"))
    ended(talk, 2)
    return talk


BROKEN: dict[str, Callable[[], Talk]] = {
    "CON-060": not_masked,
    "LOG-020": authorized_twice,
    "LOG-025": authorized_before_open,
    "LOG-090": token_printed,
    "REQ-010": id_twice,
    "REQ-020": answers_confused,
    "REQ-040": error_taken_for_success,
    "HBT-070": flood,
    "EVT-010": synced_twice,
    "EVT-020": synced_unauthorized,
    "EVT-030": partial(synced_wrongly, users=[1]),
    "EVT-100": partial(synced_wrongly, accounts=[1], shardingExpression=WHOLE),
    "RLP-020": ticket_back_at_once_on_the_next_socket,
    "RLP-030": retried_without_its_ticket,
    "RLP-090": ticket_given_away,
    "REC-020": synced_first_on_the_new_socket,
    "REC-030": synced_twice_on_the_new_socket,
    "REC-060": goes_on_on_the_old_socket,
}


def arrow_trace(talk: arrow_talks.Talk, set_id: str = "arrow-orders", **changed: Any) -> Trace:
    records = [*sorted(talk.told, key=lambda x: x.t), r.Finished(t=round(talk.until * S), state="completed")]
    return trace_of(header(set_id, **{"exercises": (), "scenario": NOWHERE, **changed}), records)


def without_session() -> arrow_talks.Talk:
    talk = arrow_talks.Talk(60)
    talk.asks(1, 1, query="token=«token#1»")
    return talk


def refused() -> arrow_talks.Talk:
    talk = arrow_talks.Talk(60)
    talk.asks(1, 1, status=401)
    return talk


def session_printed() -> arrow_talks.Talk:
    talk = arrow_talks.Talk(60)
    talk.asks(1, 1)
    talk.told.append(r.SubjectOutput(t=9 * S, stream="out", text="«session#1»"))
    return talk


def not_masked_for_arrow() -> arrow_talks.Talk:
    talk = arrow_talks.Talk(60)
    talk.asks(1, 1)
    talk.told.append(r.Violation(t=2 * S, conn=1, text="incorrect masking"))
    return talk


NEWER = {"AOC-310": without_session}  # of the third edition of Arrow's page: no `appID` either
ARROW_BROKEN = {
    "AOC-010": without_session,
    "AOC-015": refused,
    "AOC-050": not_masked_for_arrow,
    "AOS-010": session_printed,
}


def traced(row: str, **changed: Any) -> Trace:
    """The trace in which that invariant is broken."""
    if row in NEWER:
        return arrow_trace(NEWER[row](), set_of(row), **changed)
    if row in ARROW_BROKEN:
        return arrow_trace(ARROW_BROKEN[row](), **changed)
    return BROKEN[row]().trace(**{"exercises": (), "offers": ALL, "scenario": NOWHERE, **changed})


def set_of(row: str) -> str:
    if row in NEWER:
        return "arrow-orders@2026"
    return "arrow-orders" if row in ARROW_BROKEN else "tradovate-stage2"


def judged(row: str, **changed: Any) -> list[Finding]:
    set_id = set_of(row)
    return judge_trace(traced(row, **changed), load_set(set_id), load_suite(set_id).dialect.judging)


# Of a row that several editions have, the first edition's: its check is one.
INVARIANTS = [row for set_id in own_sets() for row in load_set(set_id).rows if row.kind == "invariant"]
INVARIANTS = list({row.id: row for row in reversed(INVARIANTS)}.values())[::-1]
IDS = [row.id for row in INVARIANTS]


def test_each_invariant_has_its_breach_by_hand() -> None:
    assert {*BROKEN, *ARROW_BROKEN, *NEWER} == set(IDS)


@pytest.mark.parametrize("row", INVARIANTS, ids=IDS)
def test_a_breach_of_an_invariant_counts_in_a_scenario_that_does_not_list_it(row: Any) -> None:
    found = [finding for finding in judged(row.id) if finding.requirement == row.id]
    breach = Verdict.FAIL if row.level is Level.MUST else Verdict.WARNING
    assert breach in {finding.verdict for finding in found}
    assert not any(finding.verdict in (Verdict.PASS, Verdict.NOT_OBSERVED) for finding in found)
    rows = judge_rows(load_set(set_of(row.id)), found, listed={row.id: [NOWHERE, "unplayed"]}, in_part=())
    assert next(one.verdict for one in rows if one.id == row.id) is breach


@pytest.mark.parametrize("row", INVARIANTS, ids=IDS)
def test_a_breach_of_one_playing_stands_beside_one_that_says_nothing_of_the_row(row: Any) -> None:
    found = judged(row.id)
    assert {one.requirement for one in combined({1: found, 2: []})} >= {row.id}
    assert {one.requirement for one in combined({1: [], 2: found})} >= {row.id}


@pytest.mark.parametrize("seed", range(20))
def test_an_invariant_that_holds_is_not_told_where_it_is_not_listed(seed: int) -> None:
    talk = valid(seed, 2)
    assert not judge_trace(
        talk.trace(exercises=(), offers=ALL, scenario=NOWHERE),
        load_set("tradovate-stage2"),
        load_suite("tradovate-stage2").dialect.judging,
    )


EXCUSED = [(row, name) for row in INVARIANTS for name in row.excused]


@pytest.mark.parametrize(("row", "scenario"), EXCUSED, ids=[f"{row.id}-{name}" for row, name in EXCUSED])
def test_injected_hostility_excuses_a_breach_where_the_data_say_so(row: Any, scenario: str) -> None:
    assert row.id in {finding.requirement for finding in judged(row.id)}
    assert row.id not in {finding.requirement for finding in judged(row.id, scenario=scenario)}
    assert row.id not in load_suite(set_of(row.id)).by_name(scenario).exercises, "its home excuses nothing"


def test_what_a_standstill_may_have_made_elsewhere_is_open_and_played_again() -> None:
    talk = retried_without_its_ticket()
    talk.told.append(r.Stall(t=9 * S, since=2 * S))
    trace = talk.trace(exercises=(), offers=ALL, scenario=NOWHERE, limits={})
    found = judge_trace(trace, load_set("tradovate-stage2"), load_suite("tradovate-stage2").dialect.judging)
    mine = [one for one in found if one.requirement == "RLP-030"]
    assert [(one.verdict, one.stalled is not None) for one in mine] == [(Verdict.INCONCLUSIVE, True)]
    assert combined({1: found, 2: []}) == []  # the second playing was whole, and says nothing of it


def test_what_did_not_come_breaks_no_invariant_elsewhere() -> None:
    """A scenario that is not about a row need not have seen to it that the client could do what the row asks for."""
    talk = logged_in(200, synced=False)
    assert "EVT-020" not in {finding.requirement for finding in talk.findings(exercises=("LOG-010",))}
