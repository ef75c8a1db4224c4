"""Orders in flight, what is left behind, large snapshots, attempts: conversations made by hand, and what becomes of
the row that each is about.
"""

from __future__ import annotations

from typing import Any

import pytest
from brokercert.judge.attempts import attempts_of, most_within, unseen_spans
from brokercert.judge.tradovate.model.conversation import Conversation
from brokercert.trace import Body
from brokercert.trace import records as r
from talks import ROWS, S, Talk, alone, authorize, healthy, opened, sync


def in_flight(
    *, placed: bool = False, again: float | None = None, outcomes: tuple[tuple[float, bool], ...] = (),
    refused: int = 0, until: float = 120, looked: bool = True, shots: tuple[tuple[int, bool], ...] = (),
) -> str:  # fmt: skip
    """An order is sent at 10 s and its socket dies unanswered; back at 15 s, and synced where `looked`. `refused` is
    the status of an outcome that is none of success.
    """
    talk = alone(until)
    authorize(talk, 2, s=200)
    sync(talk, 3, ident=1, d={})
    asked = {"endpoint": "order/placeorder", "body": {"symbol": "ESH6"}}
    talk.told.append(r.Command(t=9 * S, id=1, command="request", body=asked))
    place = 'order/placeorder\n7\n\n{"symbol":"ESH6"}'
    talk.client(10 * S, 1, place)
    if placed:
        talk.told.append(r.RuleApplied(t=10 * S, name="first", conn=1))
    talk.told.append(r.Ended(t=10 * S + 1, conn=1, by="broker", how="rst"))
    opened(talk, 15 * S, 2)
    authorize(talk, 16, conn=2, s=200)
    if looked:
        sync(talk, 17, conn=2, ident=1, d={})
    if again is not None:
        talk.client(round(again * S), 2, place)
    for at, ok in outcomes:
        body: dict[str, Any] = {"event": "outcome", "id": 1, "status": 200 if ok else refused, "ok": ok}
        talk.told.append(r.SubjectReport(t=round(at * S), event="outcome", body=body))
    for number, (at, held) in enumerate(shots, 2):
        talk.told.append(r.Command(t=at * S, id=number, command="snapshot", body={}))
        body = {
            "event": "snapshot",
            "id": number,
            "entities": {"order": [{"id": 5, "ordStatus": "Working"}] if held else []},
        }
        talk.told.append(r.SubjectReport(t=at * S, event="snapshot", body=body))
    if shots:
        state = {"order": {"5": {"ordStatus": "Working"}}}
        talk.told.append(r.Ledger(t=25 * S, name="after the order in flight", state=state))
    return talk.verdict("REC-090", offers=("wire", "tokens", *ROWS.by_id["REC-090"].needs, "snapshot"))


def test_an_order_in_flight_is_not_sent_again_blindly_and_told_of_once_truly() -> None:
    assert in_flight(outcomes=((18, False),)) == "pass"
    assert in_flight(placed=True, outcomes=((18, True),)) == "pass"
    assert in_flight(placed=True, outcomes=((18, True),), shots=((35, True), (45, True))) == "pass"
    assert in_flight(placed=True, outcomes=((18, True),), shots=((35, False), (45, False))) == "fail", (
        "it knows no order"
    )
    assert in_flight(outcomes=((18, True),)) == "fail", "it never came to the broker"
    assert in_flight(placed=True, outcomes=((18, False),)) == "pass", "it is not known"
    assert in_flight(placed=True, outcomes=((18, False),), refused=200) == "fail", "nobody refused it"
    assert in_flight(outcomes=((18, False),), refused=404) == "pass", "it looked, and the order was not there"
    assert in_flight(outcomes=((18, False), (19, False))) == "fail"
    assert in_flight() == "fail" and in_flight(until=50) == "not observed", "60 s are what it may take"
    assert in_flight(again=20, outcomes=((21, True),)) == "pass", "it looked, and the order was not there"
    assert in_flight(again=20, looked=False, outcomes=((21, True),)) == "fail", "blindly"
    assert in_flight(placed=True, again=20, outcomes=((21, True),)) == "fail", "a second order"


def left_over(after: tuple[int, int, int] | None) -> str:
    """(descriptors, threads, MiB): 20, 4 and 50 after five drops."""
    talk = alone(300)
    authorize(talk, 2, s=200)
    for name, seen in (("after drop 5", (20, 4, 50)), ("after drop 20", after)):
        if seen is not None:
            descriptors, threads, memory = seen
            talk.told.append(
                r.Resources(
                    t=100 * S, name=name, processes=1, descriptors=descriptors, threads=threads, memory=memory << 20
                )
            )
    return talk.verdict("REC-100")


