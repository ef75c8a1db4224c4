"""Healthy shapes of a client: two starts put together, and what a shape comes to in words.

The law: the larger count of each lane is taken, and what only one start did is said. No I/O, no clock.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence

from msgspec.structs import replace

from brokercert.trace import Lane, Shape

NAMED, LONGEST = 4, 40  # names that a line tells, and characters of each


def is_clear(shape: Shape) -> bool:
    """Whether one start says enough: it opened one socket, and no connection that asked for nothing. What opens several
    may open them in another order, or more of them, the next time.
    """
    return shape.sockets == 1 and not shape.bare


def merged(one: Shape, other: Shape) -> Shape:
    """Both starts together: each lane with its larger count, and what only one of them had."""
    pairs = list(_pairs(one.lanes, other.lanes))
    told = [*one.changes, *other.changes, *(said for pair in pairs for said in _changed(*pair))]
    if bool(one.bare) != bool(other.bare):
        told.append("only one of two starts made connections that asked for nothing")
    return replace(
        one,
        lanes=tuple(_larger(*pair) for pair in pairs),
        bare=max(one.bare, other.bare),
        watched=max(one.watched, other.watched),
        starts=one.starts + other.starts,
        changes=tuple(dict.fromkeys(told)),
    )


def _pairs(first: Iterable[Lane], second: Iterable[Lane]) -> Iterator[tuple[Lane | None, Lane | None]]:
    """Lanes that are one: of the same key, else of the same kind (its sync body is made anew for each start)."""
    left = list(second)
    alone = []
    for lane in first:
        same = next((x for x in left if x.key == lane.key), None)
        if same is None:
            alone.append(lane)
        else:
            left.remove(same)
            yield lane, same
    for lane in alone:
        same = next((x for x in left if x.kind == lane.kind), None)
        if same is not None:
            left.remove(same)
        yield lane, same
    yield from ((None, lane) for lane in left)


def _larger(one: Lane | None, other: Lane | None) -> Lane:
    found = [lane for lane in (one, other) if lane is not None]
    most = max(found, key=lambda lane: lane.count)
    requests = tuple(sorted({endpoint for lane in found for endpoint in lane.requests}))
    return replace(most, beats=any(lane.beats for lane in found), requests=requests)


def _changed(one: Lane | None, other: Lane | None) -> Iterator[str]:
    """What the two starts had otherwise, in a sentence."""
    known = one or other
    assert known is not None
    counts = [lane.count if lane is not None else 0 for lane in (one, other)]
    if counts[0] != counts[1]:
        yield f"one start opened {counts[0]} and another {counts[1]} of: {_kind(known, 1)}"
    elif one is not None and other is not None and one.key != other.key:
        yield f"two starts asked for something else on: {_kind(known, 1)}"


def told(shape: Shape) -> str:
    """The shape in a few sentences."""
    said = [f"In a start with nothing wrong the client opens {_many(shape.sockets, 'socket')}: {_lanes(shape)}."]
    if shape.bare:
        said.append(f"It also makes {_many(shape.bare, 'connection')} that asked for nothing.")
    if shape.tokens:
        endpoints = dict.fromkeys(call.endpoint for call in shape.tokens)
        said.append(f"It calls {_named(list(endpoints))} over REST.")
    if not shape.steady:
        said.append(f"Its starts differ: {'; '.join(shape.changes)}. The larger number counts.")
    return " ".join(said)


def _lanes(shape: Shape) -> str:
    """Those of a kind together, whatever each of them asks for."""
    kinds: dict[tuple[object, ...], list[Lane]] = {}
    for lane in shape.lanes:
        kinds.setdefault((*lane.kind[1:], lane.symbols), []).append(lane)
    return "; ".join(_of_kind(lanes) for lanes in kinds.values())


def _of_kind(lanes: Sequence[Lane]) -> str:
    count = sum(lane.count for lane in lanes)
    differ = ", each kind with a sync request of its own" if len(lanes) > 1 and lanes[0].sync else ""
    return f"{count} that {_kind(lanes[0], count)}{differ}"


def _kind(lane: Lane, count: int) -> str:
    """What sockets of it do."""
    s, does = ("s", "does") if count == 1 else ("", "do")
    login = f"authorize{s} with {lane.credential}" if lane.credential else f"{does} not authorize"
    sync = f"sync{s}" if lane.sync else f"{does} not sync"
    asks = f", and ask{s} for {_named(lane.symbols)}" if lane.symbols else ""
    return f"{login} and {sync}{asks}"


def _named(names: Sequence[str]) -> str:
    """The first of what a client named, cut to a length that a line bears."""
    more = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
    return f"{', '.join(name[:LONGEST] for name in names[:NAMED])}{more}"


def _many(count: int, noun: str) -> str:
    return f"{count} {noun}" if count == 1 else f"{count} {noun}s"
