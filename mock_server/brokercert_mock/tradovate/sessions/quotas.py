"""Quotas of a user: connections, addresses, sessions (TP §2.4, §10). All off unless a scenario is about one.

Documented: over a limit the oldest connection is closed and its token revoked, a `shutdown` with the reason before it;
a third session ends the oldest, whose tokens get 408, 429 or 500. Inferred: a connection counts from its authorize on
(before, nobody knows whose it is), so that is when a limit is found exceeded; over the address limit the oldest
connection from another address than the newcomer's goes; a session that ends takes its connections with it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

from brokercert_mock.port.ground import Ground
from brokercert_mock.tradovate.connection import Connection
from brokercert_mock.tradovate.sessions.sessions import Sessions
from brokercert_mock.tradovate.sessions.tokens import Token
from brokercert_mock.tradovate.settings import Settings
from brokercert_mock.tradovate.told import Told


class Quotas:
    """The quotas of one broker, which has one user. `connections` are those that stand."""

    def __init__(
        self,
        ground: Ground,
        settings: Settings,
        sessions: Sessions,
        connections: Callable[[], Sequence[Connection]],
    ) -> None:
        self._ground, self._settings, self._sessions, self._connections = ground, settings, sessions, connections

    def on_authorized(self, newcomer: Connection) -> None:
        """A connection became the user's."""
        most, addresses = self._settings.max_connections, self._settings.max_addresses
        while most is not None and len(counted := self._counted()) > max(most, 1):
            oldest = next(conn for conn in counted if conn is not newcomer)
            self._evict(oldest, "ConnectionQuotaReached", f"{len(counted)} connections of {most}")
        while addresses is not None and len(known := {conn.address for conn in self._counted()}) > max(addresses, 1):
            oldest = next(conn for conn in self._counted() if conn.address != newcomer.address)
            self._evict(oldest, "IPQuotaReached", f"{len(known)} addresses of {addresses}")

    def on_login(self) -> None:
        """A session began."""
        most = self._settings.max_sessions
        while most is not None and len(sessions := self._sessions.tokens.sessions()) > max(most, 1):
            oldest = sessions[0]
            for conn in self._counted():
                if conn.token is not None and conn.token.session == oldest:
                    self._evict(conn, "ConnectionQuotaReached", f"session {oldest} ended: {most} at a time")
            self._sessions.end(oldest)
            for token in self._sessions.tokens.of_session(oldest):
                token.evicted = True
                if not token.revoked:
                    self._sessions.revoke(token)

    def refusal_of(self, token: Token | None) -> tuple[int, str] | None:
        """What a REST request with the token of a session that was ended gets."""
        if token is None or not token.evicted:
            return None
        return self._settings.evicted_session, "Session ended: too many sessions"

    def _counted(self) -> list[Connection]:
        """The user's connections, the one that has been the user's longest first."""
        counted = [conn for conn in self._connections() if conn.is_authorized and not conn.leaving]
        return sorted(counted, key=lambda conn: conn.authorized_at or 0.0)

    def _evict(self, conn: Connection, reason: str, detail: str) -> None:
        if conn.token is not None:
            self._sessions.revoke(conn.token)
        self._ground.tell_rule(Told.QUOTA.value, conn.id, f"{reason}: {detail}")
        if self._settings.eviction_close == "bare":
            conn.leaving = True
            conn.close(1000, "Bye")
        else:
            conn.shut_down(reason)
