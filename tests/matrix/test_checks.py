"""The checks by properties: of what a correct client may say none complains, and one breach is told by its rows alone.

The conversations are drawn (`talks.py`), so that no scenario, client or broker of ours can hide a check's mistake.
"""

from __future__ import annotations

import json
from collections.abc import Callable

import msgspec
import pytest
from brokercert.trace import records as r
from hypothesis import given, settings
from hypothesis import strategies as st
from talks import ROWS, TYPES, S, Talk, valid

MOST = settings(max_examples=15, deadline=None, derandomize=True)
SEEDS = st.integers(0, 1 << 32)


@MOST
@given(SEEDS, st.integers(1, 4))
def test_of_a_correct_conversation_no_check_complains(seed: int, sockets: int) -> None:
    assert valid(seed, sockets).fallen() == {}


def slow_upgrade(talk: Talk) -> None:
    """Everything but the first accept comes six seconds later."""
    accepted = next(x for x in talk.told if isinstance(x, r.Accepted))
    talk.told = [x if x is accepted else at(x, x.t + 6 * S) for x in talk.told if not isinstance(x, r.SubjectStarted)]
    talk.told.append(r.SubjectStarted(t=0))
    talk.ends += 6 * S


def at(record: r.Record, t: int) -> r.Record:
    """The same, at another time."""
    return msgspec.structs.replace(record, t=t)


def slow_authorize(talk: Talk) -> None:
    def earlier(x: r.Record) -> bool:
        return x.t < talk.lives[0].authorize

    talk.told = [x if earlier(x) else at(x, x.t + 3 * S) for x in talk.told]
    talk.ends += 3 * S


def second_authorize(talk: Talk) -> None:
    life = talk.lives[0]
    talk.request(life.authorize, life, "authorize", life.token, takes=life.granted - life.authorize)


def token_printed(talk: Talk) -> None:
    talk.told.append(r.SubjectOutput(t=talk.lives[0].synced, stream="out", text=f"token {talk.lives[0].token}"))


def hangs_up(talk: Talk) -> None:
    life = talk.lives[-1]
    t = life.synced + 30 * S
    talk.broker(t - S, life.conn, {"e": "clock", "d": "{}"})  # no quiet time, which another row is about
    talk.told.append(r.Frame(t=t, conn=life.conn, sender="client", ordinal=0, opcode=8, text="", code=1000))
    talk.drop(lambda x: isinstance(x, r.Frame) and x.conn == life.conn and x.t > t)
    talk.told.append(r.Ended(t=t, conn=life.conn, by="client", how="fin"))


def an_id_again(talk: Talk) -> None:
    life = talk.lives[0]
    ident = talk.request(life.synced + 5 * S, life, "account/list", takes=1000)
    life.ids.append(ident)
    talk.request(life.synced + 6 * S, life, "account/list", takes=1000)


def is_beat(x: r.Record) -> bool:
    return isinstance(x, r.Frame) and x.sender == "client" and x.text == "[]"


def silent_for(gap: float) -> Callable[[Talk], None]:
    def breach(talk: Talk) -> None:
        since = talk.lives[-1].synced + 10 * S  # the last, so that no later one has twice as many
        talk.drop(lambda x: is_beat(x) and since < x.t < since + gap * S)

    return breach


