"""Penalties: a ticket in place of an answer, and the time for which its endpoint may not be asked again (TP §7)."""

from __future__ import annotations

import random
from typing import Any

from brokercert_mock.port.ground import Ground
from brokercert_mock.tradovate.settings import Settings

EARLY = 0.05  # seconds: a retry that comes this much before its penalty's end is on time


class Penalties:
    """The endpoints of one broker that are penalised, over socket and REST alike."""

    def __init__(self, ground: Ground, settings: Settings, rng: random.Random) -> None:
        self._ground, self._settings, self._rng = ground, settings, rng
        self._until: dict[str, float] = {}

    def ticket(self, endpoint: str, p_time: float, captcha: bool) -> dict[str, Any]:
        """A new ticket, as an answer's data; its endpoint is penalised for `p_time` seconds, unless by a captcha."""
        ticket = "".join(self._rng.choice("ABCDEFGHJKLMNPQRSTUVWXYZ23456789") for _ in range(24))
        self._ground.recorder.secret("p-ticket", ticket)
        if not captcha:
            self._until[endpoint] = self._ground.clock() + p_time
        data: dict[str, Any] = {"p-ticket": ticket, "p-time": p_time}
        return data | {"p-captcha": True} if captcha else data

    def left(self, endpoint: str) -> float | None:
        """Seconds for which an endpoint is still penalised; None where it is not."""
        until = self._until.get(endpoint)
        if until is None:
            return None
        left = until - self._ground.clock()
        if left <= EARLY:
            del self._until[endpoint]
            return None
        return left if self._settings.early_retry == "ticket" else None
