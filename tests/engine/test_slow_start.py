"""A client that needs its time to start is judged as one that is there at once: no scenario has a clock of its own."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from brokercert.engine.client.subject import Factory
from brokercert.engine.play.scenario import load_suite
from brokercert.engine.run.run import Quiet, RunRequest, run_certification
from brokercert.matrix.subjects import REFERENCE, outside, subject_named

SETS = ("tradovate-stage2", "arrow-orders")
SLOW = 20.0  # seconds of virtual time: a runtime that compiles first, within the 30 s that both sets allow


class Late:
    """A client that does nothing for a while, and is then the one that `made` makes."""

    def __init__(self, made: Factory, env: Mapping[str, str], say: Callable[[str], None]) -> None:
        self._client: Any = made(env, say)
        self._left = asyncio.Event()

    async def run(self) -> int:
        try:
            async with asyncio.timeout(SLOW):
                await self._left.wait()
            return 0
        except TimeoutError:
            return int(await self._client.run())

    async def stop(self) -> None:
        self._left.set()
        await self._client.stop()

    async def command(self, line: Mapping[str, Any]) -> None:
        await self._client.command(line)


@pytest.mark.long
@pytest.mark.parametrize("set_id", SETS)
def test_a_client_that_needs_twenty_seconds_to_start_passes_every_row(set_id: str, tmp_path: Path) -> None:
    subject = subject_named(set_id, REFERENCE, 1)
    made = subject.factory
    assert made is not None
    late = replace(subject, factory=lambda env, say: Late(made, env, say))
    names = tuple(s.name for s in load_suite(set_id).scenarios if s.cell is None)
    run = run_certification(RunRequest(set_id, late, tier="virtual", out=tmp_path, scenarios=names), Quiet())
    states = {s.state for s in run.scenarios if s.name in names}
    assert states <= {"completed", "not applicable"}, "twenty drops need a process"
    said = {row.id: str(row.verdict) for row in run.rows if row.id not in outside(set_id) and row.scenarios}
    assert {row: verdict for row, verdict in said.items() if verdict != "pass"} == {}
