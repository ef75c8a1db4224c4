"""A connection as the broker saw it, in any dialect, and how it ended. Times are microseconds."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Literal

from brokercert.judge.moments import Close, End, Moment, Noted, Said

LossBy = Literal["broker", "network", "client"]


@dataclass(slots=True, frozen=True)
class Loss:
    """The end of a connection as the client can see it, or its own giving up."""

    t: int
    record: int
    by: LossBy
    how: str  # "close 1012", "c[3000]", "fin", "rst", "proxy-down"


@dataclass(slots=True, eq=False)
class Socket:
    """One TCP connection as the broker saw it."""

    id: int
    accepted: int
    accepted_record: int
    head: Moment | None = None  # a complete upgrade head
    target: str = ""  # its path
    query: str = ""
    origin: str = ""
    last_rest: int | None = None  # t of the last REST answer on it
    rest: bool = False
    upgraded: Moment | None = None
    refused_status: int | None = None
    sent: list[Moment] = field(default_factory=list)  # every complete frame that the broker sent
    pinged: list[Said] = field(default_factory=list)  # the broker's pings, with what they carried
    ponged: list[Said] = field(default_factory=list)  # the client's pongs, likewise
    binary_received: list[Moment] = field(default_factory=list)  # the client's binary messages
    client_close: Close | None = None
    broker_close: Close | None = None
    ended: list[End] = field(default_factory=list)
    loss: Loss | None = None
    silent: Moment | None = None  # since when the broker says nothing more
    disturbed: Moment | None = None  # the first thing that was no healthy broker's doing
    excused: Moment | None = None  # the first of those that excuse whoever leaves from then on: no ticket does
    raw: list[Noted[bytes]] = field(default_factory=list)  # bytes that are no well-formed frame

    @property
    def closed(self) -> int | None:
        """When either side first ended the TCP connection."""
        return self.ended[0].t if self.ended else None

    @property
    def is_open(self) -> bool:
        """Upgraded, and neither lost nor given up (a silent server's socket is open)."""
        return self.upgraded is not None and self.loss is None and not self.ended

    @property
    def is_heard(self) -> bool:
        """Open, and its server still speaks."""
        return self.is_open and self.silent is None

    def given_up(self) -> Loss | None:
        """The client's own end of it, where the broker or the network had not ended it before."""
        return self.loss if self.loss is not None and self.loss.by == "client" else None

    def lost_before(self, t: int) -> bool:
        """It was lost, or given up, before that time."""
        return self.loss is not None and self.loss.t < t

    def stood_at(self, t: int) -> bool:
        """It was upgraded before that time, and not lost before it."""
        return self.upgraded is not None and self.upgraded.t < t and not self.lost_before(t)

    def ends_by_client(self) -> list[End]:
        """The client's own ends of the TCP connection."""
        return [end for end in self.ended if end.by == "client"]

    def last_seen(self, until: int) -> int:
        """Up to when it was observed alive: its loss, or `until`."""
        return self.loss.t if self.loss is not None else until

    def fell_silent_with(self, other: Socket, within: int) -> bool:
        """Both brokers fell silent, and no further apart than that: one cause, though each has a record of its own."""
        one, two = self.silent, other.silent
        return one is not None and two is not None and abs(one.t - two.t) < within

    def heard_until(self, until: int) -> int:
        """Up to when it was observed alive, and its server with it."""
        seen = self.last_seen(until)
        return min(seen, self.silent.t) if self.silent is not None else seen
