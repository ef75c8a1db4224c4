"""Which socket is whose sequel: each connection of a trace on a lane of the client's healthy shape.

The law: a socket of the start is no sequel, and a socket beyond it is one of its own lane only. `Lanes` says of each
connection

* `role`: ORIGINAL (it fills a slot of the start), SEQUEL (its lane is full: it takes another socket's place), UNKNOWN
  (no lane of the shape has such sockets);
* `lane`: the number of its lane in the shape; None while that cannot be told;
* `successor`: the sequel that took its place, and `heirs`, the successor's successors too;
* `may_be_of`: whether it could still turn out to be of another's lane.

A socket shows its lane by what it authorizes with and by its sync request. One that has not shown it yet is put where
it came in the order and the time of opening, and by elimination; who it is can change with the next record. Identical
shards have no identity: a sequel takes the place of one that ended, the first first, before one that stands.

Without a shape (older traces, and what was played alone) every later socket is a sequel, as it was before there were
shapes. Pure, computed anew for each record that is asked about: no I/O, no clock. Times are microseconds.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from weakref import WeakKeyDictionary

from brokercert.judge.tradovate.model.conversation import Connection, Conversation
from brokercert.judge.tradovate.model.shape import credential_of, endpoint_of, symbols_of, sync_of
from brokercert.trace import Lane, Shape

TOGETHER = 300_000  # sockets that the start opened no further apart come in any order
LONG_LIFE = 30_000_000  # a socket that syncs at all has done so long before (`window_first_sync`)
NEVER = 1 << 62


class Role(StrEnum):
    ORIGINAL = "original"
    SEQUEL = "sequel"
    UNKNOWN = "unknown"


@dataclass(slots=True)
class _Place:
    """What is known of one socket. `fits`: the lanes that it may be of, by number."""

    c: Connection
    fits: tuple[int, ...]
    lane: int | None = None
    role: Role = Role.UNKNOWN
    successor: Connection | None = None


@dataclass
class Lanes:
    """The sockets that asked for an upgrade, each with its place. `shape` None: nothing is known of the client."""

    shape: Shape | None
    sockets: Sequence[Connection]  # in the order in which they were accepted
    _places: dict[int, _Place] = field(default_factory=dict)

    def __post_init__(self) -> None:
        if self.shape is not None:
            places = [_Place(c, _fits(c, self.shape.lanes)) for c in self.sockets]
            self._places = {place.c.id: place for place in places}
            _assign(places, self.shape.lanes)

    def lane(self, c: Connection) -> int | None:
        """The number of its lane in the shape; None: it cannot be told, or there is no shape."""
        place = self._places.get(c.id)
        return place.lane if place is not None else None

    def role(self, c: Connection) -> Role:
        if self.shape is None:
            return Role.ORIGINAL if not self.sockets or c is self.sockets[0] else Role.SEQUEL
        place = self._places.get(c.id)
        return place.role if place is not None else Role.UNKNOWN

    def may_be_of(self, other: Connection, c: Connection) -> bool:
        """Whether `other` is of c's lane, or may turn out to be. Always, without a shape."""
        if self.shape is None:
            return True
        one, two = self._places.get(other.id), self._places.get(c.id)
        if one is None or two is None:
            return True  # it asked for nothing so far
        if one.lane is not None and two.lane is not None:
            return one.lane == two.lane
        return bool(set(one.fits) & set(two.fits))

    def successor(self, c: Connection, since: int = -1) -> Connection | None:
        """The socket that took its place, accepted after `since`; None: none did, or none has shown that it does."""
        if self.shape is None:
            after = max(c.accepted, since)
            return next((x for x in self.sockets if x is not c and x.accepted > after), None)
        place = self._places.get(c.id)
        found = place.successor if place is not None else None
        return found if found is not None and found.accepted > since else None

    def heirs(self, c: Connection) -> Iterator[Connection]:
        """Its successor, the successor of that, and so on. Without a shape: every later socket. Of a socket that never
        showed its lane: every sequel after its end that may be of the same.
        """
        if self.shape is None:
            yield from (x for x in self.sockets if x is not c and x.accepted > c.accepted)
            return
        if self.lane(c) is None:
            yield from (x for x in self.sequels() if c.lost_before(x.accepted + 1) and self.may_be_of(x, c))
            return
        following = self.successor(c)
        while following is not None:
            yield following
            following = self.successor(following)

    def may_replace(self, other: Connection, c: Connection) -> bool:
        """Whether `other` may be an attempt to take c's place: its successor, one that has not shown its lane yet, or
        a late one of the start. Any but itself, without a shape, or where nobody knows what `c` is for.
        """
        if other is c or self.lane(c) is None:
            return other is not c
        if self.lane(other) is None:
            return self.role(other) is Role.SEQUEL and self.may_be_of(other, c)
        late = self.role(other) is Role.ORIGINAL and self.lane(other) == self.lane(c)
        return late or other is self.successor(c)

    def sequels(self) -> list[Connection]:
        """The sockets beyond the start, whosoever they follow."""
        return [c for c in self.sockets if self.role(c) is Role.SEQUEL]

    def others_of_kind(self, c: Connection) -> list[Connection]:
        """Sequels of other sockets that do the same as `c`, be it for another share: shards. None, without a shape."""
        own = self.lane(c)
        if self.shape is None or own is None:
            return []
        lanes = self.shape.lanes
        kind = {number for number, lane in enumerate(lanes) if lane.kind == lanes[own].kind}
        follows = self.successor(c)
        return [x for x in self.sequels() if x is not follows and self.lane(x) in kind]

    def strangers(self, since: int) -> list[Connection]:
        """Sockets that are of no lane, accepted after that time: what they are for cannot be told."""
        if self.shape is None:
            return []
        return [c for c in self.sockets if c.accepted > since and self.role(c) is Role.UNKNOWN]

    def doubtful(self, c: Connection, since: int) -> list[Connection]:
        """Sockets accepted after that time that may have taken its place, and have not shown whether they did: they are
        of no lane, or of none so far.
        """
        later = [x for x in self.sockets if x is not c and x.accepted > since and self.lane(x) is None]
        sequels = [x for x in later if self.role(x) is Role.SEQUEL and self.may_be_of(x, c)]
        return [] if self.shape is None else [*sequels, *self.strangers(since)]


