"""What the records of one trace say, read without the judge's fold."""

from __future__ import annotations

import json
from collections.abc import Iterable
from dataclasses import dataclass
from functools import cached_property

from brokercert.trace import Trace
from brokercert.trace import records as r

SECOND = 1_000_000
ROUNDED = 600  # microseconds: a duration is printed in milliseconds


@dataclass(frozen=True, slots=True)
class Said:
    """A text frame, or a request over REST: who sent it, when, and on which connection."""

    t: int
    number: int
    conn: int
    text: str
    by: str

    @property
    def endpoint(self) -> str:
        return self.text.partition("\n")[0].strip().lower().lstrip("/")


def _is_hollow(answer: object) -> bool:
    """A ticket, or a success with an error text in it."""
    text = json.dumps(answer)
    return '"errorText"' in text or '"p-ticket"' in text


@dataclass(frozen=True)
class Facts:
    """What the records of one trace say. Times are microseconds, numbers count from 1."""

    trace: Trace

    @cached_property
    def times(self) -> list[int]:
        """Of each record, when it was; some tell of two moments."""
        return [record.t for record in self.trace.records]

    @cached_property
    def moments(self) -> list[int]:
        """All moments that any record tells of, sorted."""
        more = [x.requested for x in self.trace.records if isinstance(x, r.Fault)]
        more += [x.since for x in self.trace.records if isinstance(x, r.Window | r.Stall)]
        return sorted({0, *self.times, *more})

    def at(self, numbers: Iterable[int]) -> list[int]:
        """When these records were."""
        return [self.times[n - 1] for n in numbers if 0 < n <= len(self.times)]

    @cached_property
    def texts(self) -> list[Said]:
        return [
            Said(x.t, n, x.conn, x.text, x.sender)
            for n, x in enumerate(self.trace.records, 1)
            if isinstance(x, r.Frame) and x.opcode == 1 and x.text is not None
        ]

    @cached_property
    def requests(self) -> list[Said]:
        """The client's texts of three lines at least, up to our own end of the client."""
        until = next((x.t for x in self.trace.records if isinstance(x, r.EndedByUs)), self.times[-1])
        mine = (said for said in self.texts if said.by == "client" and said.t <= until)
        return [said for said in mine if said.text.count("\n") >= 2]

    @cached_property
    def held(self) -> list[int]:
        """When something began to be held back."""
        return [x.t for x in self.trace.records if isinstance(x, r.Withheld)]

    @cached_property
    def rest(self) -> list[Said]:
        return [
            Said(x.t, n, x.conn, x.target.partition("?")[0].removeprefix("/v1"), "client")
            for n, x in enumerate(self.trace.records, 1)
            if isinstance(x, r.RestRequest)
        ]

    @cached_property
    def outputs(self) -> list[str]:
        return [x.text for x in self.trace.records if isinstance(x, r.SubjectOutput | r.BrokenReport)]

    @cached_property
    def answers(self) -> list[tuple[int, int, str, int]]:
        """(t, connection, id, status) of each answer that is neither a ticket nor an error text."""
        found = []
        for said in self.texts:
            if said.by != "broker" or not said.text.startswith("a["):
                continue
            try:
                messages = json.loads(said.text[1:])
            except ValueError:
                continue
            for one in messages:
                hollow = isinstance(one, dict) and any(
                    f'"{name}"' in json.dumps(one) for name in ("errorText", "p-ticket")
                )
                if isinstance(one, dict) and "i" in one and isinstance(one.get("s"), int) and not hollow:
                    found.append((said.t, said.conn, str(one["i"]), one["s"]))
        return found

    def accepted(self) -> list[tuple[int, int]]:
        return [(x.t, x.conn) for x in self.trace.records if isinstance(x, r.Accepted)]

    def exits(self) -> list[r.SubjectExited]:
        return [x for x in self.trace.records if isinstance(x, r.SubjectExited)]

    def ends(self, conn: int) -> list[int]:
        """When either side ended that connection, or said that it does."""
        return [
            x.t
            for x in self.trace.records
            if getattr(x, "conn", None) == conn
            and (
                isinstance(x, r.Ended)
                or (isinstance(x, r.Frame) and (x.opcode == 8 or (x.text or "").startswith("c[")))
            )
        ]

    def client_ends(self, conn: int) -> list[int]:
        """When the client ended that connection: its close frame, FIN or RST."""
        return [
            x.t
            for x in self.trace.records
            if (isinstance(x, r.Ended) and x.conn == conn and x.by == "client")
            or (isinstance(x, r.Frame) and x.conn == conn and x.opcode == 8 and x.sender == "client")
        ]