def floods(talk: Talk) -> None:
    life = talk.lives[0]
    for number in range(45):
        talk.client(life.synced + 10 * S + number * S // 2, life.conn, "[]")


def beats_on_the_old_socket(talk: Talk) -> None:
    """A left-over timer that beats on the new socket as well."""
    life = talk.lives[-1]
    for at in range(life.granted + 100_000, life.end, 5 * S // 2):
        talk.client(at, life.conn, "[]")


def syncs_again(number: int) -> Callable[[Talk], None]:
    def breach(talk: Talk) -> None:
        life = talk.lives[number]
        body = {"splitResponses": True, "entityTypes": TYPES}
        talk.request(life.synced + 5 * S, life, "user/syncrequest", body, takes=1000)

    return breach


def says(x: r.Record, conn: int, endpoint: str) -> bool:
    return isinstance(x, r.Frame) and x.conn == conn and x.sender == "client" and str(x.text).startswith(endpoint)


def syncs_first(talk: Talk) -> None:
    """On the first socket the sync request precedes authorize."""
    life = talk.lives[0]
    (sync,) = [x for x in talk.told if says(x, 1, "user/syncrequest")]
    talk.told.remove(sync)
    talk.told.append(at(sync, life.authorize - 500))
    talk.request(
        life.sync, life, "account/list", takes=1000
    )  # so that the first request after the login is no late one


def with_sync_body(**changed: object) -> Callable[[Talk], None]:
    body = {"splitResponses": True, "entityTypes": TYPES} | changed

    def breach(talk: Talk) -> None:
        for place, x in enumerate(talk.told):
            if isinstance(x, r.Frame) and says(x, x.conn, "user/syncrequest"):
                head = "\n".join(str(x.text).split("\n")[:3])
                talk.told[place] = msgspec.structs.replace(x, text=f"{head}\n{json.dumps(body)}")

    return breach


def back_late(talk: Talk) -> None:
    later = talk.lives[0].end + 12 * S - talk.lives[1].accepted
    talk.told = [at(x, x.t + later) if getattr(x, "conn", 0) == 2 else x for x in talk.told]
    talk.ends += later


def asks_before_it_is_authorized(talk: Talk) -> None:
    life = talk.lives[1]
    talk.request(life.authorize - 500, life, "account/list", takes=100)


def no_sync_again(talk: Talk) -> None:
    life = talk.lives[1]
    talk.drop(lambda x: says(x, 2, "user/syncrequest"))
    talk.drop(lambda x: isinstance(x, r.Frame) and x.conn == 2 and x.sender == "broker" and x.t == life.synced)


def subscribes_twice(talk: Talk) -> None:
    life = talk.lives[1]
    talk.request(life.synced + 5 * S, life, "md/subscribequote", {"symbol": "ESH6"}, takes=1000)


BREACHES: dict[str, tuple[Callable[[Talk], None], str]] = {
    "an upgrade of six seconds": (slow_upgrade, "LOG-010"),
    "authorize three seconds after `o`": (slow_authorize, "LOG-030"),
    "two authorizes at once": (second_authorize, "LOG-020"),
    "a token in the output": (token_printed, "LOG-090"),
    "a healthy connection ended": (hangs_up, "LOG-060"),
    "an id twice": (an_id_again, "REQ-010"),
    "no heartbeat for 45 s": (silent_for(45), "HBT-010 HBT-020"),
    "no heartbeat for 15 s": (silent_for(15), "HBT-020"),
    "two heartbeats a second": (floods, "HBT-070"),
    "two sync requests": (syncs_again(0), "EVT-010"),
    "two sync requests after a loss": (syncs_again(1), "EVT-010 REC-030"),
    "sync before authorize": (syncs_first, "EVT-020"),
    "no entity types": (with_sync_body(entityTypes=[]), "EVT-030 EVT-040"),
    "less than it relies on": (with_sync_body(entityTypes=["order"]), "EVT-040"),
    "users beside entity types": (with_sync_body(users=[1]), "EVT-030"),
    "back after twelve seconds": (back_late, "REC-010"),
    "a request before authorize": (asks_before_it_is_authorized, "REC-020"),
    "no sync after a loss": (no_sync_again, "REC-030"),
    "a subscription twice after a loss": (subscribes_twice, "REC-035"),
    "a second heartbeat stream after a loss": (beats_on_the_old_socket, "HBT-080"),
}


@pytest.mark.parametrize("name", BREACHES)
def test_one_breach_is_told_by_its_rows_alone(name: str) -> None:
    breach, rows = BREACHES[name]

    @settings(MOST, max_examples=5)
    @given(SEEDS)
    def holds(seed: int) -> None:
        talk = valid(seed)
        breach(talk)
        # A breach of a SHOULD row is a warning; of a MUST row it fails.
        due = {row: "fail" if ROWS.by_id[row].level == "MUST" else "warning" for row in rows.split()}
        assert talk.fallen() == due

    holds()


@MOST
@given(SEEDS)
def test_an_authorize_that_is_repeated_without_an_answer_leads_to_a_login(seed: int) -> None:
    """The first is never answered, the second is: the sync request that follows is no early one."""
    talk = valid(seed, 1)
    life = talk.lives[0]
    t = life.authorize
    talk.told = [x if x.t < t else at(x, x.t + 4 * S) for x in talk.told]
    talk.ends += 4 * S
    talk.client(t, life.conn, f"authorize\n{life.ids.pop()}\n\n{life.token}")
    talk.told.append(r.Withheld(t=t, what="authorize", conn=life.conn))
    assert "EVT-020" not in talk.fallen()
