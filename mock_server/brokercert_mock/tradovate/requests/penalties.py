"""Penalties: a ticket in place of an answer, and the time for which its endpoint may not be asked again (TP §7)."""

from __future__ import annotations

import random
from collections.abc import Callable
from typing import Any

from brokercert_mock.port.ground import Ground
from brokercert_mock.tradovate.requests.limits import LIMITS, LOGIN, Counts
from brokercert_mock.tradovate.settings import Settings

MESSAGE = "Too many requests. Wait, and send the request again with its ticket."  # the text: ours
EARLY = 0.05  # seconds: a retry that comes this much before its penalty's end is on time


class Penalties:
    """The endpoints of one broker that are penalised, over socket and REST alike."""

    def __init__(self, ground: Ground, settings: Settings, rng: random.Random) -> None:
        self._ground, self._settings, self._rng = ground, settings, rng
        self._until: dict[str, float] = {}
        self._counts = Counts(ground, LIMITS if settings.endpoint_limits == "claimed" else ())
        self._own: dict[tuple[str, str], float] = {}  # endpoint, ticket -> the end of that ticket's own penalty
        self._drawn_by: dict[str, int] = {}  # ticket -> which attempt drew it

    def attempt(self, ticket: str | None) -> int:
        """Which attempt a request is that brings this ticket back: 1 without a ticket, or with one that is unknown."""
        return self._drawn_by.get(ticket or "", 0) + 1

    def ticket(self, endpoint: str, p_time: float, captcha: bool | None, attempt: int) -> dict[str, Any]:
        """A new ticket, as an answer's data, drawn by an `attempt`-th attempt; its endpoint is penalised for `p_time`
        seconds at least, unless by a captcha.

        `captcha` None leaves `p-captcha` out, which is optional (TP §7.2).
        """
        ticket = "".join(self._rng.choice("ABCDEFGHJKLMNPQRSTUVWXYZ23456789") for _ in range(24))
        self._ground.recorder.secret("p-ticket", ticket)
        self._drawn_by[ticket] = attempt
        if not captcha:
            self._own[endpoint, ticket] = ends = self._ground.clock() + p_time
            self._until[endpoint] = max(ends, self._until.get(endpoint, ends))  # a shorter one ends no longer one
        data: dict[str, Any] = {"p-ticket": ticket, "p-time": p_time, "p-message": MESSAGE}
        return data if captcha is None else data | {"p-captcha": captcha}

    def answer(
        self, endpoint: str, ticket: str | None, attempt: int, perform: Callable[[], tuple[int, Any]]
    ) -> tuple[int, Any]:
        """What a request is answered: what it asks for, or a new ticket. One that brings back a ticket whose own time
        is over is performed, whatever another request has drawn since.
        """
        if not self._redeemed(endpoint, ticket):
            left = self._left(endpoint)
            if left is not None:
                return 200, self.ticket(endpoint, left, None, attempt)
            over = self._counts.over(endpoint)
            if over is not None:
                captcha = self._settings.login_captcha if endpoint == LOGIN else None
                return 200, self.ticket(endpoint, over.penalty, captcha, attempt)
        status, data = perform()
        self._counts.count(endpoint, status, data)
        return status, data

    def _left(self, endpoint: str) -> float | None:
        """Seconds for which an endpoint is still penalised; None where it is not."""
        until = self._until.get(endpoint)
        if until is None:
            return None
        left = until - self._ground.clock()
        if left <= EARLY:
            del self._until[endpoint]
            return None
        return left if self._settings.early_retry == "ticket" else None

    def _redeemed(self, endpoint: str, ticket: str | None) -> bool:
        """Whether that ticket is one of this endpoint's, and its time is over. It is good for one request."""
        due = self._own.get((endpoint, ticket or ""))
        if due is None or due - self._ground.clock() > EARLY:
            return False
        del self._own[endpoint, ticket or ""]
        return True
