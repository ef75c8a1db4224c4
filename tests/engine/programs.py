"""Programs as clients, and all that is told of them."""

from __future__ import annotations

import asyncio
import sys
import textwrap
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from brokercert.engine.client import leftovers
from brokercert.engine.client.running import RunningSubject, start_subject
from brokercert.engine.client.subject import Stop, Stream, SubjectSpec
from brokercert.trace.records import Why

DEADLINE = 10.0  # seconds for anything to happen; all of it takes well under one


@dataclass
class Notes:
    """An observer that remembers, and lets a test wait for what it is told."""

    lines: list[tuple[Stream, str, bool]] = field(default_factory=list)
    reports: list[tuple[str, Mapping[str, Any]]] = field(default_factory=list)
    broken: list[tuple[int, str, str]] = field(default_factory=list)
    lost: list[tuple[int, int]] = field(default_factory=list)
    stops: list[tuple[str, bool]] = field(default_factory=list)
    endings: list[tuple[Why, int]] = field(default_factory=list)
    exits: list[tuple[int, bool]] = field(default_factory=list)
    changed: asyncio.Event = field(default_factory=asyncio.Event)

    def started(self, at: float) -> None:
        self.changed.set()

    def output(self, at: float, stream: Stream, line: str, cut: bool) -> None:
        assert not self.exits, "output told after the exit"
        self.lines.append((stream, line, cut))
        self.changed.set()

    def report(self, at: float, event: str, body: Mapping[str, Any]) -> None:
        self.reports.append((event, body))
        self.changed.set()

    def broken_report(self, at: float, line: int, text: str, why: str) -> None:
        self.broken.append((line, text, why))
        self.changed.set()

    def dropped(self, at: float, lines: int, bytes: int) -> None:
        self.lost.append((lines, bytes))
        self.changed.set()

    def stop_asked(self, at: float, how: str, judged: bool) -> None:
        self.stops.append((how, judged))

    def ending(self, at: float, why: Why, processes: int) -> None:
        self.endings.append((why, processes))

    def exited(self, at: float, code: int, asked: bool) -> None:
        self.exits.append((code, asked))
        self.changed.set()

    async def until(self, condition: Callable[[], bool]) -> None:
        async with asyncio.timeout(DEADLINE):
            while not condition():
                self.changed.clear()
                await self.changed.wait()

    def printed(self, text: str) -> bool:
        return any(text in line for _, line, _ in self.lines)


Start = Callable[..., Any]


class Play:
    """Starts programs, and sees to it that they are gone."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.notes = Notes()

    async def command(self, *command: str, stop: Stop = "signal", level: Any = "wire", **env: str) -> RunningSubject:
        spec = SubjectSpec("odd", command, cwd=self.folder, stop=stop, level=level, env=env)
        told = {"BROKERCERT_URL": "ws://127.0.0.1:1/v1/websocket", "BROKERCERT_TOKEN": "t"}
        return await start_subject(spec, told, self.notes, self.folder / "state", asyncio.get_running_loop().time)

    async def python(self, source: str, **more: Any) -> RunningSubject:
        return await self.command(sys.executable, "-S", "-c", textwrap.dedent(source), **more)

    def running(self) -> list[int]:
        return leftovers.belonging({str(self.folder / "state"): None})
