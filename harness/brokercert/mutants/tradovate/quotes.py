"""A client with a socket for quotes beside the user's: what others of its sockets do must hide no defect of one.

`Quotes` is a whole client on the market-data token, which syncs nothing. It is sound. No mutant stands here.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import Any, ClassVar

from brokercert.reference.tradovate.client import ReferenceClient
from brokercert.reference.tradovate.session import Session
from brokercert.reference.tradovate.tokens import Tokens

LATER = 1.0  # seconds between the user's socket and the one for quotes


class _UserTokens(Tokens):
    """It keeps the market-data token of each answer too."""

    market_data = ""

    def _take(self, answer: Any) -> None:
        super()._take(answer)
        self.market_data = str(answer.get("mdAccessToken", ""))


class _MarketDataTokens(Tokens):
    """The user's, for the market data."""

    user: ClassVar[BesideQuotes]

    async def get(self) -> str:
        await self.user.tokens.get()
        return self.user.market_data

    def refuse(self, token: str) -> None:
        self.user.tokens.refuse(self.user.tokens._token)


class QuotesSession(Session):
    def send_sync(self, now: float) -> None:
        """It has no use for the user's events."""
        self.live_since = now


class Quotes(ReferenceClient):
    """The socket for quotes: sound."""

    session_class = QuotesSession

    def __init__(self, env: Mapping[str, str], output: Callable[[str], None], **options: Any) -> None:
        quiet = {key: value for key, value in env.items() if key != "BROKERCERT_LEVEL"}
        super().__init__(quiet, output, **options)

    async def _keep_token(self) -> None:
        await asyncio.Event().wait()  # the user's client renews


class BesideQuotes(ReferenceClient):
    """The user's socket, and a second later one for quotes."""

    tokens_class = _UserTokens
    quotes_class: type[Quotes] = Quotes

    def __init__(self, env: Mapping[str, str], output: Callable[[str], None], **options: Any) -> None:
        super().__init__(env, output, **options)
        self._given = env.get("BROKERCERT_MD_TOKEN", "")
        self.quotes = self.quotes_class(env, output, **options)
        self.quotes.tokens_class = type("_Tokens", (_MarketDataTokens,), {"user": self})
        self.quotes.lockout = self.lockout

    @property
    def market_data(self) -> str:
        """The latest token for market data."""
        return (self.tokens.market_data if isinstance(self.tokens, _UserTokens) else "") or self._given

    async def run(self) -> int:
        beside = asyncio.create_task(self._beside())
        try:
            return await super().run()
        finally:
            await self.quotes.stop()
            await beside

    async def _beside(self) -> None:
        await self._pause(LATER)
        if not self._stop.is_set():
            await self.quotes.run()

    async def stop(self) -> None:
        await self.quotes.stop()
        await super().stop()
