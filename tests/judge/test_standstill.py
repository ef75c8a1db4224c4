"""What a standstill of the harness may have made: no row falls for it, and no defect hides behind it."""

from __future__ import annotations

import ast
import inspect
import json
from collections.abc import Callable
from pathlib import Path

import brokercert.judge
import pytest
from brokercert.judge.standstill import NOTICED, Standstills, made_by_client, made_by_clients
from brokercert.trace import records as r
from brokercert.trace import trace_of
from brokercert.verdict import Finding, Form, Verdict, worst
from hypothesis import given, settings
from hypothesis import strategies as st
from mock_bench import header
from talks import JUDGING, OLD, ROWS, S, Talk, alone, authorize, opened, sync, valid

MOST = settings(max_examples=40, deadline=None, derandomize=True)
WATCHDOG = 7.5  # seconds: the official client's, the shortest that is legal
NOTICE = ROWS.limit("stall_noticed")
LATE = ROWS.limit("stall_late")
FLIGHT = ROWS.limit("stall_flight")
OWED = ROWS.limit("stall_owed")


def stall(since: float, until: float, **used: float) -> r.Stall:
    return r.Stall(since=round(since * S), t=round(until * S), **used)  # type: ignore[arg-type]


def of(talk: Talk, row: str, **changed: object) -> list[Finding]:
    changed = {"offers": ("wire", "stop", "tokens", *ROWS.by_id[row].needs), **changed}
    return [finding for finding in talk.findings(**changed) if finding.requirement == row]


# No row of a correct client falls for a standstill.


def stood_still(seed: int, length: float, *, together: bool) -> Talk:
    """A correct client's conversation in which the harness stood still for so many seconds.

    What the client did meanwhile is read at the end; what the broker had to say is said then. A client whose watchdog
    ran out has left, and comes back within ten seconds; one that was stopped too leaves when it goes on.
    """
    talk = valid(seed, 1)
    life = talk.lives[0]
    since = life.synced + 21 * S + seed % 7 * S
    until = since + round(length * S)
    told: list[r.Record] = []
    heard = max(x.t for x in talk.told if isinstance(x, r.Frame) and x.sender == "broker" and x.t <= since)
    watchdog = heard + round(WATCHDOG * S)
    left = watchdog < until
    for x in talk.told:
        if not since < x.t:
            told.append(x)
        elif x.t <= until:
            asleep = together and isinstance(x, r.Frame) and x.sender == "client"
            gone = left and isinstance(x, r.Frame) and (x.sender == "broker" or x.t > watchdog)
            if not asleep and not gone:
                told.append(type(x)(**{name: getattr(x, name) for name in x.__struct_fields__} | {"t": until}))
        elif not left:
            told.append(x)
    talk.told = told  # type: ignore[assignment]
    talk.told.append(stall(since / S, until / S))
    if left:
        talk.told.append(r.Frame(t=until, conn=1, sender="client", ordinal=0, opcode=8, text="", code=4000))
        talk.told.append(r.Ended(t=until, conn=1, by="client", how="fin"))
        back = until / S + 1 + seed % 9
        opened(talk, round(back * S), 2)
        authorize(talk, back + 0.1, conn=2, s=200)
        sync(talk, back + 0.2, conn=2, d={})
        for beat in range(30):
            talk.client(round((back + 0.3 + beat * 2.4) * S), 2, "[]")
            talk.frame(round((back + 0.4 + beat * 2.4) * S), 2, "h")
        talk.ends = round((back + 72) * S)
    return talk


@MOST
@given(st.integers(0, 1 << 32), st.floats(0.3, 30), st.booleans())
def test_no_row_of_a_correct_client_falls_for_a_standstill(seed: int, length: float, together: bool) -> None:
    assert stood_still(seed, length, together=together).fallen() == {}


@MOST
@given(st.integers(0, 1 << 32), st.floats(9, 30))
def test_the_gap_in_the_brokers_own_messages_excuses_it_where_no_standstill_was_told(seed: int, length: float) -> None:
    """As in traces of before standstills were records: no server is called healthy that was silent for so long."""
    talk = stood_still(seed, length, together=False)
    talk.drop(lambda x: isinstance(x, r.Stall))
    assert "LOG-060" not in talk.fallen()


# No defect hides behind one.


def prints_its_token(talk: Talk) -> None:
    talk.told.append(r.SubjectOutput(t=30 * S, stream="out", text=f"token {OLD}"))


def reuses_its_id(talk: Talk) -> None:
    talk.client(30 * S, 1, "account/list\n1\n\n")


def syncs_without_types(talk: Talk) -> None:
    talk.drop(lambda x: isinstance(x, r.Frame) and "user/syncrequest" in (x.text or ""))
    sync(talk, 3, body={"users": [1], "entityTypes": ["order"]}, d={})


