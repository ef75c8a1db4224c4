"""Keeps a valid access token: renews it before its end, replaces it after a refusal, hammers nobody (TP §2)."""

from __future__ import annotations

import asyncio
import datetime
import ssl
from collections.abc import Callable
from contextlib import suppress
from typing import Any

from brokercert.reference.rest import RestError, call
from brokercert.reference.tradovate.config import Config

MARGIN = 15 * 60.0  # seconds before the end at which a token is renewed (TP §2.3)
LEAST_MARGIN = 0.2  # of a short-lived token's remaining life


class Tokens:
    """One token for all sockets. `wall` gives seconds since 1970, `clock` those of the loop."""

    def __init__(
        self, config: Config, wall: Callable[[], float], clock: Callable[[], float], tls: ssl.SSLContext | None
    ) -> None:
        self._config = config
        self._wall = wall
        self._clock = clock
        self._tls = tls
        self._token = config.token
        self._until = self._end_of(config.expires)
        self._refused: set[str] = set()
        self._lock = asyncio.Lock()

    @property
    def can_log_in(self) -> bool:
        return bool(self._config.user and self._config.password)

    async def get(self) -> str:
        """A token to authorize with: the one in hand while it is good, else a new one. Raises `RestError`."""
        async with self._lock:
            left = self._until - self._clock()
            if self._token and self._token not in self._refused and left > 0:
                if left < min(MARGIN, self._margin):
                    with suppress(RestError):  # still good: `_keep_token` goes on trying
                        await self._renew()
                return self._token
            if self.can_log_in:
                await self._log_in()
                return self._token
            if self._token:
                return self._token  # nothing better is to be had
            raise RestError("no token, and no credentials to get one with")

    def refuse(self, token: str) -> None:
        """The broker refused this token: it is not used again while a new one can be had."""
        self._refused.add(token)

    def renew_in(self) -> float:
        """Seconds until the token in hand is to be renewed."""
        return max(1.0, self._until - self._clock() - min(MARGIN, self._margin))

    async def renew(self) -> None:
        """Renew while the token is good. Raises `RestError`."""
        async with self._lock:
            await self._renew()

    async def _renew(self) -> None:
        url = f"{self._config.rest_url}/auth/renewaccesstoken"
        self._take(await call(url, bearer=self._token, tls=self._tls, dns=self._config.dns))

    async def _log_in(self) -> None:
        c = self._config
        body = {
            "name": c.user,
            "password": c.password,
            "appId": c.app_id,
            "appVersion": c.app_version,
            "deviceId": c.device_id,
            "cid": c.cid,
            "sec": c.sec,
        }
        self._take(await call(f"{c.rest_url}/auth/accesstokenrequest", body=body, tls=self._tls, dns=c.dns))

    def _take(self, answer: Any) -> None:
        """A login's or renewal's answer: 200 is success only with a token inside."""
        token = answer.get("accessToken") if isinstance(answer, dict) else None
        if not isinstance(token, str) or not token:
            raise RestError("the answer has no access token in it")
        self._token = token
        self._until = self._end_of(str(answer.get("expirationTime", "")))

    def _end_of(self, expires: str) -> float:
        """The end of a token on the loop's clock; 80 minutes where it is not said (TP §2.3)."""
        life = 80 * 60.0
        try:
            life = datetime.datetime.fromisoformat(expires).timestamp() - self._wall()
        except ValueError:
            pass
        self._margin = life * LEAST_MARGIN
        return self._clock() + life