@pytest.mark.parametrize(
    ("after", "verdict"),
    [
        ((20, 4, 50), "pass"),
        ((21, 5, 54), "pass"),
        ((22, 4, 50), "warning"),
        ((35, 4, 50), "warning"),
        ((20, 6, 50), "warning"),
        ((20, 4, 56), "warning"),
        (None, "not observed"),
    ],
)
def test_twenty_drops_leave_nothing_behind(after: tuple[int, int, int] | None, verdict: str) -> None:
    assert left_over(after) == verdict


def large(mib: float, *, leaves: float | None = None, tier: str = "real") -> str:
    talk = alone(60)
    authorize(talk, 2, s=200)
    sync(talk, 3, ident=1, d={"orders": ["x" * round(mib * (1 << 20))]})
    if leaves is not None:
        healthy(talk, leaves)
        talk.told.append(r.Ended(t=round(leaves * S), conn=1, by="client", how="fin"))
    return talk.verdict("EVT-090", tier=tier)


def test_a_large_snapshot_is_one_of_five_mebibytes() -> None:
    assert large(5.1) == "pass"
    assert large(4) == "not observed" and large(1.5, tier="virtual") == "pass"
    assert large(5.1, leaves=10) == "fail"


def test_parts_of_a_snapshot_are_judged_under_a_declared_reading_alone() -> None:
    talk = alone(60)
    authorize(talk, 2, s=200)
    sync(talk, 3, ident=1, d={})
    ledger = {"order": {"1": {"ordStatus": "Working"}}}
    talk.told.append(r.Ledger(t=10 * S, name="after the last part", state=ledger))
    for number, at in enumerate((20, 30)):
        talk.told.append(r.Command(t=at * S, id=number, command="snapshot", body={}))
        body = {"event": "snapshot", "id": number, "entities": {"order": []}}
        talk.told.append(r.SubjectReport(t=at * S, event="snapshot", body=body))
    assert talk.verdict("EVT-095") == "not observed"
    assert talk.verdict("EVT-095", readings={"split-snapshot": "one id"}) == "warning"


def folded(*records: Body) -> Conversation:
    talk = Conversation()
    for record in records:
        talk.feed(record)
    return talk


def tcp(t: float, conn: int, *, head: bool = True, ends: float | None = None) -> list[Body]:
    at = round(t * S)
    found: list[Body] = [r.Accepted(t=at, conn=conn)]
    if head:
        found.append(r.Head(t=at, conn=conn, method="GET", target="/v1/websocket", headers=(), upgrade=True))
    if ends is not None:
        found.append(r.Ended(t=round(ends * S), conn=conn, by="broker", how="fin"))
    return found


def rest(t: float, conn: int, path: str) -> list[Body]:
    at = round(t * S)
    return [
        r.Accepted(t=at, conn=conn),
        r.Head(t=at, conn=conn, method="POST", target=path, headers=(), upgrade=False),
        r.RestRequest(t=at, conn=conn, ordinal=1, method="POST", target=path),
    ]


RENEW = "/v1/auth/renewAccessToken"


@pytest.mark.parametrize(
    ("records", "times"),
    [
        ([*tcp(1, 1), *tcp(3, 2)], [1, 3]),
        ([*tcp(1, 1), *tcp(1.05, 2)], [1]),
        ([*tcp(1, 1), *tcp(1.2, 2)], [1, 1.2]),
        (tcp(1, 1, head=False, ends=1.1), [1]),
        (tcp(1, 1, head=False), []),
        ([*rest(1, 1, RENEW), *tcp(2, 2)], [1]),
        (rest(1, 1, RENEW), [1]),
        (rest(1, 1, "/v1/account/list"), []),
    ],
    ids=[
        "two", "two at once are one", "two a little later are two", "closed before its head", "open without a head",
        "a token and the connection after it are one", "a token alone", "another request is none",
    ],
)  # fmt: skip
def test_what_an_attempt_is(records: list[Body], times: list[float]) -> None:
    assert [attempt.t / S for attempt in attempts_of(folded(*records), 0)] == times


def test_attempts_are_counted_in_any_window() -> None:
    talk = folded(*(record for n in range(6) for record in tcp(1 + n, n + 1)))
    assert [most_within(attempts_of(talk, 0), span * S)[0] for span in (1, 3, 60)] == [1, 3, 6]


