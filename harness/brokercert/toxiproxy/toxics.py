"""The toxics: each turns timed pieces of a stream into timed pieces. They hold no socket and read no clock.

A piece is what leaves at a moment. A toxic's `pipe` is called with each piece as it comes to it, and gives the pieces
that leave it. `end` is called as the end of the stream comes to it, and gives the moment at which the end leaves.
`idle` is called at the moment that it named in `wake`. State is per connection and direction. The configuration is
shared by all connections of a proxy, and may change under way. As in the real server, a toxic takes a piece once it is
done with the one before (`free`), and a piece remembers when it was read (`stamp`).
"""

from __future__ import annotations

import random
import struct
from collections.abc import Iterable
from dataclasses import dataclass
from typing import ClassVar, Literal

Stream = Literal["upstream", "downstream"]
BANDWIDTH_TICK = 0.1  # seconds: the real server sends a tenth of a second's worth at a time
KILOBYTE = 1000  # bytes, by the real server's count


@dataclass(slots=True)
class Piece:
    """Bytes that leave at `at` (seconds). `stamp`: when they were read, as the toxics count it; `ends`: after them the
    stream ends.
    """

    at: float
    data: bytes
    stamp: float
    ends: bool = False


@dataclass(slots=True, eq=False)
class Toxic:
    """A configured toxic. `attributes` always holds every attribute of its type."""

    type: str
    name: str
    stream: str  # as typed by whoever added it
    toxicity: float
    attributes: dict[str, int]

    def as_json(self) -> dict[str, object]:
        toxicity = struct.unpack("f", struct.pack("f", self.toxicity))[0]  # the real one keeps a float32
        shown: float | int = float(f"{toxicity:.8g}")
        if float(shown).is_integer():
            shown = int(shown)
        return {
            "attributes": dict(self.attributes),
            "name": self.name,
            "type": self.type,
            "stream": self.stream,
            "toxicity": shown,
        }


class Stub:
    """One toxic at work on one direction of one connection. `over`: it has given an end, and takes nothing more.
    `free`: from when on it takes the next piece.
    """

    attributes: ClassVar[tuple[str, ...]] = ()
    closes_on_removal: ClassVar[bool] = False

    def __init__(self, toxic: Toxic, rng: random.Random, now: float) -> None:
        self.toxic = toxic
        self.rng = rng
        self.over = False
        self.free = now
        self.wake: float | None = None

    def value(self, name: str) -> int:
        return self.toxic.attributes[name]

    def pipe(self, piece: Piece) -> Iterable[Piece]:
        return (piece,)

    def end(self, at: float) -> float:
        return at

    def idle(self, now: float) -> Iterable[Piece]:
        return ()


class Noop(Stub):
    """Passes everything."""


class Latency(Stub):
    """Each piece leaves `latency` ± `jitter` ms after it was read, in order: what a bandwidth delayed it counts.

    The time of another latency does not count, so that two of them add up. In 2.12.0 some of it does.
    """

    attributes = ("latency", "jitter")

    def pipe(self, piece: Piece) -> Iterable[Piece]:
        jitter = self.value("jitter")
        delay = self.value("latency") + (self.rng.uniform(-jitter, jitter) if jitter > 0 else 0)
        self.free = max(piece.at, piece.stamp + delay / 1000)
        return (Piece(self.free, piece.data, self.free),)


class Bandwidth(Stub):
    """At most `rate` KB a second, a tenth of a second's worth at a time. Rate 0 and below: not throttled."""

    attributes = ("rate",)

    def pipe(self, piece: Piece) -> Iterable[Piece]:
        rate = self.value("rate") * KILOBYTE
        if rate <= 0:
            return (piece,)
        size = max(1, round(rate * BANDWIDTH_TICK))
        at = piece.at
        pieces = []
        for start in range(0, len(piece.data), size):
            part = piece.data[start : start + size]
            at += len(part) / rate
            pieces.append(Piece(at, part, piece.stamp))
        self.free = at
        return pieces


class SlowClose(Stub):
    """The end of the stream comes `delay` ms late."""

    attributes = ("delay",)

    def end(self, at: float) -> float:
        return at + self.value("delay") / 1000


class Timeout(Stub):
    """Drops data; after `timeout` ms without any, ends the connection (0: never). An end passes at once."""

    attributes = ("timeout",)
    closes_on_removal = True

    def __init__(self, toxic: Toxic, rng: random.Random, now: float) -> None:
        super().__init__(toxic, rng, now)
        self._arm(now)

    def _arm(self, now: float) -> None:
        timeout = self.value("timeout")
        self.wake = now + timeout / 1000 if timeout > 0 else None

    def pipe(self, piece: Piece) -> Iterable[Piece]:
        self._arm(piece.at)  # dropped on the ground; the wait begins anew
        return ()

    def idle(self, now: float) -> Iterable[Piece]:
        return (Piece(now, b"", now, ends=True),)


class ResetPeer(Stub):
    """After the first data, or the end, of its stream: `timeout` ms later both sides are reset."""

    attributes = ("timeout",)

    def pipe(self, piece: Piece) -> Iterable[Piece]:
        return (Piece(piece.at + self.value("timeout") / 1000, b"", piece.stamp, ends=True),)

    def end(self, at: float) -> float:
        return at + self.value("timeout") / 1000


class Slicer(Stub):
    """Cuts pieces in halves until they are about `average_size` ± `size_variation` bytes, `delay` µs after each."""

    attributes = ("average_size", "size_variation", "delay")

    def pipe(self, piece: Piece) -> Iterable[Piece]:
        at = piece.at
        pieces = []
        for start, end in self._cuts(0, len(piece.data)):
            pieces.append(Piece(at, piece.data[start:end], piece.stamp))
            at += self.value("delay") / 1_000_000
        self.free = at
        return pieces

    def _cuts(self, start: int, end: int) -> list[tuple[int, int]]:
        average, variation = self.value("average_size"), self.value("size_variation")
        if end - start <= average + variation:
            return [(start, end)]
        middle = start + (end - start) // 2
        if variation > 0:
            middle += self.rng.randrange(-variation, variation + 1)
            middle = min(max(middle, start + 1), end - 1)
        return [*self._cuts(start, middle), *self._cuts(middle, end)]


class LimitData(Stub):
    """Passes `bytes` bytes, then ends the connection."""

    attributes = ("bytes",)

    def __init__(self, toxic: Toxic, rng: random.Random, now: float) -> None:
        super().__init__(toxic, rng, now)
        self._passed = 0

    def pipe(self, piece: Piece) -> Iterable[Piece]:
        left = max(0, self.value("bytes") - self._passed)
        part = piece.data[:left]
        self._passed += len(part)
        if self._passed >= self.value("bytes"):
            return (Piece(piece.at, part, piece.stamp, ends=True),)
        return (Piece(piece.at, part, piece.stamp),)


TYPES: dict[str, type[Stub]] = {
    "bandwidth": Bandwidth,
    "latency": Latency,
    "limit_data": LimitData,
    "noop": Noop,
    "reset_peer": ResetPeer,
    "slicer": Slicer,
    "slow_close": SlowClose,
    "timeout": Timeout,
}