_KNOWN: WeakKeyDictionary[Conversation, tuple[int, Lanes]] = WeakKeyDictionary()


def lanes_of(talk: Conversation) -> Lanes:
    """The lanes of all that was told so far."""
    known = _KNOWN.get(talk)
    if known is None or known[0] != talk.count:
        known = talk.count, Lanes(talk.shape, [c for c in talk.connections.values() if c.head])
        _KNOWN[talk] = known
    return known[1]


# Which lanes a socket may be of, by what it has shown.


def _fits(c: Connection, lanes: Sequence[Lane]) -> tuple[int, ...]:
    """By path, credential and sync body. A body that no lane has says no more than that it syncs: a client may ask for
    something else the next time.
    """
    near = [n for n, lane in enumerate(lanes) if _same_login(c, lane)]
    if c.syncs:
        body = sync_of(c)
        near = [n for n in near if lanes[n].sync == body] or [n for n in near if lanes[n].sync]
    elif _never_syncs(c):
        near = [n for n in near if not lanes[n].sync] or near
    asked = set(symbols_of(c))
    if asked:
        same = [n for n in near if asked == set(lanes[n].symbols)]
        near = same or [n for n in near if asked & set(lanes[n].symbols)] or near
    return tuple(near)


def _never_syncs(c: Connection) -> bool:
    """Whether it lived for long after its login, to its end or to its last heartbeat, without a sync request."""
    if c.authorized is None:
        return False
    until = c.loss.t if c.loss is not None else max((beat.t for beat in c.beats), default=0)
    return until - c.authorized.t > LONG_LIFE


def _same_login(c: Connection, lane: Lane) -> bool:
    """As far as it has come: before its authorize it may be anybody's."""
    return endpoint_of(c) == lane.endpoint and (not c.authorizes or credential_of(c) == lane.credential)


def is_equal(c: Connection, lane: Lane) -> bool:
    """Whether it synced just as that lane's sockets do."""
    return bool(c.syncs) and _same_login(c, lane) and sync_of(c) == lane.sync


# The places of the start.


def _assign(places: Sequence[_Place], lanes: Sequence[Lane]) -> None:
    """Fill the slots of the start, then hand each sequel the place of the socket that it follows."""
    shown: list[list[_Place]] = [[place for place in places if place.fits == (n,)] for n in range(len(lanes))]
    taken = [0] * len(lanes)  # slots that sockets fill which do not show their lane
    first = places[0].c.accepted if places else 0
    vague = [place for place in places if len(place.fits) > 1]
    for number, place in enumerate(vague):
        slot = _slot(place, lanes, shown, taken, first)
        if slot is None:
            slot = _made_free(place, vague[:number], lanes, shown, taken)
        if slot is not None:
            taken[slot] += 1
            place.lane, place.role = slot, Role.ORIGINAL
    for number, lane in enumerate(lanes):
        for ordinal, place in enumerate(shown[number]):
            place.lane = number
            place.role = Role.ORIGINAL if ordinal < lane.count - taken[number] else Role.SEQUEL
    _follow(places)


