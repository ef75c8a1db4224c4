"""`user/syncrequest`: a socket's subscription begins, and its snapshot is taken (TP §5)."""

from __future__ import annotations

from collections.abc import Callable

from brokercert_mock.port.ground import Ground
from brokercert_mock.tradovate.connection import Connection
from brokercert_mock.tradovate.exchange.bulk import grow
from brokercert_mock.tradovate.requests.turns import Answer
from brokercert_mock.tradovate.settings import Settings
from brokercert_mock.tradovate.state import State
from brokercert_mock.tradovate.sync import listed, snapshot, subscription_of
from brokercert_mock.tradovate.wire import ClientRequest


class Syncing:
    """The syncs of one broker's sockets. `stamp` is the time as the wire says it."""

    def __init__(self, ground: Ground, settings: Settings, state: State, stamp: Callable[[], str]) -> None:
        self._ground, self._settings, self._state, self._stamp = ground, settings, state, stamp

    def answer(self, conn: Connection, request: ClientRequest) -> Answer:
        if conn.subscription is not None and self._settings.second_sync != "answer":
            if self._settings.second_sync == "close":
                self._ground.call_later(0, lambda: conn.close(1000, "Bye"))
            return 400, "Bad request"
        conn.sync_body = request.body
        conn.subscription = subscription_of(request.body, self._settings)
        conn.synced_at = self._ground.clock()
        least = self._settings.snapshot_bytes
        if least:
            found = grow(self._state, conn.subscription, least, self._stamp())
        else:
            found = snapshot(self._state, conn.subscription)
        return 200, listed(found, self._settings)
