"""What is queued during a penalty, and when it leaves: RLP-050, RLP-060 and RLP-010."""

from __future__ import annotations

import pytest
from asked import ask, outcome
from talks import S, Talk, alone, authorize, sync
from ways_back import back, ended


def queued(
    *left: tuple[float, int], priorities: tuple[int, ...] = (1, 1, 2), until: float = 200, takes: float = 0
) -> Talk:
    """A penalty from 10 s to 20 s; requests of these priorities are asked for in it, and leave as `left` says. Each
    is answered after `takes` s.
    """
    talk = alone(until)
    authorize(talk, 2, s=200)
    sync(talk, 3, ident=90, d={})
    ask(talk, 9, 9)
    talk.client(9 * S, 1, "order/item\n9\nid=9\n")
    talk.broker(10 * S, 1, {"s": 200, "i": 9, "d": {"p-ticket": "«p-ticket#1»", "p-time": 10}})
    for number, priority in enumerate(priorities, 1):
        ask(talk, 12 + number / 10, number, priority=priority)
    for place, (at, number) in enumerate(left):
        talk.client(round(at * S), 1, f"order/item\n{100 + place}\nid={number}\n")
        talk.broker(round((at + takes) * S), 1, {"s": 200, "i": 100 + place, "d": {"id": number}})
    talk.told.sort(key=lambda record: record.t)
    return talk


def test_what_is_queued_is_sent_once_after_the_penalty() -> None:
    assert queued((20.1, 1), (20.2, 2), (20.3, 3)).verdict("RLP-050") == "pass"
    assert queued((20.1, 1), (20.2, 2)).verdict("RLP-050") == "fail", "one is lost"
    assert queued((12.5, 1), (20.2, 2), (20.3, 3)).verdict("RLP-050") == "fail", "early"
    assert queued((18, 1), (20.2, 2), (20.3, 3)).verdict("RLP-050") == "fail", "2 s early"
    assert queued((20.1, 1), (20.2, 2), (20.3, 3), (20.4, 1), takes=1).verdict("RLP-050") == "fail", "twice"


def test_what_was_answered_may_be_read_again() -> None:
    """A client that reads its orders every second is no client that doubles what it was asked for."""
    every_second = [(20.1 + n, 1) for n in range(20)]
    assert queued(*every_second, (20.2, 2), (20.3, 3), takes=0.5).verdict("RLP-050") == "pass"
    assert queued(*every_second, (20.2, 2), (20.3, 3), takes=1.5).verdict("RLP-050") == "fail"


@pytest.mark.parametrize(("left", "verdict"), [(16.1, "fail"), (19.9, "fail"), (20.1, "pass"), (None, "fail")])
def test_a_penalty_holds_on_the_next_socket_too(left: float | None, verdict: str) -> None:
    talk = queued(priorities=())
    ended(talk, 11)
    back(talk, 12, 2)
    ask(talk, 16, 1)
    if left is not None:
        talk.client(round(left * S), 2, "order/item\n100\nid=1\n")
        talk.broker(round(left * S), 2, {"s": 200, "i": 100, "d": {"id": 1}})
    assert talk.verdict("RLP-050") == verdict


def test_what_was_told_to_have_ended_is_not_waited_for_and_what_was_not_is() -> None:
    """The scenario is over half a second after the last outcome."""

    def turned_down(*refused: int, until: float = 20.8) -> str:
        talk = queued(*((20 + n / 10, n) for n in (1, 2)), until=until)
        for number in refused:
            outcome(talk, 12.5, number, ok=False, status=0)
        said = [f for f in talk.findings(offers=("wire", "request")) if f.requirement == "RLP-050"]
        assert len(said) == 1, "no praise beside it"
        return f"{said[0].verdict}: {said[0].observed}"

    assert turned_down(3).startswith("fail: 3 requests") and "1 of them were not sent, but told as `it" in turned_down(
        3
    )
    assert turned_down().startswith("not observed") and "1 of them were not sent yet" in turned_down()
    assert turned_down(until=90).startswith("fail") and "but told" not in turned_down(until=90)
    both = queued((18, 1), (20.2, 2), until=20.8)
    assert both.verdict("RLP-050") == "fail", "early, whatever becomes of the third"


def test_what_is_queued_leaves_by_priority_and_within_one_as_it_came() -> None:
    assert queued((20.1, 1), (20.2, 2), (20.3, 3)).verdict("RLP-060") == "pass"
    assert queued((20.1, 2), (20.2, 1), (20.3, 3)).verdict("RLP-060") == "warning", "within a class"
    assert queued((20.1, 3), (20.2, 1), (20.3, 2)).verdict("RLP-060") == "warning", "classes"
    higher = {"queue-order": "higher-first"}
    assert queued((20.1, 3), (20.2, 1), (20.3, 2)).verdict("RLP-060", readings=higher) == "pass"
    assert queued((20.1, 1), priorities=(1,)).verdict("RLP-060") == "not observed", "one shows no order"


@pytest.mark.parametrize(("told_at", "ok", "verdict"), [(21, True, "pass"), (12, True, "fail"), (12, False, "pass")])
def test_a_ticket_is_not_told_as_a_success_before_its_retry(told_at: float, ok: bool, verdict: str) -> None:
    talk = queued()
    talk.client(round(20.2 * S), 1, 'order/item\n10\nid=9\n{"p-ticket":"«p-ticket#1»"}')
    outcome(talk, told_at, 9, ok=ok)
    assert talk.verdict("RLP-010") == verdict