WRONG: dict[str, Callable[[Talk], None]] = {
    "LOG-090": prints_its_token,
    "REQ-010": reuses_its_id,
    "EVT-030": syncs_without_types,
}


def healthy(until: float) -> Talk:
    """A client that logs in and stays."""
    talk = alone(until)
    authorize(talk, 2, s=200)
    sync(talk, 3, d={})
    for beat in range(int((until - 3) / 2.4)):
        talk.client(round((3.3 + beat * 2.4) * S), 1, "[]")
        talk.frame(round((3.4 + beat * 2.4) * S), 1, "h")
    return talk


@pytest.mark.parametrize("row", WRONG)
def test_what_a_frame_or_an_output_holds_is_judged_whatever_stood_still(row: str) -> None:
    talk = healthy(80)
    WRONG[row](talk)
    talk.told.append(stall(0, 80))
    assert {finding.verdict for finding in of(talk, row)} & {Verdict.FAIL, Verdict.WARNING}


# From both sides of each border, ten per cent apart.


def hung_up(at: float = 60) -> Talk:
    """A client that ends its connection by itself."""
    talk = healthy(at)
    talk.ends = round((at + 30) * S)
    talk.told.append(r.Frame(t=round(at * S), conn=1, sender="client", ordinal=0, opcode=8, text="", code=1000))
    return talk


def stalled(talk: Talk, since: float, length: float, row: str = "LOG-060") -> Finding:
    talk.told.append(stall(since, since + length))
    (finding,) = [one for one in of(talk, row) if one.form not in (None, Form.SHOWN)]
    return finding


@pytest.mark.parametrize(("length", "verdict"), [(0.9, Verdict.FAIL), (1.1, Verdict.INCONCLUSIVE)])
def test_an_ending_is_excused_by_a_standstill_that_a_watchdog_notices(length: float, verdict: Verdict) -> None:
    finding = stalled(hung_up(), 40, NOTICE * length)
    assert finding.verdict is verdict
    assert (finding.stalled is None) is (verdict is Verdict.FAIL)


def test_the_reason_says_from_when_to_when_the_harness_stood_still() -> None:
    finding = stalled(hung_up(), 40, 12)
    assert "the harness stood still from 40.0 s to 52.0 s of the scenario" in finding.observed
    assert "the client ended connection 1" in finding.observed
    assert finding.stalled == (40.0, 52.0)


def test_what_the_machine_slept_counts_though_its_clock_did_not_go() -> None:
    talk = hung_up()
    talk.told.append(stall(40, 40.1, suspended=600.0))
    (finding,) = [one for one in of(talk, "LOG-060") if one.form is Form.ENDING]
    assert finding.verdict is Verdict.INCONCLUSIVE
    assert "the machine slept for 600.0 s" in finding.observed


def test_a_standstill_after_the_breach_excuses_nothing() -> None:
    assert stalled(hung_up(), 61, 12).verdict is Verdict.FAIL


@pytest.mark.parametrize(("before", "verdict"), [(0.9, Verdict.INCONCLUSIVE), (1.1, Verdict.FAIL)])
def test_a_client_may_answer_for_a_standstill_for_as_long_as_recovery_may_take(before: float, verdict: Verdict) -> None:
    """It ended before the socket was authorized: so long before the window of the finding."""
    talk = hung_up(50)
    shifted = 100 * S  # so that there is room before it
    talk.told = [type(x)(**{n: getattr(x, n) for n in x.__struct_fields__} | {"t": x.t + shifted}) for x in talk.told]
    talk.told.append(r.SubjectStarted(t=0))
    talk.ends += shifted
    granted = 102.01
    assert stalled(talk, granted - OWED * before - 12, 12).verdict is verdict


@pytest.mark.parametrize(("length", "verdict"), [(0.9, Verdict.FAIL), (1.1, Verdict.INCONCLUSIVE)])
def test_an_absence_is_excused_by_a_standstill_longer_than_what_is_waited_beyond_the_limit(
    length: float, verdict: Verdict
) -> None:
    talk = alone(80)
    assert stalled(talk, 20, LATE * length, "LOG-030").verdict is verdict


@pytest.mark.parametrize(("length", "verdict"), [(0.9, Verdict.FAIL), (1.1, Verdict.INCONCLUSIVE)])
def test_what_came_again_is_excused_by_a_standstill_longer_than_what_was_under_way(
    length: float, verdict: Verdict
) -> None:
    talk = alone(90)
    authorize(talk, 2, s=401)
    talk.client(5 * S, 1, "account/list\n7\n\n")
    assert stalled(talk, 4, FLIGHT * length, "LOG-040").verdict is verdict


