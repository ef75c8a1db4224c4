"""Access tokens: issued, expired, revoked, renewed (TP §2). Tokens of a seed are the same in every run."""

from __future__ import annotations

import datetime
import random
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

# Bearer syntax: clients must take all of it, so every token has all of it.
ALPHABET = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789"
MARKS = "-._~+/"
LENGTH = 64


@dataclass(slots=True, eq=False)
class Token:
    """What a login yields. `until`: seconds of the broker's clock; `expires`: ISO-8601 in UTC; `session`: a login
    starts one, a renewal goes on with it (TP §2.3).
    """

    access: str
    md: str
    user_id: int
    until: float
    expires: str
    session: int
    revoked: bool = False
    evicted: bool = False  # its session was ended by a later one


class Tokens:
    """Every token of one broker."""

    def __init__(
        self,
        rng: random.Random,
        clock: Callable[[], float],
        wall_start: datetime.datetime,
        on_secret: Callable[[str, str], None],
    ) -> None:
        self._rng = rng
        self._clock = clock
        self._began = clock()
        self._wall_start = wall_start
        self._on_secret = on_secret
        self._by_text: dict[str, Token] = {}

    def wall(self, at: float) -> datetime.datetime:
        return self._wall_start + datetime.timedelta(seconds=at - self._began)

    def stamp(self, at: float) -> str:
        """A moment of the broker's clock as the API writes it."""
        return self.wall(at).isoformat(timespec="milliseconds").replace("+00:00", "Z")

    def until(self, text: str) -> float:
        """Seconds from now to a time as the API writes it; 0 where that is past."""
        left = datetime.datetime.fromisoformat(text) - self.wall(self._clock())
        return max(left.total_seconds(), 0.0)

    def issue(self, user_id: int, life: float, session: int) -> Token:
        """A token of this session."""
        until = self._clock() + life
        token = Token(
            self._text(),
            self._text(),
            user_id,
            until,
            self.stamp(until),
            session,
        )
        self._on_secret("access-token", token.access)
        self._on_secret("md-token", token.md)
        self._by_text[token.access] = self._by_text[token.md] = token
        return token

    def extend(self, token: Token, life: float) -> Token:
        """A renewal: a new, different token; the old one stays valid until its own end."""
        return self.issue(token.user_id, life, token.session)

    def find(self, body: Any) -> Token | None:
        """The valid token that an authorize body or bearer text names; an empty one is never valid."""
        text = body.strip().strip('"').strip() if isinstance(body, str) else ""
        token = self._by_text.get(text)
        if token is None or token.revoked or token.until <= self._clock():
            return None
        return token

    def expire_all(self) -> int:
        """Every token that lives ends now; how many those were."""
        now = self._clock()
        live = [token for token in self.all() if not token.revoked and token.until > now]
        for token in live:
            token.until = now
        return len(live)

    def sessions(self) -> list[int]:
        """The sessions that still have a valid token, oldest first."""
        now = self._clock()
        return sorted({x.session for x in self._by_text.values() if not x.revoked and x.until > now})

    def of_session(self, session: int) -> list[Token]:
        """All tokens of a session."""
        return [token for text, token in self._by_text.items() if token.session == session and text == token.access]

    def all(self) -> list[Token]:
        """Every token that was issued, in that order."""
        return list(dict.fromkeys(self._by_text.values()))

    def known(self, text: str) -> Token | None:
        return self._by_text.get(text)

    def _text(self) -> str:
        body = "".join(self._rng.choice(ALPHABET + MARKS) for _ in range(LENGTH - len(MARKS) - 3))
        return f"{self._rng.choice(ALPHABET)}{body}{MARKS}a="
