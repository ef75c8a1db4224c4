"""The user of a broker: credentials, the sessions that logins start, and the tokens of each (TP §2)."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass

from brokercert_mock.port.ground import Ground
from brokercert_mock.tradovate.sessions.tokens import Token, Tokens
from brokercert_mock.tradovate.settings import Settings
from brokercert_mock.tradovate.state import State
from brokercert_mock.tradovate.told import TradovateFault


@dataclass(frozen=True, slots=True)
class Credentials:
    """What the main user logs in with."""

    name: str
    password: str
    app_id: str
    app_version: str
    cid: int
    sec: str
    device_id: str
    user_id: int
    accounts: tuple[int, ...]


def made_up(rng: random.Random, state: State, on_secret: Callable[[str, str], None]) -> Credentials:
    """Credentials of the state's user. Those of a seed are the same in every run; `on_secret` is told each secret."""
    text = "".join(rng.choice("abcdefghijkmnpqrstuvwxyz23456789") for _ in range(40))
    password, secret = f"pw-{text[:12]}", f"sec-{text[12:]}"
    on_secret("password", password)
    on_secret("sec", secret)
    return Credentials(
        name="cert-user",
        password=password,
        app_id="brokercert",
        app_version="1.0",
        cid=8,
        sec=secret,
        device_id="brokercert-device",
        user_id=state.user_id,
        accounts=tuple(state.accounts),
    )


class Sessions:
    """The sessions and tokens of one broker, which has one user. `stamp` is the time as the API writes it."""

    def __init__(
        self,
        ground: Ground,
        settings: Settings,
        state: State,
        tokens: Tokens,
        credentials: Credentials,
        stamp: Callable[[], str],
    ) -> None:
        self._ground, self._settings, self._state, self._stamp = ground, settings, state, stamp
        self.tokens, self.credentials = tokens, credentials
        self._ready: Token | None = None

    def start(self, **fields: str) -> int:
        """A `userSession` of the user, as a login starts one: `appId`, `appVersion`, `ipAddress` as far as known.
        Its id, which commands carry.
        """
        return self._state.start_session(self._stamp(), self.credentials.cid, **fields)

    def end(self, ident: int) -> None:
        """A session is over; when its tokens are is not decided here."""
        self._state.put("userSession", self._state.entities["userSession"][ident] | {"endTime": self._stamp()})

    def issue_token(self, life: float | None = None) -> Token:
        """A token of the user, ready to use; `life` in seconds, None: as the setting says."""
        session = self.start(appId=self.credentials.app_id, appVersion=self.credentials.app_version)
        return self.tokens.issue(self.credentials.user_id, self._settings.token_life if life is None else life, session)

    def ready_token(self) -> Token:
        """The token that a client is given beside its credentials; the same each time."""
        if self._ready is None:
            self._ready = self.issue_token(self._settings.ready_token_life)
        return self._ready

    def expire(self, token: Token) -> None:
        """From here on it has expired, if it had not before."""
        token.until = min(token.until, self._ground.clock())
        self._tell("expired", token)

    def revoke(self, token: Token) -> None:
        """From here on it is not taken any more, whatever its end was said to be."""
        token.revoked = True
        self._tell("revoked", token)

    def _tell(self, how: str, token: Token) -> None:
        now = self._ground.clock()
        name = f"{TradovateFault.TOKEN}{how}"
        self._ground.recorder.fault(now, now, name, 0, f"{token.access} {token.md}")
