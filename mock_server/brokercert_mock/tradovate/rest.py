"""REST over the broker's port: logging in, renewing, and every endpoint that the socket has too (TP §2, §9)."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any
from urllib.parse import parse_qs

from brokercert_mock.tradovate import wire as frames

if TYPE_CHECKING:
    from brokercert_mock.tradovate.broker import TradovateBroker
    from brokercert_mock.tradovate.tokens import Token

PREFIX = "/v1/"
BAD_LOGIN = "Incorrect username or password. Please try again, noting that passwords are case-sensitive."
Answer = tuple[int, Any]


def endpoint_of(target: str) -> tuple[str, dict[str, list[str]]]:
    """Endpoint in lower case, without the prefix, and the query of a request target."""
    path, _, query = target.partition("?")
    path = path.lower().rstrip("/")
    return path.removeprefix(PREFIX).lstrip("/"), parse_qs(query, keep_blank_values=True)


def bearer_of(headers: dict[str, str]) -> str:
    scheme, _, value = headers.get("authorization", "").strip().partition(" ")
    return value.strip() if scheme.lower() == "bearer" else ""


def serialize(data: Any) -> tuple[str, str]:
    """(body, content type): text as plain text, anything else as JSON."""
    if data is None:
        return "", "text/plain"
    if isinstance(data, str):
        return data, "text/plain; charset=utf-8"
    return frames.json_text(data), "application/json"


def answer(broker: TradovateBroker, address: str, target: str, headers: dict[str, str], body: str) -> Answer:
    """What a request from an address is answered. The method is not enforced (documented: REST is relaxed)."""
    endpoint, query = endpoint_of(target)
    data = frames.decode_body(body)
    if endpoint == "auth/accesstokenrequest":
        return _login(broker, address, data)
    refusal = broker.quotas.refusal_of(broker.tokens.known(bearer_of(headers)))
    if refusal is not None:
        return refusal
    token = broker.tokens.find(bearer_of(headers))
    if endpoint == "auth/renewaccesstoken":
        if token is None:
            return broker.settings.expired_renewal, "Expired Access Token"
        return 200, login_answer(broker, broker.tokens.extend(token, broker.settings.token_life))
    if token is None:
        return 401, broker.settings.denied_text
    return broker.answering.endpoint(endpoint, query, data, token)


def _login(broker: TradovateBroker, address: str, data: Any) -> Answer:
    who = broker.credentials
    given = data if isinstance(data, dict) else {}
    if given.get("name") != who.name or given.get("password") != who.password:
        return (401, "Unauthorized") if broker.settings.login_errors == "401" else (200, {"errorText": BAD_LOGIN})
    app = {name: given[name] for name in ("appId", "appVersion") if isinstance(given.get(name), str)}
    session = broker.start_session(**app, ipAddress=address)
    token = broker.tokens.issue(who.user_id, broker.settings.token_life, session)
    broker.quotas.on_login()
    return 200, login_answer(broker, token)


def login_answer(broker: TradovateBroker, token: Token) -> dict[str, Any]:
    return {
        "accessToken": token.access,
        "mdAccessToken": token.md,
        "expirationTime": token.expires,
        "userStatus": "Active",
        "userId": token.user_id,
        "name": broker.credentials.name,
        "hasLive": False,
        "hasMarketData": True,
    }
