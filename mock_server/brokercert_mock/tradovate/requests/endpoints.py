"""The endpoints that socket and REST share: the user, orders, and every read (TP §9)."""

from __future__ import annotations

from typing import Any

from brokercert_mock.tradovate.exchange.commands import Sender
from brokercert_mock.tradovate.exchange.orders import OrderDesk
from brokercert_mock.tradovate.requests import reads
from brokercert_mock.tradovate.requests.turns import Answer
from brokercert_mock.tradovate.sessions.sessions import Credentials
from brokercert_mock.tradovate.sessions.tokens import Token
from brokercert_mock.tradovate.settings import Settings
from brokercert_mock.tradovate.state import State


class Endpoints:
    """What one broker answers to one user. `desk` has the order endpoints."""

    def __init__(self, settings: Settings, user: Credentials, state: State, desk: OrderDesk) -> None:
        self._settings, self._user, self._state, self._desk = settings, user, state, desk

    def answer(self, endpoint: str, query: dict[str, list[str]], body: Any, token: Token | None) -> Answer:
        """An endpoint that is asked for with this token."""
        if endpoint == "auth/me":
            return 200, {"userId": self._user.user_id, "name": self._user.name, "fullName": "Certification User"}
        sender = Sender(self._user.user_id, token.session if token else self._state.session_id)
        found = self._desk.answer(endpoint, body, sender)
        if found is not None:
            return found
        found = reads.read(self._state, endpoint, query, body, self._settings.items_limit)
        if found is not None:
            return found
        text = f"Not found: {endpoint}"
        return 404, f'"{text}"' if self._settings.not_found_quoted else text