def test_only_while_the_way_is_down_may_an_attempt_have_been_unseen() -> None:
    def fault(t: int, name: str) -> r.Fault:
        return r.Fault(t=t * S, requested=t * S, name=name)

    assert unseen_spans(folded(*tcp(1, 1))) == []
    assert unseen_spans(folded(fault(2, "proxy-down"), fault(5, "proxy-up"), r.Step(t=9 * S, text=""))) == [
        (2 * S, 5 * S)
    ]
    assert unseen_spans(folded(fault(2, "port-refused"), r.Step(t=9 * S, text=""))) == [(2 * S, 9 * S)]


def answered(status: int, data: Any = None) -> Talk:
    talk = alone(60)
    authorize(talk, 2, s=status, **({"d": data} if data is not None else {}))
    return talk


@pytest.mark.parametrize(
    ("status", "data", "ok", "refused"),
    [
        (200, None, True, False),
        (200, {"userId": 1}, True, False),
        (200, {"p-ticket": "«p-ticket#1»", "p-time": 5}, False, False),
        (200, {"errorText": "no"}, False, False),
        (401, None, False, True),
        (403, None, False, True),
        (503, None, False, False),
    ],
)
def test_what_a_success_and_a_refusal_are(status: int, data: Any, ok: bool, refused: bool) -> None:
    c = folded(*sorted(answered(status, data).told, key=lambda record: record.t)).connections[1]
    assert (c.authorized is not None, c.refused is not None) == (ok, refused)


def test_an_answer_is_that_of_the_latest_request_of_its_id_that_has_none() -> None:
    talk = alone(60)
    authorize(talk, 2, ident=1)
    authorize(talk, 3, ident=1, s=401)
    talk.broker(5 * S, 1, {"s": 200, "i": 1})
    first, second = folded(*sorted(talk.told, key=lambda record: record.t)).connections[1].authorizes
    assert first.answer and second.answer and (first.answer.status, second.answer.status) == (200, 401)


def test_a_close_of_the_protocol_is_a_loss_and_a_malformed_one_is_none() -> None:
    for text, by in (('c[1000,"bye"]', "broker"), ("c[1000", None)):
        talk = alone(60)
        talk.frame(5 * S, 1, text)
        loss = folded(*sorted(talk.told, key=lambda record: record.t)).connections[1].loss
        assert (loss.by if loss else None) == by


def test_an_exit_that_was_asked_for_is_no_death_and_what_the_harness_ends_is_its_own_doing() -> None:
    gone = r.SubjectExited(t=5 * S, code=1, asked=False)
    assert folded(gone).died() is not None
    assert folded(r.SubjectExited(t=5 * S, code=0, asked=True)).died() is None
    ours = r.StopAsked(t=4 * S, how="signal", judged=False)
    talk = folded(*tcp(1, 1), ours, r.Ended(t=5 * S, conn=1, by="client", how="fin"), gone)
    assert talk.died() is None and talk.connections[1].loss is None


def test_a_close_frame_of_the_clients_is_its_giving_up() -> None:
    frame = r.Frame(t=3 * S, conn=1, sender="client", ordinal=1, opcode=8, text="", code=1000)
    ended = r.Ended(t=9 * S, conn=1, by="broker", how="fin")
    gone = folded(*tcp(1, 1), frame, ended).connections[1].given_up()
    assert gone is not None and (gone.t, gone.how) == (3 * S, "close 1000")


@pytest.mark.parametrize("name", ["silent", "half-open", "mid-frame"])
def test_a_server_that_falls_silent_is_noted(name: str) -> None:
    c = folded(*tcp(1, 1), r.Fault(t=2 * S, requested=2 * S, name=name, conn=1)).connections[1]
    assert c.silent is not None and c.silent[0] == 2 * S and c.loss is None


def asked(*reports: dict[str, Any]) -> Conversation:
    lines = [r.SubjectReport(t=S, event=body["event"], body=body) for body in reports]
    commands = [r.Command(t=0, id=1, command="whistle", body={}), r.Command(t=0, id=2, command="request", body={})]
    return folded(*commands, *lines)


def test_a_client_is_honest_that_says_so_of_what_nobody_can_do() -> None:
    assert folded().told.honest is None
    assert asked().told.honest is False
    assert asked({"event": "unsupported", "id": 1}).told.honest is True


def test_the_first_outcome_counts_and_says_itself_whether_it_is_a_success() -> None:
    talk = asked(
        {"event": "outcome", "id": 2, "status": 200, "ok": False, "error": "no"},
        {"event": "outcome", "id": 2, "status": 200, "ok": True},
    )
    outcome = talk.told.requests()[0].outcome
    assert outcome is not None and not outcome.ok and len(talk.told.requests()[0].outcomes) == 2
    bare = asked({"event": "outcome", "id": 2, "error": "no"}).told.requests()[0].outcome
    assert bare is not None and not bare.ok
