"""Which socket is whose sequel: properties over random clients, and the conversations that have a name."""

from __future__ import annotations

from dataclasses import dataclass, field
from random import Random
from typing import Any

import pytest
from brokercert.judge.tradovate.model.conversation import Conversation
from brokercert.judge.tradovate.model.lanes import Lanes, Role, lanes_of
from brokercert.trace import Lane, Shape
from talks import JUDGING, S, Talk, authorize, opened, sync

TOKENS = {"access-token": "«access-token#{}»", "md-token": "«md-token#{}»"}
BODIES: tuple[Any, ...] = (None, {"users": [1]}, {"entityTypes": ["order"]}, {"entityTypes": ["fill"]})
KINDS = [(token, body) for token in TOKENS for body in BODIES]


@dataclass
class Opened:
    """A socket as it truly is: its lane, whether it is a sequel, and from when on it has shown its lane."""

    conn: int
    lane: int
    sequel: bool
    shown: int
    after: int = 0  # the connection that it follows


@dataclass
class Life:
    """A client with several sockets, drawn at random: its shape, and what became of them in one trace."""

    rng: Random
    talk: Talk = field(default_factory=lambda: Talk(ends=300 * S))
    kinds: list[tuple[str, Any]] = field(default_factory=list)
    sockets: list[Opened] = field(default_factory=list)
    shape: Shape = field(default_factory=lambda: Shape(lanes=()))

    def open(self, t: float, lane: int, *, after: int = 0, mute: bool = False) -> Opened:
        """It opens at that second, and authorizes (and syncs) at once, unless its `o` never comes."""
        conn = len(self.sockets) + 1
        credential, body = self.kinds[lane]
        opened(self.talk, round(t * S), conn, opens=not mute)
        shown = 1 << 60
        if not mute:
            token = TOKENS[credential].format(self.rng.randrange(1, 99))
            authorize(self.talk, t + 0.02, conn=conn, token=token, s=200)
            if body is not None:
                sync(self.talk, t + 0.04, conn=conn, body=body, d={})
            shown = round((t + 0.06) * S)
        self.sockets.append(Opened(conn, lane, after != 0, shown, after))
        return self.sockets[-1]


def life(seed: int) -> Life:
    """Lanes that differ in what they authorize with or sync, one to three sockets each, opened at once or one after
    the other; at most one of them mute from its start; then losses, and the way back of each.
    """
    rng = Random(seed)
    one = Life(rng)
    one.kinds = rng.sample(KINDS, rng.randint(1, 4))
    one.kinds = [kind for n, kind in enumerate(one.kinds) if not _vague(kind, one.kinds[:n] + one.kinds[n + 1 :])]
    if not one.kinds:
        one.kinds = [KINDS[1]]
    slots = [lane for lane in range(len(one.kinds)) for _ in range(rng.randint(1, 3))]
    rng.shuffle(slots)
    gap = rng.choice((0.0, 0.7, 3.0))
    offsets = [place * gap for place in range(len(slots))]
    one.shape = Shape(lanes=tuple(_lane(one, slots, offsets, lane) for lane in range(len(one.kinds))))
    mute = rng.randrange(len(slots)) if rng.random() < 0.5 else -1
    order = list(enumerate(slots))
    if gap == 0:
        rng.shuffle(order)  # what opens at once comes in any order
    for turn, (place, lane) in enumerate(order):
        one.open(1 + offsets[place] + turn * 0.005, lane, mute=place == mute)
    _lose(one, 1 + offsets[-1] + 15)
    return one


def _vague(kind: tuple[str, Any], others: list[tuple[str, Any]]) -> bool:
    """A socket that never syncs shows no lane where another with its credential does."""
    return kind[1] is None and any(other[0] == kind[0] for other in others)


def _lane(one: Life, slots: list[int], offsets: list[float], lane: int) -> Lane:
    """As a start shows it."""
    token, _ = one.kinds[lane]
    start = Life(one.rng, kinds=one.kinds)
    start.open(1, lane)
    found = JUDGING.shape_of(JUDGING.folded(start.talk.trace()))
    assert found is not None
    places = tuple(place for place, of in enumerate(slots, 1) if of == lane)
    opened_at = tuple(round(offsets[place - 1] * S) for place in places)
    key = found.lanes[0]
    return Lane(
        endpoint=key.endpoint, credential=token, sync=key.sync, count=len(places), places=places, opened=opened_at
    )


def _lose(one: Life, since: float) -> None:
    """Mute sockets are given up, with a close or without; of the others some are lost. Each comes back once."""
    t = since
    for socket in list(one.sockets):
        mute = socket.shown == 1 << 60
        if not mute and one.rng.random() < 0.4:
            continue
        t += one.rng.uniform(0.2, 4)
        if not mute or one.rng.random() < 0.5:
            one.talk.end(round(t * S), socket.conn, "client" if mute else "broker")
        t += one.rng.uniform(0.2, 4)
        one.open(t, socket.lane, after=socket.conn)


@pytest.mark.parametrize("seed", range(200))
def test_no_socket_of_the_start_is_a_sequel_and_every_sequel_is_one_once_it_shows_its_lane(seed: int) -> None:
    one = life(seed)
    talk = Conversation()
    talk.shape = one.shape
    truth = {socket.conn: socket for socket in one.sockets}
    for record in one.talk.trace().records:
        talk.feed(record)
        lanes = lanes_of(talk)
        for c in lanes.sockets:
            socket = truth[c.id]
            if not socket.sequel:
                assert lanes.role(c) is not Role.SEQUEL, f"connection {c.id} at {talk.now}"
            elif talk.now >= socket.shown:
                assert lanes.role(c) is Role.SEQUEL, f"connection {c.id} at {talk.now}"
                assert lanes.lane(c) == socket.lane
    lanes = lanes_of(talk)
    for socket in one.sockets:
        follower = lanes.successor(talk.connections[socket.conn])
        expected = [x.conn for x in one.sockets if x.after == socket.conn]
        same = [x for x in one.sockets if x.lane == socket.lane and not x.sequel]
        if len(same) == 1:  # identical ones have no identity
            assert [follower.id] == expected if follower else not expected


