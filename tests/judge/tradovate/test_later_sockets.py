"""What is judged of later sockets, where a first one was right: each from both sides."""

from __future__ import annotations

from typing import Any

from brokercert.trace import records as r
from talks import S, Talk, alone, authorize, healthy, opened, sync

TYPES = ["order", "fill"]
DECLARED: dict[str, Any] = {"entity_types": tuple(TYPES)}


def socket(talk: Talk, at: float, conn: int, *, body: Any = None, data: Any = None, opens: bool = True) -> None:
    """Opened, authorized and synced within a second."""
    if opens:
        opened(talk, round(at * S), conn)
    authorize(talk, at + 0.2, conn=conn, s=200)
    sync(talk, at + 0.4, conn=conn, body=body or {"entityTypes": TYPES}, d=data or {})


def lost(talk: Talk, at: float, *conns: int) -> None:
    for conn in conns:
        talk.fault(round(at * S), "fin", conn)
        talk.end(round(at * S), conn)


def beats(talk: Talk, conn: int, since: float, until: float, every: float = 2.5) -> None:
    for step in range(round((until - since) / every)):
        talk.client(round((since + step * every) * S), conn, "[]")


def three_lives(last: list[str]) -> Talk:
    """Three sockets one after the other, the third of which asks for these types."""
    talk = alone(200)
    socket(talk, 1, 1, opens=False)
    lost(talk, 30, 1)
    socket(talk, 32, 2)
    lost(talk, 60, 2)
    socket(talk, 62, 3, body={"entityTypes": last})
    return talk


def test_types_are_looked_at_after_each_loss() -> None:
    assert three_lives(TYPES).verdict("EVT-040", **DECLARED) == "pass"
    assert three_lives(["order"]).verdict("EVT-040", **DECLARED) == "fail"
    shorter = three_lives(["order"])
    lost(shorter, 90, 3)
    socket(shorter, 92, 4)
    assert shorter.verdict("EVT-040", **DECLARED) == "fail"


def test_a_client_whose_second_lane_is_on_its_way_back_lacks_nothing() -> None:
    talk = alone(200)
    socket(talk, 1, 1, opens=False, body={"entityTypes": ["order"]})
    socket(talk, 2, 2, body={"entityTypes": ["fill"]})
    lost(talk, 30, 1, 2)
    socket(talk, 31, 3, body={"entityTypes": ["order"]})
    lost(talk, 33, 3)
    socket(talk, 36, 4, body={"entityTypes": ["fill"]})
    socket(talk, 37, 5, body={"entityTypes": ["order"]})
    assert talk.verdict("EVT-040", **DECLARED) == "pass"


def silenced(*, leaves: float) -> Talk:
    """A socket whose server falls silent at 40 s; the client is back at 52 s, and leaves the old one then or never."""
    talk = alone(120)
    socket(talk, 1, 1, opens=False)
    healthy(talk, 40)
    beats(talk, 1, 2, min(leaves, 120))
    talk.fault(40 * S, "silent-application", 1)
    if leaves < 120:
        talk.end(round(leaves * S), 1, by="client")
    socket(talk, 52, 2)
    healthy(talk, 120, 53, 2)
    beats(talk, 2, 53, 120)
    return talk


def test_a_socket_whose_server_fell_silent_may_not_go_on_beating() -> None:
    assert silenced(leaves=51).verdict("HBT-080") == "pass"
    assert silenced(leaves=500).verdict("HBT-080") == "fail"


def doubled(first: float, later: float) -> Talk:
    """Two short lives, a longer one that beats once in `first` seconds, and one that does so once in `later`."""
    talk = alone(160)
    socket(talk, 1, 1, opens=False)
    lost(talk, 4, 1)
    socket(talk, 5, 2)
    beats(talk, 2, 6, 60, first)
    healthy(talk, 60, 6, 2)
    lost(talk, 60, 2)
    socket(talk, 61, 3)
    healthy(talk, 160, 62, 3)
    beats(talk, 3, 62, 160, later)
    return talk


def test_a_second_stream_is_told_by_the_first_socket_that_lived_long_enough() -> None:
    assert doubled(2.5, 2.5).verdict("HBT-080") == "pass"
    assert doubled(2.5, 1.25).verdict("HBT-080") == "fail"


LARGE = {"orders": [{"id": 1, "text": "x" * 1_200_000}]}


def large(watched: float) -> Talk:
    """A large snapshot on each of two sockets; the first is watched for so long, the second for two seconds."""
    talk = alone(watched + 4.6)
    socket(talk, 1, 1, opens=False, data=LARGE)
    lost(talk, 1.41 + watched, 1)
    socket(talk, 2.2 + watched, 2, data=LARGE)
    return talk


def test_one_socket_that_was_watched_shows_that_large_snapshots_are_taken() -> None:
    assert large(25).verdict("EVT-090") == "pass"
    assert large(15).verdict("EVT-090") == "not observed"
    talk = large(25)
    talk.told.append(r.Frame(t=29 * S, conn=2, sender="client", ordinal=0, opcode=8, text="", code=1009))
    talk.end(29 * S, 2, by="client")
    assert talk.verdict("EVT-090") == "fail"


def subscribed(again: float, times: int = 1) -> Talk:
    """Quotes, subscribed to on each of three sockets; the second lives for 2 s, the third for `again` seconds."""
    talk = alone(35 + again)
    socket(talk, 1, 1, opens=False)
    for conn, at, many in ((1, 2.0, 1), (2, 31.5, times), (3, 105.0, times)):
        for number in range(many):
            talk.client(round(at * S) + number, conn, f'md/subscribequote\n{10 + number}\n\n{{"symbol":"ESH6"}}')
            talk.broker(round(at * S) + 1000 + number, conn, {"s": 200, "i": 10 + number, "d": {}})
    lost(talk, 30, 1)
    socket(talk, 31, 2)
    lost(talk, 100 if again > 70 else 33, 2)
    socket(talk, 104, 3)
    return talk


def test_one_way_back_that_was_watched_shows_that_subscriptions_come_back() -> None:
    whole = subscribed(75)
    assert whole.verdict("REC-035") == "pass", "the last way back is watched for a moment only"
    assert subscribed(75, times=2).verdict("REC-035") == "fail"
