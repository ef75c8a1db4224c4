"""A client's healthy shape: what it opens by itself in a start with nothing wrong. It stands in a trace's header.

What differs from scenario to scenario (numbers of labels and of connections, ports) is not in it, so that a socket of
any trace can be told by it. Times are microseconds.
"""

from __future__ import annotations

import msgspec


class Lane(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Sockets of a start that do the same work. Equal ones are one lane with a `count`: identical shards.

    `endpoint` is the path of the upgrade request; `credential` the kind of label that it authorized with, empty where
    it sent none; `sync` the body of its sync request as canonical JSON, without a ticket, empty where it sent none;
    `symbols` what it asked quotes of. `places` and `opened` say of each socket which one of the start it was, from 1
    on, and how long after the first.
    """

    endpoint: str
    credential: str = ""
    sync: str = ""
    symbols: tuple[str, ...] = ()
    count: int = 1  # the most that lived at once
    places: tuple[int, ...] = ()
    opened: tuple[int, ...] = ()
    beats: bool = False  # a heartbeat was seen; False says nothing of a slow cadence
    requests: tuple[str, ...] = ()  # endpoints of its further requests

    @property
    def key(self) -> tuple[str, str, str, tuple[str, ...]]:
        """What makes it this lane."""
        return self.endpoint, self.credential, self.sync, self.symbols

    @property
    def kind(self) -> tuple[str, str, bool]:
        """The same without what a client may ask otherwise the next time."""
        return self.endpoint, self.credential, bool(self.sync)


class TokenCall(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """A REST call about tokens, and how long after the client's start it came."""

    endpoint: str
    t: int


class Shape(msgspec.Struct, frozen=True, kw_only=True, omit_defaults=True):
    """Of one start, or of several (`starts`): then with the larger counts.

    `start_up` is the time from the client's start to its first connection; `bare` how many connections asked for
    nothing (a health probe's); `watched` how long the start was watched from the first socket on. `changes` are
    sentences: what one start did and another did not.
    """

    lanes: tuple[Lane, ...]
    tokens: tuple[TokenCall, ...] = ()
    bare: int = 0
    start_up: int = 0
    watched: int = 0
    starts: int = 1
    changes: tuple[str, ...] = ()

    @property
    def steady(self) -> bool:
        """Whether each start had the same."""
        return not self.changes

    @property
    def sockets(self) -> int:
        """How many WebSockets it has open at once."""
        return sum(lane.count for lane in self.lanes)
