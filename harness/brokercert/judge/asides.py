"""What was seen beside the sockets: REST calls, credentials where none belong, what a client's process used.

A part of the fold (`Conversation.asides`): it notes and decides nothing. Times are microseconds.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

from brokercert.trace import records as r

REFUSED = 400  # HTTP's status of an answer: from here on it is no success


@dataclass(slots=True, eq=False)
class RestCall:
    """A REST request. `bearer` is the label of the token that it carried, empty where it carried none of ours;
    `status` is that of its answer, None where none was written. `refused`: that answer is no success, by its status or
    by the text in it. `given` are the credentials in it.
    """

    t: int
    record: int
    conn: int
    ordinal: int
    endpoint: str  # lower case, without the prefix
    bearer: str
    status: int | None = None
    refused: bool = False
    given: tuple[str, ...] = ()
    answered: int | None = None  # when


@dataclass(frozen=True, slots=True)
class Leak:
    """A credential where none belongs. `where`: "a URL", "its output", "a report", or what the client says of itself
    ("its user agent"); `what` is its label, or that of a part of it.
    """

    t: int
    record: int
    where: str
    what: str


def labels_of(kinds: Sequence[str]) -> re.Pattern[str]:
    """Finds labels of these kinds; none of no kind."""
    return re.compile(f"«(?:{'|'.join(map(re.escape, kinds))})#\\d+»" if kinds else r"(?!)")


def leaks_of(kinds: Sequence[str]) -> re.Pattern[str]:
    """Finds labels of these kinds, and of parts of them."""
    return re.compile(labels_of(kinds).pattern.replace("«", "«(?:part of )?", 1))


def listed(names: Sequence[str]) -> str:
    """Words in a row, as a sentence has them."""
    return names[0] if len(names) == 1 else f"{', '.join(names[:-1])} and {names[-1]}"


TELLING = {"user-agent": "its user agent", "referer": "a URL", "origin": "a URL"}  # headers that everybody logs
PAYLOADS = {8: "the reason of a close frame", 9: "a ping", 10: "a pong"}  # of control frames, by their opcode


class Asides:
    """Everything of that kind in one scenario. `prefix` is that of REST paths, `credentials` are kinds of labels."""

    def __init__(self, prefix: str, credentials: Sequence[str]) -> None:
        self._prefix = f"{prefix}/" if prefix else ""
        self._credential = labels_of(credentials)
        self._leaked = leaks_of(credentials)
        self.rest: list[RestCall] = []
        self.leaks: list[Leak] = []
        self.searched: dict[str, list[int]] = {}  # where was looked for credentials, and the records that were
        self._ours = False  # the harness ended the client
        self.lines = 0  # of output that were kept
        self.dropped = 0  # and that were not
        self.resources: dict[str, tuple[int, r.Resources]] = {}  # by the point of measuring: (record number, record)
        self._bearers: dict[int, str] = {}

    def feed(self, number: int, record: r.Body) -> None:
        note = NOTES.get(type(record))
        if note is not None:
            note(self, number, record)

    def search(self, number: int, record: r.Body) -> None:
        """Look for credentials in it, be it after the request to stop that ends the observation: what a client says as
        it leaves is its own.
        """
        self._ours = self._ours or isinstance(record, r.EndedByUs)  # what follows that is nobody's word
        looks = SEARCHES.get(type(record))
        if looks is not None and not self._ours:
            looks(self, number, record)

    # One function a kind of record: `NOTES` below says which.

    def _head(self, number: int, record: r.Head) -> None:
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
                call.status, call.answered = record.status, record.t
                call.refused = record.status >= REFUSED or '"errorText"' in record.body
                call.given = tuple(self._credential.findall(record.body))
                break

    # Likewise: `SEARCHES`.

    def _search_head(self, number: int, record: r.Head) -> None:
        self._look(record.t, number, "a URL", record.target)
        for name, value in record.headers:
            where = TELLING.get(name.lower())
            if where is not None:
                self._look(record.t, number, where, value)

    def _search_frame(self, number: int, record: r.Frame) -> None:
        where = PAYLOADS.get(record.opcode) if record.sender == "client" else None
        if where is not None and record.text:
            self._look(record.t, number, where, record.text)

    def _search_output(self, number: int, record: r.SubjectOutput) -> None:
        self.lines += 1
        self._look(record.t, number, "its output", record.text)

    def _search_report(self, number: int, record: r.SubjectReport) -> None:
        self._look(record.t, number, "a report", str(record.body))

    def _search_broken_report(self, number: int, record: r.BrokenReport) -> None:
        self._look(record.t, number, "its output", record.text)

    def _resources(self, number: int, record: r.Resources) -> None:
        self.resources[record.name] = (number, record)

    def _dropped(self, number: int, record: r.OutputDropped) -> None:
        self.dropped += record.lines

    def _look(self, t: int, number: int, where: str, text: str) -> None:
        self.searched.setdefault(where, []).append(number)
        for what in dict.fromkeys(self._leaked.findall(text)):
            self.leaks.append(Leak(t, number, where, what))

    def _label_in(self, text: str) -> str:
        """The first credential's label in it, or nothing."""
        found = self._credential.search(text)
        return found.group() if found else ""


NOTES: dict[type[r.Body], Callable[[Asides, int, Any], None]] = {
    r.Head: Asides._head,
    r.RestRequest: Asides._rest_request,
    r.RestAnswer: Asides._rest_answer,
    r.Resources: Asides._resources,
    r.OutputDropped: Asides._dropped,
}
SEARCHES: dict[type[r.Body], Callable[[Asides, int, Any], None]] = {
    r.Head: Asides._search_head,
    r.Frame: Asides._search_frame,
    r.SubjectOutput: Asides._search_output,
    r.SubjectReport: Asides._search_report,
    r.BrokenReport: Asides._search_broken_report,
}
