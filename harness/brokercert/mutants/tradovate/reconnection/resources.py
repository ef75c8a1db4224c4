"""Defects that only a process in real time shows: what it leaves behind with every reconnect."""

from __future__ import annotations

import os
import threading
from typing import Any

from websockets.asyncio.client import ClientConnection

from brokercert.mutants.tradovate.mutant import mutant
from brokercert.reference.tradovate.client import ReferenceClient

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
