"""REST over the broker's port: logging in, renewing, and every endpoint that the socket has too (TP §2, §9)."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qs

from brokercert_mock.tradovate import wire as frames
from brokercert_mock.tradovate.connection import Connection
from brokercert_mock.tradovate.requests.endpoints import Endpoints
from brokercert_mock.tradovate.requests.parameters import parameters
from brokercert_mock.tradovate.requests.turns import Answer, Turns
from brokercert_mock.tradovate.sessions.quotas import Quotas
from brokercert_mock.tradovate.sessions.sessions import Sessions
from brokercert_mock.tradovate.sessions.tokens import Token
from brokercert_mock.tradovate.settings import Settings

PREFIX = "/v1"
BAD_LOGIN = "Incorrect username or password. Please try again, noting that passwords are case-sensitive."


def endpoint_of(target: str) -> tuple[str, dict[str, list[str]]]:
    """Endpoint in lower case, without the prefix, and the query of a request target."""
    path, _, query = target.partition("?")
    path = path.lower().rstrip("/")
    return path.removeprefix(f"{PREFIX}/").lstrip("/"), parse_qs(query, keep_blank_values=True)


def bearer_of(headers: Mapping[str, str]) -> str:
    scheme, _, value = headers.get("authorization", "").strip().partition(" ")
    return value.strip() if scheme.lower() == "bearer" else ""


def serialize(data: Any) -> tuple[str, str]:
    """(body, content type): text as plain text, anything else as JSON."""
    if data is None:
        return "", "text/plain"
    if isinstance(data, str):
        return data, "text/plain; charset=utf-8"
    return frames.json_text(data), "application/json"


@dataclass(frozen=True, slots=True)
class RestRequest:
    """A REST request; `respond(status, body, content type)` sends its answer."""

    conn: Connection
    target: str
    headers: Mapping[str, str]
    body: str
    respond: Callable[[int, str, str], None]
    rest: Rest
    on_socket: bool = False

    @property
    def endpoint(self) -> str:
        return endpoint_of(self.target)[0]

    @property
    def ticket(self) -> str | None:
        return frames.ticket_in(frames.decode_body(self.body))

    @property
    def values(self) -> Mapping[str, Any]:
        return parameters(endpoint_of(self.target)[1], frames.decode_body(self.body))

    def perform(self) -> Answer:
        return self.rest.answer(self.conn.address, self.target, self.headers, self.body)

    def reply(self, status: int, data: Any, before: Sequence[Any] = ()) -> None:
        self.respond(status, *serialize(data))


class Rest:
    """The REST requests of one broker's clients."""

    def __init__(
        self, settings: Settings, turns: Turns, sessions: Sessions, quotas: Quotas, endpoints: Endpoints
    ) -> None:
        self._settings, self._turns, self._sessions = settings, turns, sessions
        self._quotas, self._endpoints = quotas, endpoints

    def on_request(
        self,
        conn: Connection,
        target: str,
        headers: Mapping[str, str],
        body: str,
        respond: Callable[[int, str, str], None],
    ) -> None:
        """A request: the rule for it, or the broker's own answer."""
        self._turns.take(RestRequest(conn, target, headers, body, respond, self))

    def answer(self, address: str, target: str, headers: Mapping[str, str], body: str) -> Answer:
        """What a request from an address is answered. The method is not enforced (documented: REST is relaxed)."""
        tokens, bearer = self._sessions.tokens, bearer_of(headers)
        endpoint, query = endpoint_of(target)
        data = frames.decode_body(body)
        if endpoint == "auth/accesstokenrequest":
            return self._login(address, data)
        refusal = self._quotas.refusal_of(tokens.known(bearer))
        if refusal is not None:
            return refusal
        token = tokens.find(bearer)
        if endpoint == "auth/renewaccesstoken":
            if token is None:
                return self._settings.expired_renewal, self._settings.expired_text
            return 200, self._logged_in(tokens.extend(token, self._settings.token_life))
        if token is None:
            return 401, self._settings.denied_text or None
        return self._endpoints.answer(endpoint, query, data, token)

    def _login(self, address: str, data: Any) -> Answer:
        who = self._sessions.credentials
        given = data if isinstance(data, dict) else {}
        if given.get("name") != who.name or given.get("password") != who.password:
            return (401, "Unauthorized") if self._settings.login_errors == "401" else (200, {"errorText": BAD_LOGIN})
        app = {name: given[name] for name in ("appId", "appVersion") if isinstance(given.get(name), str)}
        session = self._sessions.start(**app, ipAddress=address)
        token = self._sessions.tokens.issue(who.user_id, self._settings.token_life, session)
        self._quotas.on_login()
        return 200, self._logged_in(token)

    def _logged_in(self, token: Token) -> dict[str, Any]:
        markets = {"mdAccessToken": token.md} if self._settings.md_access_token == "present" else {}
        return {
            "accessToken": token.access,
            **markets,
            "expirationTime": token.expires,
            "userStatus": "Active",
            "userId": token.user_id,
            "name": self._sessions.credentials.name,
            "hasLive": False,
            "hasMarketData": True,
        }
