"""Defects below the protocol: of WebSocket itself."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import Any

from websockets.asyncio.client import ClientConnection
from websockets.frames import Frame, Opcode

from brokercert.mutants.tradovate.mutant import mutant
from brokercert.reference.tradovate.client import ReferenceClient
from brokercert.reference.tradovate.session import Session
from brokercert.reference.tradovate.states import Happening


class Rewritten(ReferenceClient):
    """Its frames are written by `write` in place of the library's own way."""

    def write(self, frame: Frame, plainly: Callable[[Frame], None], out: list[bytes]) -> None:
        """Write the frame: `plainly` as the library does, or its bytes onto `out`."""
        raise NotImplementedError

    async def open_socket(self) -> ClientConnection:
        ws = await super().open_socket()
        plainly, out = ws.protocol.send_frame, ws.protocol.writes
        protocol: Any = ws.protocol
        protocol.send_frame = lambda frame: self.write(frame, plainly, out)
        return ws


@mutant(
    "sends-without-a-mask",
    "CON-060",
    also={
        "CON-010": "no login comes to its end, so that it is never back",
        "CON-020": "no login comes to its end, so that it is never back",
        "REC-110": "no login comes to its end, so that it is never back",
        "OFF-010": "its close frame is none either",
    },
    reason="a server has to end the connection at the first frame without a mask",
)
class SendsWithoutMask(Rewritten):
    """Sends its frames as they are, without a mask."""

    def write(self, frame: Frame, plainly: Callable[[Frame], None], out: list[bytes]) -> None:
        out.append(frame.serialize(mask=False))


@mutant(
    "says-goodbye-in-latin-1",
    "CON-060",
    reason="a text frame that is not UTF-8 is none that a server may take",
)
class SaysGoodbyeInLatin1(ReferenceClient):
    """Says in Latin-1 why it leaves a socket whose token was refused."""

    async def pump(self, session: Session, ws: ClientConnection, wake: asyncio.Event) -> None:
        await super().pump(session, ws, wake)
        if session.over is not None and session.over.how is Happening.REFUSED:
            await ws.send("accès refusé".encode("latin-1"), text=True)


@mutant(
    "says-goodbye-without-end",
    "CON-060",
    reason="it sends more on one connection than a server takes of a client",
)
class SaysGoodbyeWithoutEnd(ReferenceClient):
    """Says why it leaves a socket whose token was refused, in 17 messages of a megabyte."""

    async def pump(self, session: Session, ws: ClientConnection, wake: asyncio.Event) -> None:
        await super().pump(session, ws, wake)
        if session.over is not None and session.over.how is Happening.REFUSED:
            for _ in range(17):
                await ws.send("refused " * 125_000)


@mutant("never-answers-pings", "CON-070", reason="a ping is never answered")
class NeverAnswersPings(Rewritten):
    """Throws pings away."""

    def write(self, frame: Frame, plainly: Callable[[Frame], None], out: list[bytes]) -> None:
        if frame.opcode is not Opcode.PONG:
            plainly(frame)


@mutant("answers-pings-with-nothing", "CON-070", reason="a pong does not carry what the ping had carried")
class AnswersPingsWithNothing(Rewritten):
    """Answers a ping by an empty pong."""

    def write(self, frame: Frame, plainly: Callable[[Frame], None], out: list[bytes]) -> None:
        plainly(Frame(Opcode.PONG, b"") if frame.opcode is Opcode.PONG else frame)
