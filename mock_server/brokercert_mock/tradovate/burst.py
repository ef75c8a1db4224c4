"""Many events at a rate, for a client whose processing is timed.

The law: nothing is computed between two of them. Every frame is made before the first is written, stamped right before
its own write, and told to the recorder when all are out.
"""

from __future__ import annotations

import asyncio

from websockets.frames import Frame, Opcode

from brokercert_mock.port.ground import Ground
from brokercert_mock.port.pace import Turn
from brokercert_mock.tradovate import wire as frames
from brokercert_mock.tradovate.connection import Connection
from brokercert_mock.tradovate.state import State
from brokercert_mock.tradovate.told import Told

KINDS = ("order", "position", "fill", "cashBalance", "account")  # the first that the socket asked for
TICK = 0.001  # seconds between two looks at what is due
SLICE = 250  # frames made or told in one go: some milliseconds, so that nobody else in the loop waits longer


class Burst:
    """`count` events for one socket, each of an entity of its own, so that a report can name it."""

    def __init__(self, ground: Ground, state: State, conn: Connection, count: int) -> None:
        self._ground = ground
        self._state = state
        self._conn = conn
        self._count = count
        self._payloads: list[bytes] = []
        self._frames: list[bytes] = []
        self._written: list[tuple[float, int, int]] = []

    async def prepare(self) -> bool:
        """Make the frames. False: the socket asked for nothing of which there is any."""
        db, subscription = self._state, self._conn.subscription
        found = (
            (kind, entity)
            for kind in KINDS
            for entity in db.of(kind)
            if subscription is not None and subscription.wants(db, kind, entity)
        )
        kind, template = next(found, ("", {}))
        if not kind:
            return False
        for number in range(self._count):
            text = frames.pack([frames.props(kind, "Created", template | {"id": db.new_id()})])
            self._payloads.append(text.encode())
            self._frames.append(Frame(Opcode.TEXT, self._payloads[-1]).serialize(mask=False))
            if number % SLICE == SLICE - 1:
                await asyncio.sleep(0)
        return True

    async def send(self, rate: float) -> None:
        """Write them, `rate` a second; what a late moment left undone is written in the next turns of the loop. Ends
        with the socket.
        """
        clock, write = self._ground.clock, self._conn.write_prepared
        self._ground.tell_rule(Told.BURST.value, self._conn.id, f"{self._count} event(s), {rate:g} a second")
        began = clock()
        while len(self._written) < self._count and self._conn.is_open:
            due = min(self._count, int((clock() - began) * rate) + 1)
            turn = Turn(clock)
            while len(self._written) < due and turn.goes_on():
                self._written.append(write(self._frames[len(self._written)]))
            await asyncio.sleep(TICK)

    async def tell(self) -> None:
        """Tell the recorder of what was written. Once, after `send`."""
        for number, (written, payload) in enumerate(zip(self._written, self._payloads, strict=False)):
            at, ordinal, message = written
            self._ground.recorder.frame(at, self._conn.id, "broker", ordinal, Opcode.TEXT, payload, 1, message)
            if number % SLICE == SLICE - 1:
                await asyncio.sleep(0)