def _slot(
    place: _Place, lanes: Sequence[Lane], shown: Sequence[Sequence[_Place]], taken: Sequence[int], first: int
) -> int | None:
    """The lane of which it fills a slot; None: those that it may be of are full.

    The one whose turn it was, by the time since the first socket; of several, the one that lacks it longest: whose
    last socket, without this one, came last or not at all.
    """

    def rank(number: int) -> tuple[int, int]:
        lane, turn = lanes[number], _filled(place, shown[number]) + taken[number]
        due = lane.opened[turn] if turn < len(lane.opened) else 0
        off = abs(place.c.accepted - first - due)
        left_over = lane.count - taken[number] - 1
        late = shown[number][left_over].c.accepted if left_over < len(shown[number]) else NEVER
        return max(0, off - TOGETHER), -late

    free = [n for n in place.fits if _filled(place, shown[n]) + taken[n] < lanes[n].count]
    return min(free, key=rank, default=None)


def _made_free(
    place: _Place,
    before: Iterable[_Place],
    lanes: Sequence[Lane],
    shown: Sequence[Sequence[_Place]],
    taken: list[int],
) -> int | None:
    """A slot that one of those before it leaves to it, since it may fill one that nobody fills."""
    for other in before:
        left = other.lane
        if left is not None and left in place.fits:
            slot = next((n for n in other.fits if len(shown[n]) + taken[n] < lanes[n].count), None)
            if slot is not None:
                taken[left] -= 1
                taken[slot] += 1
                other.lane = slot
                return left
    return None


def _filled(place: _Place, shown: Iterable[_Place]) -> int:
    """How many of these came before it."""
    return sum(other.c.accepted_record < place.c.accepted_record for other in shown)


# Who follows whom.


def _follow(places: Sequence[_Place]) -> None:
    """Sequels that show their lane first; those that do not yet, by elimination, where one lane only lacks one."""
    for place in places:
        if place.role is Role.SEQUEL and place.lane is not None:
            _take_over(place, places)
    for place in places:
        if place.lane is None and len(place.fits) > 1:
            place.role = Role.SEQUEL
            vacant = [one for one in places if one.lane in place.fits and _is_vacant(one, place.c)]
            if len({one.lane for one in vacant}) == 1:
                left = min(vacant, key=lambda one: _order(one.c, place.c))
                place.lane, place.successor, left.successor = left.lane, left.successor, place.c
    _follow_unknown(places)


def _follow_unknown(places: Sequence[_Place]) -> None:
    """Sequels that never showed their lane, since several were struck at once, are followed by as many that did: which
    of them by which is all the same.
    """
    for place in places:
        if place.role is Role.SEQUEL and place.lane is not None:
            before = [
                one
                for one in places
                if one.role is Role.SEQUEL and one.lane is None and one.successor is None
                if place.lane in one.fits and _is_before(one, place)
            ]
            left = min(before, key=lambda one: _order(one.c, place.c), default=None)
            if left is not None:
                left.successor = place.c


def _is_vacant(one: _Place, c: Connection) -> bool:
    """Whether it ended, or its broker fell silent, before that socket came, and none had taken its place by then."""
    taken = one.successor is not None and one.successor.accepted_record < c.accepted_record
    return not taken and (one.c.lost_before(c.accepted + 1) or _silent_before(one.c, c))


def _silent_before(one: Connection, c: Connection) -> bool:
    return one.silent is not None and one.silent.t <= c.accepted


def _take_over(place: _Place, places: Sequence[_Place]) -> None:
    before = [one for one in places if one.lane == place.lane and one.successor is None and _is_before(one, place)]
    left = min(before, key=lambda one: _order(one.c, place.c), default=None)
    if left is not None:
        left.successor = place.c


def _is_before(one: _Place, place: _Place) -> bool:
    return one.c.accepted_record < place.c.accepted_record


def _order(one: Connection, c: Connection) -> tuple[int, int, int]:
    """In which order sockets are replaced: those that had ended, those that ended when the new one was there, those
    whose broker fell silent (the longest first), those that stand.
    """
    if one.loss is not None:
        return (0 if one.loss.t <= c.accepted else 1), one.loss.t, one.accepted_record
    if _silent_before(one, c):
        return 2, _last_word(one), one.accepted_record
    return 3, one.accepted, one.accepted_record


def _last_word(one: Connection) -> int:
    """When its broker last said something before it fell silent."""
    until = one.silent.t if one.silent is not None else NEVER
    return next((sent.t for sent in reversed(one.sent) if sent.t <= until), one.accepted)
