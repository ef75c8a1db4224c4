"""What happened, kept for whoever looks later: the last lines of the wire, and every connection's own story.

The law: bounded, whatever a client does; and dialect-free: all of it is read from trace records, which hold labels in
place of secrets. What is no longer kept is counted, so that a page can say what it leaves out.
"""

from __future__ import annotations

from collections import deque
from collections.abc import Collection
from dataclasses import asdict, dataclass
from typing import Any

from brokercert.judge.sentences import describe
from brokercert.judge.transcript import SECOND
from brokercert.trace import Body
from brokercert.trace import records as r

LINES = 300  # of the wire: some screens' worth; a page that draws more no longer follows a burst
LONGEST = 4000  # characters of one line: a snapshot of a small account whole, of a large one its beginning
CONNECTIONS = 50  # that have ended


@dataclass(slots=True)
class Seen:
    """One TCP connection. Times are seconds; None: not yet. Counts are of complete messages and control frames."""

    id: int
    at: float
    kind: str = "TCP"  # or WebSocket, REST
    client: str = ""  # its User-Agent
    sent: int = 0  # by the client
    told: int = 0  # by the broker
    last: float = 0.0
    ended: float | None = None
    end: str = ""  # how it ended


@dataclass(frozen=True, slots=True)
class Line:
    """One thing that happened. `beat`: it says no more than "I am here"."""

    number: int
    at: float
    conn: int
    who: str
    text: str
    beat: bool


class Feed:
    """A watcher of a trace writer. `beats` are the payloads of frames that are heartbeats."""

    def __init__(self, beats: Collection[str] = ()) -> None:
        self._beats = frozenset(beats)
        self._lines: deque[Line] = deque(maxlen=LINES)
        self._connections: dict[int, Seen] = {}
        self.total = 0  # lines ever
        self.accepted = 0  # connections ever

    def tell(self, record: Body) -> None:
        """Take one record."""
        self._follow(record)
        who, conn, text = describe(record)
        if len(text) > LONGEST:
            text = f"{text[:LONGEST]}… ({len(text)} characters)"
        self.total += 1
        self._lines.append(Line(self.total, record.t / SECOND, conn, who, text, self._is_beat(record)))

    def since(self, number: int) -> list[dict[str, Any]]:
        """The lines after that number, as far as they are still kept, oldest first."""
        fresh = min(self.total - number, len(self._lines))
        return [asdict(self._lines[i]) for i in range(len(self._lines) - fresh, len(self._lines))]

    def connections(self) -> list[Seen]:
        """Those that are kept, oldest first."""
        return list(self._connections.values())

    def _is_beat(self, record: Body) -> bool:
        return isinstance(record, r.Frame) and (
            record.opcode in (9, 10) or (record.opcode == 1 and record.text in self._beats)
        )

    def _follow(self, record: Body) -> None:
        at = record.t / SECOND
        if isinstance(record, r.Accepted):
            self.accepted += 1
            self._connections[record.conn] = Seen(record.conn, at, last=at)
            self._forget()
            return
        seen = self._connections.get(getattr(record, "conn", 0))
        if seen is None:
            return
        match record:
            case r.Head():
                seen.kind = "WebSocket" if record.upgrade else "REST"
                seen.client = next((value for name, value in record.headers if name.lower() == "user-agent"), "")[:120]
                seen.last = at
            case r.Frame(sender="client") | r.RestRequest():
                seen.sent += 1
                seen.last = at
            case r.Frame() | r.RestAnswer():
                seen.told += 1
            case r.UpgradeAnswer() if record.status != 101:
                seen.end = f"upgrade answered with {record.status}"
            case r.Fault() if seen.ended is None:
                seen.end = f"fault {record.name}"
            case r.Ended() if seen.ended is None:
                how = f"{record.by} ended it ({record.how.upper()})"
                seen.ended, seen.end = at, f"{how}, {seen.end}" if seen.end else how
            case _:
                return

    def _forget(self) -> None:
        """Of the connections that have ended, keep the newest."""
        over = [seen.id for seen in self._connections.values() if seen.ended is not None]
        for ident in over[: max(0, len(over) - CONNECTIONS)]:
            del self._connections[ident]
