"""Defects of processing: what takes too long over a message."""

from __future__ import annotations

import asyncio
import time
from typing import Any

from brokercert.mutants.tradovate.mutant import mutant
from brokercert.reference.tradovate.client import ReferenceClient
from brokercert.reference.tradovate.commands import Reports


class _Late(Reports):
    def processed(self, kind: str, data: Any) -> None:
        asyncio.get_running_loop().call_later(0.15, super().processed, kind, data)


@mutant(
    "processes-150-ms-later",
    "EVT-150",
    process=True,
    reason="each message is processed within 100 ms",
)
class ProcessesLate(ReferenceClient):
    """Takes every message 150 ms after it came, the next ones meanwhile."""

    def __init__(self, *arguments: Any, **more: Any) -> None:
        super().__init__(*arguments, **more)
        self.reports = _Late(self._output, self.config.level)


class _Slow(Reports):
    def processed(self, kind: str, data: Any) -> None:
        time.sleep(0.002)
        super().processed(kind, data)


@mutant(
    "blocks-2-ms-a-message",
    "EVT-150",
    process=True,
    reason="at a thousand messages a second it falls behind by a second each second",
)
class BlocksPerMessage(ReferenceClient):
    """Does 2 ms of work for each message, and the next one waits for that."""

    def __init__(self, *arguments: Any, **more: Any) -> None:
        super().__init__(*arguments, **more)
        self.reports = _Slow(self._output, self.config.level)
