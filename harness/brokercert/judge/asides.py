"""What was seen beside the sockets: REST calls, credentials where none belong, what a client's process used.

A part of the fold (`Conversation.asides`): it notes and decides nothing. Times are microseconds.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from brokercert.trace import records as r


@dataclass(slots=True, eq=False)
class RestCall:
    """A REST request. `bearer` is the label of the token that it carried, empty where it carried none of ours;
    `status` is that of its answer, None where none was written.
    """

    t: int
    record: int
    conn: int
    ordinal: int
    endpoint: str  # lower case, without the prefix
    bearer: str
    status: int | None = None


@dataclass(frozen=True, slots=True)
class Leak:
    """A credential where none belongs. `where`: "a URL", "its output", "a report"; `what` is its label."""

    t: int
    record: int
    where: str
    what: str


def labels_of(kinds: Sequence[str]) -> re.Pattern[str]:
    """Finds labels of these kinds; none of no kind."""
    return re.compile(f"«(?:{'|'.join(map(re.escape, kinds))})#\\d+»" if kinds else r"(?!)")


class Asides:
    """Everything of that kind in one scenario. `prefix` is that of REST paths, `credentials` are kinds of labels."""

    def __init__(self, prefix: str, credentials: Sequence[str]) -> None:
        self._prefix = f"{prefix}/" if prefix else ""
        self._credential = labels_of(credentials)
        self.rest: list[RestCall] = []
        self.leaks: list[Leak] = []
        self.lines = 0  # of output that were kept
        self.dropped = 0  # and that were not
        self.resources: dict[str, tuple[int, r.Resources]] = {}  # by the point of measuring: (record number, record)
        self._bearers: dict[int, str] = {}

    def feed(self, number: int, record: r.Body) -> None:
        note = NOTES.get(type(record))
        if note is not None:
            note(self, number, record)

    # One function a kind of record: `NOTES` below says which.

    def _head(self, number: int, record: r.Head) -> None:
        self._leak(record.t, number, "a URL", record.target)
        given = next((value for name, value in record.headers if name.lower() == "authorization"), "")
        self._bearers[record.conn] = self._label_in(given)

    def _rest_request(self, number: int, record: r.RestRequest) -> None:
        path = record.target.partition("?")[0].lower().strip("/")
        endpoint = path.removeprefix(self._prefix)
        call = RestCall(record.t, number, record.conn, record.ordinal, endpoint, self._bearers.get(record.conn, ""))
        self.rest.append(call)

    def _rest_answer(self, number: int, record: r.RestAnswer) -> None:
        for call in reversed(self.rest):
            if (call.conn, call.ordinal) == (record.conn, record.ordinal):
                call.status = record.status
                break

    def _output(self, number: int, record: r.SubjectOutput) -> None:
        self.lines += 1
        self._leak(record.t, number, "its output", record.text)

    def _report(self, number: int, record: r.SubjectReport) -> None:
        self._leak(record.t, number, "a report", str(record.body))

    def _broken_report(self, number: int, record: r.BrokenReport) -> None:
        self._leak(record.t, number, "its output", record.text)

    def _resources(self, number: int, record: r.Resources) -> None:
        self.resources[record.name] = (number, record)

    def _dropped(self, number: int, record: r.OutputDropped) -> None:
        self.dropped += record.lines

    def _leak(self, t: int, number: int, where: str, text: str) -> None:
        label = self._label_in(text)
        if label:
            self.leaks.append(Leak(t, number, where, label))

    def _label_in(self, text: str) -> str:
        """The first credential's label in it, or nothing."""
        found = self._credential.search(text)
        return found.group() if found else ""


NOTES: dict[type[r.Body], Callable[[Asides, int, Any], None]] = {
    r.Head: Asides._head,
    r.RestRequest: Asides._rest_request,
    r.RestAnswer: Asides._rest_answer,
    r.SubjectOutput: Asides._output,
    r.SubjectReport: Asides._report,
    r.BrokenReport: Asides._broken_report,
    r.Resources: Asides._resources,
    r.OutputDropped: Asides._dropped,
}
