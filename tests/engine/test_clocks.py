"""A client's wall clock is stepped by a shim, and nothing else of it changes."""

from __future__ import annotations

import asyncio
import json
import os
import shutil
import subprocess
import sys
import time
from pathlib import Path

import pytest
from brokercert.engine.client.clocks import VARIABLE, SteppedClock, shimmed
from brokercert.engine.client.command import environment_of
from brokercert.engine.client.subject import SubjectSpec
from brokercert.engine.play.virtual import CALENDAR, VirtualLoop, step_wall, wall

NODE = shutil.which("node")
ENOUGH = 300.0  # seconds: half of a step, far beyond what a program needs to start
STEP = 600.0

PYTHON_PROGRAM = """
import json, time, datetime
print(json.dumps([time.time(), time.time_ns() / 1e9, time.monotonic()]))
"""
NODE_PROGRAM = """
const of = new Date(2026, 0, 5);
console.log(JSON.stringify([Date.now() / 1000, new Date().getTime() / 1000, performance.now() / 1000,
  of.getFullYear(), new Date("2026-01-05T12:00:00Z").getTime(), of instanceof Date, Number.isInteger(Date.now()),
  Date.UTC(2026, 0, 5), typeof Date() === "string", new (class extends Date {})() instanceof Date, Date.length]));
"""


def run(command: list[str], clock: SteppedClock | None, state_dir: Path, **more: str) -> list[float]:
    """What a client prints that is started with this clock."""
    env = {VARIABLE: str(clock.file)} if clock else {}
    environ = environment_of(SubjectSpec("x", command=tuple(command), env=more), env, state_dir)
    done = subprocess.run(command, env=environ, capture_output=True, text=True, check=True, timeout=60)
    assert done.stderr == "", "its own output is the client's alone"
    said: list[float] = json.loads(done.stdout)
    return said


@pytest.mark.parametrize("step", [STEP, -STEP, 0.0])
def test_a_python_client_has_its_wall_clock_stepped_and_its_timers_not(tmp_path: Path, step: float) -> None:
    clock = SteppedClock(tmp_path / "tmp")
    clock.step(step)
    wall_now, wall_ns, monotonic = run([sys.executable, "-c", PYTHON_PROGRAM], clock, tmp_path)
    assert abs(wall_now - time.time() - step) < ENOUGH and abs(wall_ns - wall_now) < ENOUGH
    assert abs(monotonic - time.monotonic()) < ENOUGH
    assert clock.followed == ("python",)


@pytest.mark.skipif(NODE is None, reason="needs Node")
@pytest.mark.parametrize("step", [STEP, -STEP, 0.0])
def test_a_node_client_has_its_wall_clock_stepped_and_its_timers_not(tmp_path: Path, step: float) -> None:
    clock = SteppedClock(tmp_path / "tmp")
    clock.step(step)
    assert NODE is not None
    now, made, since, *dates = run([NODE, "-e", NODE_PROGRAM], clock, tmp_path)
    assert abs(now - time.time() - step) < ENOUGH and abs(made - now) < ENOUGH
    assert since < ENOUGH
    assert dates == [2026, 1767614400000, True, True, 1767571200000, True, True, 7]
    assert clock.followed == ("node",)


def test_a_client_without_such_a_clock_is_given_nothing(tmp_path: Path) -> None:
    environ = environment_of(SubjectSpec("x", command=("x",)), {}, tmp_path)
    assert VARIABLE not in environ
    assert environ.get("NODE_OPTIONS") == os.environ.get("NODE_OPTIONS")
    assert environ.get("PYTHONPATH") == os.environ.get("PYTHONPATH")


def test_what_the_client_has_of_its_own_stays(tmp_path: Path) -> None:
    """Its own options, folders, and its own `sitecustomize`, wherever that lies."""
    own = tmp_path / "own"
    own.mkdir()
    (own / "sitecustomize.py").write_text("import time\ntime.own = True\n")
    program = "import json, sys, time\nprint(json.dumps([time.own, sys.path.count(''), sys.stdin is not None]))"
    clock = SteppedClock(tmp_path / "tmp")
    assert run([sys.executable, "-c", program], clock, tmp_path, PYTHONPATH=str(own))[0] is True
    given = shimmed({"NODE_OPTIONS": "--max-old-space-size=64", "PYTHONPATH": str(own)})
    assert given["NODE_OPTIONS"].startswith("--max-old-space-size=64 --require ")
    assert given["PYTHONPATH"].endswith(os.pathsep + str(own))


def test_a_clock_of_which_the_file_is_gone_goes_on(tmp_path: Path) -> None:
    clock = SteppedClock(tmp_path / "tmp")
    clock.file.unlink()
    assert abs(run([sys.executable, "-c", PYTHON_PROGRAM], clock, tmp_path)[0] - time.time()) < ENOUGH


def test_a_virtual_calendar_is_stepped_and_its_loop_is_not() -> None:
    async def stepped() -> tuple[float, float]:
        await asyncio.sleep(5)
        step_wall(STEP)
        step_wall(-3 * STEP)
        await asyncio.sleep(5)
        return wall() - CALENDAR.timestamp(), asyncio.get_running_loop().time()

    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        assert runner.run(stepped()) == pytest.approx((10 - 2 * STEP, 10))
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        assert runner.run(asyncio.sleep(0, wall)) is wall
