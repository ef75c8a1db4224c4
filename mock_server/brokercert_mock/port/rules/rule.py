"""A rule: what a broker does differently, and to which of its triggers; and a hold, what a rule keeps back.

A rule knows what it does: `apply` is given the turn that it is about. It never judges.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, ClassVar, Generic, Self, TypeVar

from brokercert_mock.port.ground import Ground

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class When:
    """Which of its triggers a rule is about. `endpoint` is empty for all that is no request. `only`: what the request
    must name, in its query or its body; others are counted, and go by. `attempt`: 1 for requests that bring no ticket
    back, 2 for those that bring one that a first attempt drew, and so on, on whatever connection they come.
    """

    endpoint: str = ""
    nth: int | None = None
    times: int | None = None
    only: Mapping[str, Any] = field(default_factory=dict)
    attempt: int | None = None


class Rule(Generic[T]):
    """One rule. `cancel()` or the end of a `with` block ends it.

    `name` is what the recorder is told, and stands in every trace: it never changes. `trigger` is what is counted.
    """

    name: ClassVar[str]
    trigger: ClassVar[str]

    def __init__(self, detail: str = "") -> None:
        self.detail = detail
        self.when = When()
        self.applied = 0
        self.cancelled = False

    @property
    def told(self) -> str:
        """The name in the trace."""
        return self.name

    def apply(self, turn: T) -> None:
        """Do what the rule is for."""
        raise NotImplementedError

    def fits(self, total: int) -> bool:
        """Whether it applies to the `total`-th trigger of the broker."""
        if self.cancelled:
            return False
        if self.when.nth is not None and total != self.when.nth:
            return False
        return self.when.times is None or self.applied < self.when.times

    def cancel(self) -> None:
        self.cancelled = True

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.cancel()


Kinds = tuple[type[Rule[Any]], ...]


class Hold:
    """Something kept back until `release`. `held` are the connections on which it is."""

    def __init__(self, rule: Rule[Any]) -> None:
        self._rule = rule
        self._waiting: list[tuple[int, Callable[[], None]]] = []
        self._arrived = asyncio.Event()
        self.released = False

    @property
    def held(self) -> list[int]:
        return [conn for conn, _ in self._waiting]

    def withhold(self, ground: Ground, conn: int, what: str, go: Callable[[], None]) -> None:
        """Keep `what` back on this connection until released; `go` lets it go."""
        if self.released:
            go()
            return
        ground.recorder.withheld(ground.clock(), what, conn)

        def release() -> None:
            ground.recorder.released(ground.clock(), what, conn)
            go()

        self._waiting.append((conn, release))
        self._arrived.set()
        ground.changed()

    async def wait_held(self, within: float) -> bool:
        """Until something is held, at most `within` seconds."""
        try:
            async with asyncio.timeout(within):
                await self._arrived.wait()
        except TimeoutError:
            return False
        return True

    def release(self) -> None:
        """Let everything go, and hold nothing more."""
        self.released = True
        self._rule.cancel()
        waiting, self._waiting = self._waiting, []
        for _, go in waiting:
            go()
