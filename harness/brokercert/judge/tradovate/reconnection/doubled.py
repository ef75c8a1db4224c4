"""More sockets than a healthy client has: two complete reconnect loops after one loss (TP §11, row 12).

The law: a socket lives while its broker speaks and the client uses it. From some seconds after the latest sync request
was answered there are never more equal ones than a healthy start has, or than this trace had before anything was done
to the client. Sockets whose sync requests differ are no two of one kind: what a stranger is for nobody can tell.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from brokercert.judge.tradovate.bench import Bench
from brokercert.judge.tradovate.model.conversation import Answer, Connection
from brokercert.judge.tradovate.model.shape import credential_of, endpoint_of, most_at_once, sync_of
from brokercert.verdict import Finding, Form

Key = tuple[str, str, str]  # endpoint, what it authorized with, sync body


@dataclass(frozen=True, slots=True)
class Together:
    """Equal sockets that lived at once: `latest` is the answer to the sync of the last of them."""

    sockets: list[Connection]
    latest: Answer


def too_many(bench: Bench) -> Iterator[Finding]:
    """A breach for each kind of socket of which more lived at once than a healthy client has."""
    for key, sockets in equal_sockets(bench).items():
        most = healthy_count(bench, key, sockets)
        together = next((one for one in _together(bench, sockets) if len(one.sockets) > most), None) if most else None
        if together is not None:
            yield _doubled(bench, together, most)


def _doubled(bench: Bench, found: Together, most: int) -> Finding:
    numbers = ", ".join(str(c.id) for c in found.sockets)
    answers = [c.synced.record for c in found.sockets if c.synced is not None]
    return bench.breach(
        Form.AGAIN,
        f"{len(found.sockets)} equal sockets lived at once, connections {numbers}, for more than"
        f" {bench.limit('lane_doubled'):g} s after the latest sync; a healthy client has {most}",
        "as many sockets of a kind as before: each further one brings every event once more",
        [*answers, *_used(found)],
        [bench.count("equal sockets at once", len(found.sockets), most)],
        clause="one socket for one",
    )


def _used(found: Together) -> Iterator[int]:
    """The record by which each of them was seen to be used after that."""
    for c in found.sockets:
        yield next(record for t, record in _uses(c) if t > found.latest.t)


def _uses(c: Connection) -> list[tuple[int, int]]:
    """When the client beat or asked for something on it, and in which record."""
    return sorted([*((t, record) for t, record in c.beats), *((q.t, q.record) for q in c.requests)])


def equal_sockets(bench: Bench) -> dict[Key, list[tuple[Connection, Answer]]]:
    """The sockets whose sync was answered, each with that answer, by what makes them equal."""
    found: dict[Key, list[tuple[Connection, Answer]]] = {}
    for c, answer in bench.talk.caught_up:
        found.setdefault((endpoint_of(c), credential_of(c), sync_of(c)), []).append((c, answer))
    return found


def healthy_count(bench: Bench, key: Key, sockets: list[tuple[Connection, Answer]]) -> int:
    """How many of these a healthy client has at once: in its start, or here before anything was done to it. 0: nobody
    knows.
    """
    shape = bench.talk.shape
    touched = min((c.disturbed.t for c, _ in sockets if c.disturbed is not None), default=bench.end)
    before = [(c, answer) for c, answer in sockets if answer.t < touched]
    if shape is None:
        return most_at_once(c for c, _ in before) if _had_settled(bench, before, touched) else 0
    start = sum(lane.count for lane in shape.lanes if lane.key[:3] == key)
    return max(1, start, most_at_once(c for c, _ in before))


def _had_settled(bench: Bench, before: list[tuple[Connection, Answer]], touched: int) -> bool:
    """Whether all that the client opens by itself had been there by then: nothing new came for long enough."""
    return bool(before) and touched - max(answer.t for _, answer in before) >= bench.micros("shape_settle")


def _together(bench: Bench, sockets: list[tuple[Connection, Answer]]) -> Iterator[Together]:
    """For each of these, in order: those that lived, and were used, for long enough after its sync was answered."""
    grace = bench.micros("lane_doubled")
    for _, latest in sorted(sockets, key=lambda one: one[1].t):
        living = [c for c, answer in sockets if answer.t <= latest.t and _lives_on(bench, c, latest.t, grace)]
        yield Together(living, latest)


def _lives_on(bench: Bench, c: Connection, since: int, grace: int) -> bool:
    """Whether its broker spoke and it stood for so long after that, and the client used it."""
    if c.heard_until(bench.end) - since <= grace:
        return False
    return any(t > since for t, _ in _uses(c))
