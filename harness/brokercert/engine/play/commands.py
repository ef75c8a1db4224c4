"""What a scenario may ask of a client at the level *commands*: its state, or a request.

The law: asking and waiting, no judging. Every command and every answer is a record; the judge compares what was
recorded. The first command of all is one that nobody can do: a client that does not say so is not believed when it says
*unsupported* of another.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import Any, Generic, TypeVar

from brokercert.engine.client.running import RunningSubject
from brokercert.engine.client.subject import SubjectSpec
from brokercert.judge.told import WHISTLE, Asked, Outcome, Snapshot
from brokercert.judge.transcript import Transcript
from brokercert.trace import TraceWriter

T = TypeVar("T")
C = TypeVar("C", bound=Transcript[Any])

ANSWER = 5.0  # seconds that a snapshot may take: it is the client's own memory, printed


class Commanding(Generic[C]):
    """The part of a `Stage` that gives commands."""

    talk: C
    _writer: TraceWriter
    _spec: SubjectSpec
    _subject: RunningSubject | None
    _loop: asyncio.AbstractEventLoop
    _commands = 0  # ids used; the whistle has 0

    def limit(self, name: str) -> float:
        raise NotImplementedError

    async def wait(self, what: str, condition: Callable[[C], T | None], within: float) -> T | None:
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

    async def outcome(self, ticket: int, within: float | None = None) -> Outcome | None:
        """How that request ended, as the client reports it. None where it does not say so in time: by `request_end`
        and a second for the report, unless another time is given.
        """
        within = self.limit("request_end") + 1 if within is None else within
        asked = self.talk.told.commands[ticket]
        await self._answered(asked, f"the outcome of request {ticket}", lambda: bool(asked.outcomes), within)
        return asked.outcome

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

        def over(_: C) -> bool | None:
            return done() or asked.unsupported is not None or None

        await self.wait(what, over, within)
        return done()
