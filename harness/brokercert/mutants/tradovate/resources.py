"""Defects that only a process in real time shows: what it leaves behind with every reconnect, and where it blocks."""

from __future__ import annotations

import os
import threading
import time
from typing import Any

from websockets.asyncio.client import ClientConnection

from brokercert.mutants.tradovate.mutant import mutant
from brokercert.mutants.tradovate.tickets import with_queue
from brokercert.reference.tradovate.client import ReferenceClient
from brokercert.reference.tradovate.commands import Reports
from brokercert.reference.tradovate.requests import Request, RequestQueue

LEAK = 1024 * 1024  # bytes a socket: fifteen of them are more than a tenth of what a Python holds (REC-100)


@mutant(
    "leaks-a-descriptor-a-socket",
    "REC-100",
    process=True,
    reason="twenty reconnects leave twenty descriptors open",
)
class LeaksDescriptors(ReferenceClient):
    """Opens a file for every socket, and closes none."""

    async def open_socket(self) -> ClientConnection:
        os.open(os.devnull, os.O_RDONLY)
        return await super().open_socket()


@mutant(
    "leaks-a-thread-a-socket",
    "REC-100",
    process=True,
    reason="twenty reconnects leave twenty threads running",
)
class LeaksThreads(ReferenceClient):
    """Starts a thread for every socket, and ends none."""

    async def open_socket(self) -> ClientConnection:
        threading.Thread(target=threading.Event().wait, daemon=True).start()
        return await super().open_socket()


@mutant(
    "leaks-a-mebibyte-a-socket",
    "REC-100",
    process=True,
    reason="fifteen reconnects leave 15 MiB more in use than a tenth allows",
)
class LeaksMemory(ReferenceClient):
    """Keeps a MiB with every socket, and frees none."""

    def __init__(self, *arguments: Any, **more: Any) -> None:
        super().__init__(*arguments, **more)
        self._kept: list[bytes] = []

    async def open_socket(self) -> ClientConnection:
        self._kept.append(b"\xff" * LEAK)  # written to: memory that nobody has touched is not in use yet
        return await super().open_socket()


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


class _BlockingQueue(RequestQueue):
    def on_ticket(self, request: Request, data: dict[str, Any], now: float) -> None:
        wait = data.get("p-time", 0)
        if data.get("p-captcha") is not True and isinstance(wait, int | float) and wait > 0:
            time.sleep(wait)
            data = {**data, "p-time": 0}
        super().on_ticket(request, data, now)


@mutant(
    "blocks-through-a-penalty",
    "RLP-080",
    process=True,
    reason="its only thread sleeps while a ticket is waited out, and its heartbeats with it",
)
class BlocksThroughPenalty(ReferenceClient):
    """Sleeps through a penalty with its only thread."""

    session_class = with_queue(_BlockingQueue)
