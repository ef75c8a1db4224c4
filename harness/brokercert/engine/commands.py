"""What a scenario may ask of a client at the level *commands*: its state, a request, the comparison with the ledger.

The law: asking and waiting, no judging. Every command and every answer is a record; the judge compares what was
recorded (`brokercert.judge.state`), and this side looks at the same comparison only to know how long to go on asking.
The first command of all is one that nobody can do: a client that does not say so is not believed when it says
*unsupported* of another.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import Any, TypeVar

from brokercert_mock import TradovateBroker

from brokercert.engine.subject import RunningSubject, SubjectSpec
from brokercert.judge.conversation import SECOND, Conversation
from brokercert.judge.state import differences_at, due_at, unseen_at
from brokercert.judge.told import WHISTLE, Asked, Outcome, Snapshot
from brokercert.trace import TraceWriter

T = TypeVar("T")

ANSWER = 5.0  # seconds that a snapshot may take: it is the client's own memory, printed
POLL = 0.25  # seconds between two snapshots of a comparison: twenty until it is due
OUTCOME = 61.0  # seconds that a request may take to end, as REQ-030 says, and one for the report


class Commanding:
    """The part of a `Stage` that gives commands."""

    broker: TradovateBroker
    talk: Conversation
    limits: Mapping[str, float]
    _writer: TraceWriter
    _spec: SubjectSpec
    _subject: RunningSubject | None
    _loop: asyncio.AbstractEventLoop
    _commands = 0  # ids used; the whistle has 0

    async def wait(self, what: str, condition: Callable[[Conversation], T | None], within: float) -> T | None:
        raise NotImplementedError

    async def hold(self, seconds: float, what: str = "time to pass") -> None:
        raise NotImplementedError

    async def snapshot(self, within: float = ANSWER) -> Snapshot | None:
        """The client's state. None where it does not offer that, says *unsupported*, has left, or is late."""
        if "snapshot" not in self._spec.offers:
            return None
        asked = self._give("snapshot")
        answered = await self._answered(asked, "a snapshot", lambda: asked.snapshot is not None, within)
        return asked.snapshot if answered else None

    async def request(self, endpoint: str, body: Any = None, *, query: str = "", priority: int = 5) -> int:
        """Have the client send a request; lower `priority` leaves first. Returns its ticket for `outcome`, at once."""
        return self._give("request", endpoint=endpoint, query=query, body=body, priority=priority).id

    async def outcome(self, ticket: int, within: float = OUTCOME) -> Outcome | None:
        """How that request ended, as the client reports it. None where it does not say so in time."""
        asked = self.talk.told.commands[ticket]
        await self._answered(asked, f"the outcome of request {ticket}", lambda: bool(asked.outcomes), within)
        return asked.outcome

    async def compare(self, name: str) -> None:
        """Record the ledger under `name`, and ask for the client's state until it is equal or must have been, and
        once more when it must be equal still. To be called after the last event of the flow: plain events that
        repeat an entity would mend a client that had missed it (`broker.quiet(True)`).
        """
        self.broker.tell_ledger(name)
        settle = round(self.limits["snapshot_settle"] * SECOND)
        while True:
            shot = await self.snapshot()
            if shot is None:
                return
            equal = not differences_at(self.talk, name, shot)
            if shot.asked >= due_at(self.talk, name, settle) or (equal and not unseen_at(self.talk, name)):
                break
            await self.hold(POLL, "the client's state to become the ledger's")
        if not equal:
            return
        await self.hold(self.limits["snapshot_stable"], "the client's state to stay the ledger's")
        await self.snapshot()

    def _give(self, command: str, **more: Any) -> Asked:
        """Give a command; its record is folded before this returns."""
        if not self._commands:
            self._say({"command": WHISTLE, "id": 0})
        self._commands += 1
        self._say({"command": command, "id": self._commands, **more})
        return self.talk.told.commands[self._commands]

    def _say(self, line: Mapping[str, Any]) -> None:
        subject = self._subject
        at = self._loop.time()
        told = subject is not None and subject.say(line)
        self._writer.command(at, line, told=told)

    async def _answered(self, asked: Asked, what: str, done: Callable[[], bool], within: float) -> bool:
        """Wait for the answer to a command, or for the client to say that it knows no such command."""
        if not asked.told:
            return False

        def over(_: Conversation) -> bool | None:
            return done() or asked.unsupported is not None or None

        await self.wait(what, over, within)
        return done()
