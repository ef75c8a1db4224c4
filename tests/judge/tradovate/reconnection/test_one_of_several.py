"""One of several sockets is lost: it comes back, and the others go on as if nothing had happened."""

from __future__ import annotations

from typing import Any

import pytest
from lanes_played import USER, beats, lost, shards, talk_of, user, verdict
from talks import S, Talk, authorize, opened

COUNT, LOST, NEW, AT = 3, 2, 4, 40.0
ROWS = ("REC-010", "REC-020", "REC-030", "REC-035", "REC-060", "HBT-080")


def played(*, back: bool = True, syncs: bool = True, subscribes: bool = True, doubled: bool = False) -> Talk:
    """Three shards, each with a subscription and reads all the time. The second is lost, and is back 2 s later."""
    talk = talk_of(120)
    others = [conn for conn in range(1, COUNT + 1) if conn != LOST]
    for conn in range(1, COUNT + 1):
        user(talk, conn * 0.1, conn, share=conn - 1)
        subscribe(talk, 2, conn, of=conn)
    beats(talk, 1, AT, LOST)
    beats(talk, 1, 120, *others)
    for conn in others:
        for number, at in enumerate(range(3, 118, 7), start=100):
            talk.client(at * S, conn, f"cashBalance/list\n{number}\n\n")
            talk.broker(at * S + 1000, conn, {"s": 200, "i": number, "d": []})
    lost(talk, AT, LOST)
    if back:
        comes_back(talk, syncs=syncs, subscribes=subscribes)
        beats(talk, AT + 3, 120, *[NEW] * (2 if doubled else 1))
    return talk


def comes_back(talk: Talk, *, syncs: bool, subscribes: bool) -> None:
    if syncs:
        user(talk, AT + 2, NEW, share=LOST - 1)
    else:
        opened(talk, round((AT + 2) * S), NEW)
        authorize(talk, AT + 2.01, conn=NEW, token=USER, s=200)
    if subscribes:
        subscribe(talk, AT + 3, NEW, of=LOST)


def subscribe(talk: Talk, at: float, conn: int, of: int) -> None:
    t = round(at * S)
    talk.client(t, conn, f'md/subscribequote\n50\n\n{{"symbol":"S{of}H6"}}')
    talk.broker(t + 1000, conn, {"s": 200, "i": 50, "d": {}})


@pytest.mark.parametrize("row", ROWS)
def test_the_others_go_on_and_that_is_no_breach(row: str) -> None:
    assert verdict(played(), row, shards(COUNT)) == "pass"


@pytest.mark.parametrize(
    ("wrong", "row"),
    [
        ({"back": False}, "REC-010"),
        ({"syncs": False}, "REC-030"),
        ({"subscribes": False}, "REC-035"),
        ({"doubled": True}, "HBT-080"),
    ],
)
def test_what_the_lost_one_owes_is_missed_beside_the_others(wrong: dict[str, Any], row: str) -> None:
    assert verdict(played(**wrong), row, shards(COUNT)) == "fail"


def test_another_one_s_later_way_back_stands_for_nothing_of_it() -> None:
    """The lost shard never syncs again; the third is lost later, and comes back well."""
    talk = played(syncs=False)
    talk.drop(lambda x: getattr(x, "conn", 0) == COUNT and x.t > 100 * S)
    lost(talk, 101, COUNT)
    user(talk, 103, NEW + 1, share=COUNT - 1)
    beats(talk, 104, 120, NEW + 1)
    assert verdict(talk, "REC-030", shards(COUNT)) == "fail"