# With a name.


def two(credential: str = "md-token") -> Shape:
    """A user's socket that syncs, and a market-data socket 1 s later."""
    sync_body = '{"entityTypes":["order"],"splitResponses":true}'
    return Shape(
        lanes=(
            Lane(endpoint="/v1/websocket", credential="access-token", sync=sync_body, places=(1,), opened=(0,)),
            Lane(endpoint="/v1/websocket", credential=credential, places=(2,), opened=(S,)),
        )
    )


def lanes(talk: Talk, shape: Shape | None) -> tuple[Conversation, Lanes]:
    found = Conversation()
    found.shape = shape
    for record in talk.trace().records:
        found.feed(record)
    return found, lanes_of(found)


def test_the_market_data_socket_is_no_sequel_of_a_user_s_socket_that_nobody_answers() -> None:
    """T2: the one for which such a client was certified."""
    talk = Talk(ends=60 * S)
    opened(talk, S, 1)
    authorize(talk, 1.01)
    opened(talk, 2 * S, 2)
    authorize(talk, 2.01, conn=2, token="«md-token#2»", s=200)
    found, known = lanes(talk, two())
    first, second = found.connections.values()
    assert (known.role(first), known.role(second)) == (Role.ORIGINAL, Role.ORIGINAL)
    assert known.successor(first) is None and not known.may_be_of(second, first)
    _, unknown = lanes(talk, None)
    assert unknown.successor(first) is not None, "without a shape it is what it was"


def test_a_sequel_that_has_not_shown_its_lane_is_one_where_one_socket_only_was_lost() -> None:
    talk = Talk(ends=60 * S)
    for at, conn, token in ((1, 1, "«access-token#1»"), (2, 2, "«md-token#2»")):
        opened(talk, at * S, conn)
        authorize(talk, at + 0.01, conn=conn, token=token, s=200)
    sync(talk, 1.1, body={"entityTypes": ["order"]}, d={})
    talk.end(10 * S, 2)
    opened(talk, 12 * S, 3, opens=False)
    found, known = lanes(talk, two())
    one, md, new = found.connections.values()
    assert known.successor(md) is new and known.successor(one) is None and list(known.heirs(md)) == [new]
    talk.end(11 * S, 1)
    found, known = lanes(talk, two())
    one, md, new = found.connections.values()
    assert known.successor(md) is None and known.successor(one) is None, "it may be either's"
    assert known.may_be_of(new, one) and known.may_be_of(new, md) and known.sequels() == [new]


def test_a_socket_of_no_lane_follows_nobody() -> None:
    talk = Talk(ends=60 * S)
    for at, conn, token in ((1, 1, "«access-token#1»"), (2, 2, "«sec#2»")):
        opened(talk, at * S, conn)
        authorize(talk, at + 0.01, conn=conn, token=token, s=200)
    found, known = lanes(talk, two())
    one, strange = found.connections.values()
    assert known.role(strange) is Role.UNKNOWN and known.successor(one) is None
    assert known.strangers(0) == [strange] and not known.may_be_of(strange, one)


def test_of_equal_shards_the_one_that_hangs_is_followed_by_nobody() -> None:
    """Two of three end and come back; the second one, without a watchdog, does not."""
    talk = Talk(ends=90 * S)
    for conn in (1, 2, 3):
        opened(talk, conn * S, conn)
        authorize(talk, conn + 0.01, conn=conn, s=200)
        sync(talk, conn + 0.1, conn=conn, body={"entityTypes": ["order"]}, d={})
    talk.fault(20 * S, "silent")
    for conn, new in ((1, 4), (3, 5)):
        talk.end((30 + conn) * S, conn, "client")
        opened(talk, (31 + conn) * S, new)
        authorize(talk, 31.01 + conn, conn=new, s=200)
        sync(talk, 31.1 + conn, conn=new, body={"entityTypes": ["order"]}, d={})
    key = two().lanes[0]
    shape = Shape(lanes=(Lane(endpoint=key.endpoint, credential=key.credential, sync=key.sync, count=3),))
    found, known = lanes(talk, shape)
    following = {c.id: known.successor(c) for c in found.connections.values()}
    assert {conn: c.id if c else 0 for conn, c in following.items()} == {1: 4, 2: 0, 3: 5, 4: 0, 5: 0}


def test_sequels_that_were_struck_before_they_showed_their_lane_are_followed_by_as_many() -> None:
    """Both sockets are lost; what comes next is not answered on either; then both are back."""
    talk = Talk(ends=60 * S)
    for at, conn, token in ((1, 1, "«access-token#1»"), (2, 2, "«md-token#2»")):
        opened(talk, at * S, conn)
        authorize(talk, at + 0.01, conn=conn, token=token, s=200)
        talk.end(10 * S, conn)
    for conn in (3, 4):
        opened(talk, 12 * S, conn, opens=False)
        talk.end(20 * S, conn, "client")
    for at, conn, token in ((22, 5, "«md-token#2»"), (23, 6, "«access-token#1»")):
        opened(talk, at * S, conn)
        authorize(talk, at + 0.01, conn=conn, token=token, s=200)
    found, known = lanes(talk, two())
    following = {c.id: known.successor(c) for c in found.connections.values()}
    assert {conn: c.id if c else 0 for conn, c in following.items()} == {1: 6, 2: 5, 3: 5, 4: 6, 5: 0, 6: 0}
