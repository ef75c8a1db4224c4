"""Ways back that come late or twice, beside what is no way back: quotes, renewals, a health probe (TP §11, row 12)."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any, ClassVar

from brokercert.mutants.tradovate.mutant import mutant
from brokercert.mutants.tradovate.quotes import BesideQuotes
from brokercert.reference.rest import RestError
from brokercert.reference.tradovate.backoff import Backoff
from brokercert.reference.tradovate.client import End, ReferenceClient
from brokercert.reference.tradovate.states import Happening

RENEWS = 4.0  # seconds between two renewals: always some in the time that a way back may take
PROBES = 3.0  # seconds between two connects of a health probe
LATE = 15.0  # seconds: the latest renewal before an attempt comes too late as well


class _LateBackoff(Backoff):
    def next_delay(self, lasted: float) -> float:
        return LATE


@mutant(
    "late-beside-quotes",
    "REC-010 REC-015",
    reason="the socket for quotes is back in time, and the user's is not",
)
class LateBesideQuotes(BesideQuotes):
    """Waits for 15 s before every attempt; its socket for quotes is back in time."""

    backoff_class = _LateBackoff


@mutant(
    "late-beside-renewals",
    "REC-010 REC-015",
    also={"CON-040": "while every connection is closed when accepted, a renewal looks like any attempt"},
    reason="a renewal that no connection follows is no attempt",
)
class LateBesideRenewals(ReferenceClient):
    """Waits for 15 s before every attempt, and renews its token every four seconds meanwhile."""

    backoff_class = _LateBackoff
    every: ClassVar[float] = RENEWS

    async def _keep_token(self) -> None:
        loop = asyncio.get_running_loop()
        while True:
            await asyncio.sleep(self.every)
            if loop.time() >= self.lockout.until:
                with suppress(RestError, OSError):
                    await self.tokens.renew()


@mutant(
    "late-beside-a-probe",
    "REC-010 REC-015",
    reason="a health probe that connects and leaves is no attempt",
)
class LateBesideAProbe(ReferenceClient):
    """Waits for 15 s before every attempt; a probe beside it connects over TCP every three seconds, and leaves."""

    backoff_class = _LateBackoff

    async def _keep_token(self) -> None:
        probe = asyncio.create_task(self._probe())
        try:
            await super()._keep_token()
        finally:
            probe.cancel()

    async def _probe(self) -> None:
        address = self.config.url.partition("//")[2].partition("/")[0]
        host, _, port = address.rpartition(":")
        while True:
            try:
                _, writer = await asyncio.open_connection(host, int(port))
                writer.close()
            except OSError:
                pass  # what it tells its owner is no matter of ours
            await asyncio.sleep(PROBES)


@mutant(
    "two-loops-after-a-loss",
    "REC-060 REC-080",
    also={
        "EVT-100": "its second loop has shards of its own",
        "LOG-100": "its second loop knows nothing of the first one's ticket, and authorizes before its time",
        "RLP-070": "nor of the first one's lock-out",
    },
    reason="one loss makes two sockets, each authorized, synced and beating, and every event comes twice",
)
class TwoLoops(ReferenceClient):
    """Begins a second reconnect loop at its first loss, beside the one that it has."""

    def __init__(self, env: Mapping[str, str], output: Callable[[str], None], **options: Any) -> None:
        super().__init__(env, output, **options)
        self._second = ReferenceClient(env, output, **options)
        self._second_loop: asyncio.Task[int] | None = None

    async def _attempt(self, shard: int) -> End:
        end = await super()._attempt(shard)
        lost = end.how not in ("stopped", Happening.STOPPED)
        if lost and end.lasted and self._second_loop is None and not self._stop.is_set():
            self._second_loop = asyncio.create_task(self._second.run())
        return end

    async def run(self) -> int:
        status = await super().run()
        if self._second_loop is not None:
            await self._second.stop()
            await self._second_loop
        return status

    async def stop(self) -> None:
        await self._second.stop()
        await super().stop()
