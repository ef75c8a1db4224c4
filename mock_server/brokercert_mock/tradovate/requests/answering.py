"""What a broker answers to a request on a socket (TP §2, §9)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from brokercert_mock.tradovate import wire as frames
from brokercert_mock.tradovate.connection import Connection
from brokercert_mock.tradovate.requests.endpoints import Endpoints
from brokercert_mock.tradovate.requests.parameters import parameters
from brokercert_mock.tradovate.requests.turns import Answer, Turns
from brokercert_mock.tradovate.settings import Settings
from brokercert_mock.tradovate.sync import split, wrapped
from brokercert_mock.tradovate.wire import ClientRequest

SYNC = "user/syncrequest"
AUTHORIZE = "authorize"

OfSockets = Mapping[str, Callable[[Connection, ClientRequest], Answer]]


@dataclass(frozen=True, slots=True)
class SocketRequest:
    """A request on a socket, and who answers it."""

    conn: Connection
    request: ClientRequest
    answering: Answering
    on_socket: bool = True

    @property
    def endpoint(self) -> str:
        return self.request.endpoint

    @property
    def ticket(self) -> str | None:
        return self.request.ticket

    @property
    def values(self) -> Mapping[str, Any]:
        return parameters(self.request.query, self.request.body)

    def perform(self) -> Answer:
        return self.answering.perform(self.conn, self.request)

    def reply(self, status: int, data: Any, before: Sequence[Any] = ()) -> None:
        self.answering.reply(self.conn, self.request, status, data, before)


class Answering:
    """The requests on one broker's sockets. `of_sockets` are the endpoints that only a socket has."""

    def __init__(
        self,
        settings: Settings,
        turns: Turns,
        of_sockets: OfSockets,
        endpoints: Endpoints,
        changed: Callable[[], None],
    ) -> None:
        self._settings, self._turns, self._of_sockets = settings, turns, of_sockets
        self._endpoints, self._changed = endpoints, changed

    def on_request(self, conn: Connection, request: ClientRequest) -> None:
        """A request: the rule for it, or the broker's own answer."""
        self._turns.take(SocketRequest(conn, request, self))

    def perform(self, conn: Connection, request: ClientRequest) -> Answer:
        """Do what is asked, and give its answer."""
        refused = conn.authorized_at is None and self._settings.unauthenticated == "401"
        if refused and request.endpoint != AUTHORIZE:
            return 401, self._settings.denied_text or None
        if self._settings.endpoint_case == "lower only" and request.named != request.endpoint:
            return 404, f"Not found: {request.named}"
        act = self._of_sockets.get(request.endpoint)
        if act is not None:
            return act(conn, request)
        return self._endpoints.answer(request.endpoint, request.query, request.body, conn.token)

    def reply(self, conn: Connection, request: ClientRequest, status: int, data: Any, before: Sequence[Any]) -> None:
        """Send the answer, behind these messages in its frame."""
        first, *more = self._parts(request, status, data)
        conn.send_messages([*before, frames.answer(status, request.id, first)])
        for part in more:
            conn.send_messages([frames.answer(status, request.id, part)])
        self._changed()

    def _parts(self, request: ClientRequest, status: int, data: Any) -> list[Any]:
        """The answers that carry `data`: one, but for a snapshot that is split."""
        parts = self._settings.split_parts
        if parts > 1 and request.endpoint == SYNC and status == 200 and "users" in data:
            found = split(data, parts)
            return [wrapped(part) for part in found] if self._settings.split_form == "wrappers" else list(found)
        return [data]
