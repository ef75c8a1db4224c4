"""Defects that leave something behind with every reconnect."""

from __future__ import annotations

import os
import threading

from websockets.asyncio.client import ClientConnection

from brokercert.mutants.mutant import mutant
from brokercert.reference.client import ReferenceClient


@mutant("leaks-a-descriptor-a-socket", "REC-100", reason="twenty reconnects leave twenty descriptors open")
class LeaksDescriptors(ReferenceClient):
    """Opens a file for every socket, and closes none."""

    async def open_socket(self) -> ClientConnection:
        os.open(os.devnull, os.O_RDONLY)
        return await super().open_socket()


@mutant("leaks-a-thread-a-socket", "REC-100", reason="twenty reconnects leave twenty threads running")
class LeaksThreads(ReferenceClient):
    """Starts a thread for every socket, and ends none."""

    async def open_socket(self) -> ClientConnection:
        threading.Thread(target=threading.Event().wait, daemon=True).start()
        return await super().open_socket()
