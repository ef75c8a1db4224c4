"""Sessions and tokens: issued, timed out, renewed. Those of a seed are the same in every run."""

from __future__ import annotations

import random
from collections.abc import Callable, Collection
from dataclasses import dataclass
from urllib.parse import parse_qsl

UNRESERVED = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~"
PLAIN = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"


@dataclass(slots=True, eq=False)
class Login:
    """What a client connects with. `until`: seconds of the broker's clock, None: no end."""

    session: str
    token: str
    until: float | None


class Sessions:
    """Every login of one broker. `on_secret` is told each as it is made."""

    def __init__(
        self,
        rng: random.Random,
        clock: Callable[[], float],
        on_secret: Callable[[str, str], None],
        *,
        reserved: bool,
        app: str = "",
    ) -> None:
        """`app`: the first credential of every login, no secret then; empty: a session, each time a new one."""
        self._app = app
        self._rng, self._clock, self._on_secret, self._reserved = rng, clock, on_secret, reserved
        self._logins: list[Login] = []
        self._tickets: set[str] = set()

    def issue(self, life: float | None) -> Login:
        session = self._app or self._text(24)
        login = Login(session, self._text(48), None if life is None else self._clock() + life)
        if not self._app:
            self._on_secret("session", login.session)
        self._on_secret("token", login.token)
        self._logins.append(login)
        return login

    def ticket(self) -> str:
        """A request token: whoever shows it once, with the app's secret, is given a token."""
        ticket = self._text(32)
        self._on_secret("request-token", ticket)
        self._tickets.add(ticket)
        return ticket

    def redeem(self, ticket: object) -> bool:
        """Whether it was issued, and is shown for the first time."""
        known = isinstance(ticket, str) and ticket in self._tickets
        self._tickets.discard(str(ticket))
        return known

    def _text(self, length: int) -> str:
        text = "".join(self._rng.choice(UNRESERVED) for _ in range(length - 2))
        middle = "%41&x=" if self._reserved else ""  # raw, it would be read as `A`, and end the value
        return f"{self._rng.choice(PLAIN)}{text[:8]}{middle}{text[8:]}{self._rng.choice(PLAIN)}"

    def find(self, session: str, token: str) -> Login | None:
        """The login, if both are right and it has not timed out."""
        now = self._clock()
        return next(
            (
                login
                for login in self._logins
                if (login.session, login.token) == (session, token) and (login.until is None or now < login.until)
            ),
            None,
        )

    def live(self) -> list[Login]:
        """Every login that has not timed out."""
        now = self._clock()
        return [login for login in self._logins if login.until is None or now < login.until]

    def expire(self, login: Login) -> None:
        login.until = self._clock()


def presented(target: str) -> dict[str, str]:
    """The query's values, decoded; of a name that stands twice, the first."""
    found: dict[str, str] = {}
    for name, value in parse_qsl(target.partition("?")[2], keep_blank_values=True):
        found.setdefault(name, value)
    return found


def presented_raw(target: str, names: Collection[str]) -> list[tuple[str, str]]:
    """The credentials of these names, with their values as they stand in the query."""
    pairs = [pair.partition("=") for pair in target.partition("?")[2].split("&")]
    return [(name, value) for name, _, value in pairs if name in names]
