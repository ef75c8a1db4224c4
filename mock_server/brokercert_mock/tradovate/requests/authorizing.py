"""`authorize`: a token that becomes a socket's (TP §2.1)."""

from __future__ import annotations

from brokercert_mock.port.ground import Ground
from brokercert_mock.tradovate.connection import Connection
from brokercert_mock.tradovate.requests.turns import Answer
from brokercert_mock.tradovate.sessions.quotas import Quotas
from brokercert_mock.tradovate.sessions.tokens import Tokens
from brokercert_mock.tradovate.settings import Settings
from brokercert_mock.tradovate.wire import ClientRequest


class Authorizing:
    """Who may speak on a socket, and as whom."""

    def __init__(self, ground: Ground, settings: Settings, tokens: Tokens, quotas: Quotas) -> None:
        self._ground, self._settings, self._tokens, self._quotas = ground, settings, tokens, quotas

    def answer(self, conn: Connection, request: ClientRequest) -> Answer:
        token = self._tokens.find(request.body if isinstance(request.body, str) else request.text)
        if token is None:
            if self._settings.bad_token_closes:
                self._ground.call_later(0, lambda: conn.close(1000, "Bye"))
            return 401, self._settings.bad_token_text
        conn.token = token
        conn.for_markets = token.md in request.text
        conn.authorized_at = self._ground.clock()
        self._quotas.on_authorized(conn)
        return 200, None
