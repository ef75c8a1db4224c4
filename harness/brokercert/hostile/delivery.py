"""How hostile frames are handed over, whoever sends them: in batches, with a valid event behind each batch.

The scenarios and the fuzzer deliver by these functions. They differ in how they wait: a scenario reads the folded
trace, the fuzzer over the wire asks its broker, and the fuzzer of handlers has nothing to wait for.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from random import Random
from typing import Any, NamedTuple, Protocol

from brokercert.hostile.model import Hostile

BATCH = 32  # frames: few enough to be bisected in five steps, enough to be quick
MARKERS = ("order", "position", "cashBalance", "account", "contract", "user")  # types of markers, best first


class Socket(Protocol):
    """A broker's socket, as it is needed here."""

    @property
    def subscription(self) -> Subscription | None: ...

    def send_raw(self, data: bytes) -> None: ...

    def send_text(self, text: str) -> None: ...

    def send_event(self, kind: str, data: Any) -> None: ...


class Subscription(Protocol):
    """What a socket is sent."""

    def wants(self, state: Any, kind: str, entity: dict[str, Any]) -> bool: ...


class Entities(Protocol):
    """A broker's entities."""

    def of(self, kind: str) -> list[dict[str, Any]]: ...

    def new_id(self) -> int: ...


class Marker(NamedTuple):
    """A valid event that stands for all others: the type and the id of its entity."""

    kind: str
    ident: int


def drawn_batch(draw: Callable[[Random, int], Hostile], seed: int, number: int) -> list[Hostile]:
    """The frames of batch `number`. They hang on the seed and the number alone, not on what was fed before.

    `draw` is given a source of chance and the frame's place in the batch.
    """
    rng = Random(seed * 1_000_003 + number)
    return [draw(rng, place) for place in range(BATCH)]


def batches(frames: Sequence[Hostile], size: int = BATCH) -> Iterator[list[Hostile]]:
    """These frames in their order, so many at a time."""
    for start in range(0, len(frames), size):
        yield list(frames[start : start + size])


def send(socket: Socket, frames: Sequence[Hostile]) -> None:
    """Send them in one go, so that nothing of the broker's own stands between them."""
    for frame in frames:
        if frame.wire:
            socket.send_raw(frame.wire)
        else:
            socket.send_text(frame.text)


def send_marker(socket: Socket, db: Entities, announce: Callable[[Marker], None]) -> Marker | None:
    """Send a new entity of a type that the socket wants, after `announce` has been told of it. None: it wants none.

    The id is new each time, so that its report cannot be that of another event.
    """
    wanted = socket.subscription
    found = next(((kind, x) for kind in MARKERS for x in db.of(kind) if wanted and wanted.wants(db, kind, x)), None)
    if found is None:
        return None
    kind, entity = found
    marker = Marker(kind, db.new_id())
    announce(marker)
    data = {"entityType": kind, "eventType": "Created", "entity": {**entity, "id": marker.ident}}
    socket.send_event("props", data)
    return marker
