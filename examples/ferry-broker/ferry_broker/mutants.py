"""The reference client with one defect each, and what each defect must fail. Each row has one that fails it."""

from __future__ import annotations

import asyncio
import sys

from brokercert.mutants.register import Register
from websockets.asyncio.client import ClientConnection

from ferry_broker.client import FerryClient, main

MUTANTS = Register()
mutant = MUTANTS.mutant


@mutant("never-connects", "FBO-010", reason="the row asks for a connection")
class NeverConnects(FerryClient):
    """Waits for ever, and never connects."""

    async def ride(self) -> None:
        await asyncio.Event().wait()


@mutant("no-badge", "FBO-020", also="FST-010 FFA-010", reason="the badge is what lets a client aboard")
class NoBadge(FerryClient):
    """Boards without its badge."""

    async def board(self, socket: ClientConnection) -> None:
        await self.say(socket, op="board")


@mutant("slow-here", "FST-010", reason="three seconds are more than one")
class SlowHere(FerryClient):
    """Says `here` every three seconds."""

    def here_every(self) -> float:
        return 3.0


@mutant("hammers", "FST-020", reason="the page asks for half a second")
class Hammers(FerryClient):
    """Connects again at once after a loss."""

    async def pause(self) -> None:
        await asyncio.sleep(0.05)


@mutant("just-leaves", "FST-030", reason="the page asks for a close frame")
class JustLeaves(FerryClient):
    """Ends the TCP connection without a close frame."""

    async def leave(self, socket: ClientConnection) -> None:
        socket.transport.abort()


@mutant("skips-a-fare", "FFA-010", reason="each fare is to be paid")
class SkipsAFare(FerryClient):
    """Pays no fare whose number is even."""

    async def pay(self, socket: ClientConnection, number: int) -> None:
        if number % 2:
            await super().pay(socket, number)


if __name__ == "__main__":
    if len(sys.argv) != 2 or sys.argv[1] not in MUTANTS:
        print(f"usage: python -m ferry_broker.mutants NAME; names: {', '.join(MUTANTS)}", file=sys.stderr)
        sys.exit(2)
    sys.exit(main(MUTANTS[sys.argv[1]].client))