def test_a_pass_by_restraint_over_a_standstill_is_none() -> None:
    calm = healthy(64)  # watched for 62 s, of which 60 are asked
    assert {one.verdict for one in of(calm, "LOG-060")} == {Verdict.PASS}
    assert stalled(healthy(64), 50, 2.5).verdict is Verdict.INCONCLUSIVE


@pytest.mark.parametrize(
    ("until", "length", "verdict"),
    [
        (64, 1.8, Verdict.PASS),
        (64, 2.2, Verdict.INCONCLUSIVE),  # more than the two seconds that it was watched beyond the limit
        (62.5, LATE * 0.9, Verdict.PASS),
        (62.5, LATE * 1.1, Verdict.INCONCLUSIVE),
        (90, NOTICE * 0.9, Verdict.PASS),
        (90, NOTICE * 1.1, Verdict.INCONCLUSIVE),  # a watchdog notices, however long it was watched
    ],
)
def test_a_pass_by_restraint_bears_what_it_can_spare(until: float, length: float, verdict: Verdict) -> None:
    talk = healthy(until)
    talk.told.append(stall(50, 50 + length))
    assert {one.verdict for one in of(talk, "LOG-060")} == {verdict}


def test_standstills_add_up_in_a_time_in_which_nothing_came() -> None:
    talk = healthy(64)
    talk.told += [stall(20, 20.9), stall(30, 30.9), stall(40, 40.9)]
    assert {one.verdict for one in of(talk, "LOG-060")} == {Verdict.INCONCLUSIVE}


def test_a_time_that_only_a_standstill_made_uncertain_is_played_again_wherever_that_was() -> None:
    """Its error is the worst lateness in the scenario, also of a standstill that came long after it was measured."""
    records = [r.Step(t=S, text="a"), r.Step(t=2 * S, text="b"), stall(60, 70), r.Finished(t=80 * S, state="completed")]
    trace = trace_of(header(), records)
    near = Finding(
        requirement="LOG-030",
        scenario="s",
        verdict=Verdict.INCONCLUSIVE,
        observed="",
        form=Form.TIME,
        evidence=(1, 2),
    )
    assert Standstills(trace, JUDGING.folded(trace)).excused(near).stalled == (60.0, 70.0)
    assert Standstills(trace_of(header(), records[:2]), JUDGING.folded(trace_of(header(), []))).excused(near) == near


@pytest.mark.parametrize(("length", "verdict"), [(0.9, Verdict.PASS), (1.1, Verdict.INCONCLUSIVE)])
@pytest.mark.parametrize("since", [-40.0, 1.5])
def test_a_pass_by_what_came_is_none_where_the_client_may_have_left_before_it(
    since: float, length: float, verdict: Verdict
) -> None:
    """What it shows may answer the standstill; or the client was not there for what it should bear."""
    talk = later(healthy(90), 100)
    talk.told.append(stall(100 + since, 100 + since + NOTICE * length))
    assert {one.verdict for one in of(talk, "EVT-030") if one.form is Form.SHOWN} == {verdict}


def later(talk: Talk, seconds: float) -> Talk:
    """The same after so many seconds in which nothing came."""
    shift = round(seconds * S)
    talk.told = [type(x)(**{n: getattr(x, n) for n in x.__struct_fields__} | {"t": x.t + shift}) for x in talk.told]
    talk.ends += shift
    return talk


TICKET = "«p-ticket#1»"


def retried(at: float, ticket: str | None = TICKET) -> Talk:
    """A request of 20 s that drew a ticket of 10 s, and its retry, 10 ms after it was sent."""
    talk = healthy(90)
    body = {"accountId": 1}
    talk.client(20 * S, 1, f"order/item\n7\n\n{json.dumps(body)}")
    talk.broker(20 * S, 1, {"s": 200, "i": 7, "d": {"p-ticket": TICKET, "p-time": 10}})
    again = body | ({"p-ticket": ticket} if ticket else {})
    talk.client(round(at * S), 1, f"order/item\n8\n\n{json.dumps(again)}")
    talk.broker(round((at + 0.01) * S), 1, {"s": 200, "i": 8, "d": {}})
    return talk


@pytest.mark.parametrize(
    ("suspended", "verdict"), [(0.0, Verdict.FAIL), (0.4, Verdict.FAIL), (0.6, Verdict.INCONCLUSIVE)]
)
def test_what_came_too_early_is_excused_by_what_the_machine_slept_alone(suspended: float, verdict: Verdict) -> None:
    """The harness's lateness makes nothing early. But a client may wait by a clock that goes on while it sleeps."""
    talk = retried(25)
    talk.told.append(stall(21, 23, suspended=suspended))
    (finding,) = of(talk, "RLP-020")
    assert (finding.verdict, finding.form) == (verdict, Form.EARLY)


