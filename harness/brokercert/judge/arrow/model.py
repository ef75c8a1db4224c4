"""Folds a trace of the Arrow dialect: who connected with what, which updates were sent, what the client raised.

It decides nothing, except what an update's text is: which objects are updates, and which of them are valid, the
edition of the page says. No I/O, no clock.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import msgspec

from brokercert.judge.arrow.edition import FIRST, TERMINAL, Edition, Key
from brokercert.judge.moments import Moment, Said
from brokercert.judge.sockets import Loss, Socket
from brokercert.judge.told import Report
from brokercert.judge.transcript import SECOND, Transcript
from brokercert.trace import records as r
from brokercert.trace.names import LedgerName

HEARTBEAT = "PONG"
ARRIVAL = SECOND // 2  # after so long, on an undelayed path, a message has arrived (judging rule)


@dataclass(slots=True, eq=False)
class Update:
    """An update that the broker sent. `key` is what duplicates are told by."""

    t: int
    record: int
    conn: int
    body: dict[str, Any]
    problem: str
    key: Key

    @property
    def is_end(self) -> bool:
        """It is valid, and its order is over by it."""
        return not self.problem and self.body["orderStatus"] in TERMINAL


@dataclass(slots=True, eq=False)
class UpdateSocket(Socket):
    """One TCP connection as the broker saw it."""

    beats: list[Moment] = field(default_factory=list)
    other: list[Said] = field(default_factory=list)
    texts: list[Said] = field(default_factory=list)  # every text that the broker sent
    updates: list[Update] = field(default_factory=list)
    binary: list[Moment] = field(default_factory=list)  # binary frames that the broker sent

    def parameter(self, name: str) -> str | None:
        """A value of its query as it stands there: a label, where it is one of the credentials."""
        for pair in self.query.split("&"):
            key, _, value = pair.partition("=")
            if key == name:
                return value
        return None

    def heard(self, t: int) -> bool:
        """Something sent on it at `t` had arrived before it was lost."""
        return self.loss is None or self.loss.t >= t + ARRIVAL


class Updates(Transcript[UpdateSocket]):
    """Everything said in one scenario, as the first edition of the page has it."""

    socket = UpdateSocket
    edition: Edition = FIRST
    token_paths = ("/session/renew",)

    def __init__(self) -> None:
        super().__init__()
        self.printed: list[tuple[int, str]] = []  # (record, text) of all that the client put out
        self.own_orders: tuple[str, ...] = ()  # those that it was told to have a handler for
        self.own_tracked: tuple[str, ...] = ()  # those that it was told to track

    def client_text(self, c: UpdateSocket, number: int, t: int, text: str) -> None:
        if text == HEARTBEAT:
            c.beats.append(Moment(t, number))
        else:
            c.other.append(Said(t, number, text))

    def broker_text(self, c: UpdateSocket, number: int, t: int, text: str) -> None:
        c.texts.append(Said(t, number, text))
        body = object_of(text)
        if body is not None and self.edition.is_update(body):
            c.updates.append(Update(t, number, c.id, body, self.edition.problem_of(body), self.edition.key_of(body)))

    def feed(self, record: r.Body) -> None:
        super().feed(record)
        if isinstance(record, r.Frame) and (record.sender, record.opcode) == ("broker", 2):
            self.connections[record.conn].binary.append(Moment(record.t, self.count))
        if isinstance(record, r.Ledger) and record.name == LedgerName.TOLD:
            self.own_orders = tuple(map(str, record.state.get("orders", ())))
            self.own_tracked = tuple(map(str, record.state.get("tracked", ())))
        text = printed_text(record)
        if text is not None and not self.over:
            self.printed.append((self.count, text))

    # Reading.

    def updates(self) -> Iterator[Update]:
        for c in self.connections.values():
            yield from c.updates

    def key_told(self, body: dict[str, Any]) -> Key:
        """Which update a client's report is about."""
        return self.edition.key_told(body, {update.key for update in self.updates()})

    def ends(self) -> Iterator[tuple[str, Update]]:
        """The valid updates by which an order is over, with its id."""
        return ((update.key[0], update) for update in self.updates() if update.is_end)

    def valid_heard(self) -> Iterator[Update]:
        """The valid updates that had arrived before their socket was lost."""
        return (u for u in self.updates() if not u.problem and self.connections[u.conn].heard(u.t))

    def raised(self, name: str) -> list[Report]:
        """The client's life-cycle events of that name."""
        return [x for x in self.told.others if x.body.get("event") == "raised" and x.body.get("name") == name]

    def reports(self, event: str) -> list[Report]:
        return [x for x in self.told.others if x.body.get("event") == event]

    def losses(self) -> list[tuple[UpdateSocket, Loss]]:
        """The sockets that were open and were lost, whoever ended them, in order of their loss."""
        lost = [(c, c.loss) for c in self.upgraded if c.loss is not None]
        return sorted(lost, key=lambda item: item[1].t)


def printed_text(record: r.Body) -> str | None:
    """What of a record the client printed."""
    if isinstance(record, r.SubjectOutput | r.BrokenReport):
        return record.text
    return str(record.body) if isinstance(record, r.SubjectReport) else None


def object_of(text: str) -> dict[str, Any] | None:
    try:
        value = msgspec.json.decode(text)
    except (msgspec.DecodeError, RecursionError, UnicodeError):
        return None
    return value if isinstance(value, dict) else None