def test_a_request_that_left_before_its_ticket_was_read_is_no_retry_of_it() -> None:
    """A client asked again in a standstill; the harness read both together, and answered the first with a ticket."""
    for row in ("RLP-020", "RLP-030"):
        for stalls, verdict in (((), Verdict.FAIL), ((stall(14, 20),), Verdict.INCONCLUSIVE)):
            talk = retried(20.001, None)
            talk.told += stalls
            assert worst(one.verdict for one in of(talk, row)) is verdict


@pytest.mark.parametrize(("length", "verdict"), [(0.9, Verdict.PASS), (1.1, Verdict.INCONCLUSIVE)])
def test_a_time_that_had_to_be_long_enough_is_not_shown_by_what_made_it_longer(length: float, verdict: Verdict) -> None:
    talk = retried(30.1)
    talk.told.append(stall(30.1 - FLIGHT * length, 30.1))
    (finding,) = of(talk, "RLP-020")
    assert finding.verdict is verdict


def test_a_row_that_could_not_be_asked_for_a_standstill_is_blocked_by_nobody() -> None:
    talk = alone(80)
    talk.told.append(stall(20, 40))
    (finding,) = of(talk, "EVT-020")
    assert finding.verdict is Verdict.INCONCLUSIVE
    assert "LOG-030 is inconclusive" in finding.observed
    assert finding.blocked_by == ""


def test_a_standstill_of_an_old_trace_is_known_by_its_length_alone() -> None:
    talk = hung_up()
    records = talk.told
    talk.told = [x for x in records if not (isinstance(x, r.Frame) and x.text == "h")]
    (finding,) = [one for one in of(talk, "LOG-060") if one.form is Form.ENDING]
    assert finding.verdict is Verdict.INCONCLUSIVE  # the broker itself was silent
    assert "the broker's own messages" in finding.observed


# Who made it.


@pytest.mark.parametrize(
    ("used", "made"),
    [
        ({"cpu": 0.1, "client_cpu": 9.9}, False),  # we were stopped: a client that always computes did not stop us
        ({"waited": 9.0, "client_cpu": 4.4}, False),  # a busy machine
        ({"waited": 9.0, "client_cpu": 5.6}, True),
        ({"cpu": 9.0, "client_bytes": 11 << 20}, True),
        ({"cpu": 9.0, "client_bytes": 9 << 20}, False),
        ({"waited": 9.0, "client_connections": 501}, True),
        ({"waited": 9.0, "client_connections": 499}, False),
        ({"client_connections": 5000}, False),  # we were stopped, and found them all afterwards
        ({"cpu": 9.0}, False),  # our own work
    ],
)
def test_a_client_made_it_where_it_used_the_core_or_flooded_us(used: dict[str, float], made: bool) -> None:
    assert made_by_client(stall(0, 10, **used)) is made


def test_all_clients_together_make_it_too() -> None:
    one = stall(0, 10, waited=9.0, client_cpu=0.5, clients_cpu=8.0)
    assert (made_by_client(one), made_by_clients(one)) == (False, True)


@pytest.mark.parametrize(("lowered", "verdict"), [(False, Verdict.INCONCLUSIVE), (True, Verdict.FAIL)])
def test_a_client_buys_nothing_by_burning_our_core(lowered: bool, verdict: Verdict) -> None:
    talk = hung_up()
    talk.told.append(stall(47, 59, waited=11.0, client_cpu=20.0))
    talk.drop(lambda x: isinstance(x, r.Frame) and x.text == "h" and 47 * S < x.t < 59 * S)
    (finding,) = [one for one in of(talk, "LOG-060", lowered=lowered) if one.form is Form.ENDING]
    assert finding.verdict is verdict


@pytest.mark.parametrize("lowered", [False, True])
def test_a_client_buys_no_pass_by_it_either(lowered: bool) -> None:
    talk = healthy(90)
    talk.told.append(stall(50, 62, waited=11.0, client_cpu=20.0))
    assert {one.verdict for one in of(talk, "LOG-060", lowered=lowered)} == {Verdict.INCONCLUSIVE}


# The rule is one, and every finding is under it.


def test_every_form_but_one_has_a_limit_from_which_a_standstill_counts() -> None:
    assert set(NOTICED) == {None, *Form} - {Form.CONTENT}
    assert all(name in ROWS.limits for name in NOTICED.values())


def test_no_check_looks_at_standstills_itself() -> None:
    """The rule stands in one place: no other file of the judge names them."""
    folder = Path(inspect.getfile(brokercert.judge)).parent
    allowed = {"standstill.py", "transcript.py", "silence.py", "plays.py", "sentences.py"}
    for path in folder.rglob("*.py"):
        names = {node.attr for node in ast.walk(ast.parse(path.read_text("utf-8"))) if isinstance(node, ast.Attribute)}
        assert path.name in allowed or not names & {"stalls", "Stall", "stalled"}, path
