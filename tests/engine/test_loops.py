"""A signal ends a coroutine where it waits, and breaks into nothing."""

from __future__ import annotations

import ast
import asyncio
import signal
import threading
from collections.abc import Callable
from pathlib import Path

import brokercert
import pytest
from brokercert.engine.loops import run_loop
from brokercert.engine.play.virtual import VirtualLoop
from brokercert.engine.stops import NAMES, STOPS

SIGNALS = [getattr(signal, name) for name in NAMES if hasattr(signal, name)]


def ending() -> str:
    return "ending"


@pytest.mark.parametrize("factory", [None, VirtualLoop], ids=["real", "virtual"])
@pytest.mark.parametrize("number", SIGNALS, ids=lambda number: signal.Signals(number).name)
def test_a_signal_amid_somebodys_work_leaves_it_whole(
    number: int, factory: Callable[[], asyncio.AbstractEventLoop] | None
) -> None:
    done: list[str] = []

    def parse() -> None:  # as a library's parser in a callback of the loop
        done.append("begun")
        signal.raise_signal(number)
        done.append("whole")

    async def main() -> None:
        try:
            asyncio.get_running_loop().call_soon(parse)
            await asyncio.sleep(60)
        finally:
            await asyncio.sleep(0)
            signal.raise_signal(number)  # a second one, while it ends
            done.append("ended")

    before = [signal.getsignal(one) for one in SIGNALS]
    with pytest.raises(KeyboardInterrupt):
        run_loop(main(), ending, loop_factory=factory)
    assert done == ["begun", "whole", "ended"]
    assert [signal.getsignal(one) for one in SIGNALS] == before


def test_what_was_returned_for_all_that_is_returned() -> None:
    async def main() -> str:
        try:
            signal.raise_signal(signal.SIGINT)
            await asyncio.sleep(60)
        except asyncio.CancelledError:
            return "a partial record"
        return "a whole one"

    assert run_loop(main(), ending) == "a partial record"


def test_one_that_came_before_ends_it_at_once() -> None:
    begun: list[str] = []

    async def main() -> None:
        begun.append("begun")
        await asyncio.sleep(60)

    with pytest.raises(KeyboardInterrupt), STOPS.during(lambda: None, ending):
        signal.raise_signal(signal.SIGTERM)
        run_loop(main(), ending)
    assert not begun


def test_a_cancellation_of_its_own_is_no_interruption() -> None:
    async def main() -> None:
        raise asyncio.CancelledError

    with pytest.raises(asyncio.CancelledError):
        run_loop(main(), ending)


def test_a_thread_leaves_the_signals_alone() -> None:
    before = signal.getsignal(signal.SIGINT)
    seen: list[object] = []

    async def main() -> None:
        seen.append(signal.getsignal(signal.SIGINT))

    thread = threading.Thread(target=lambda: run_loop(main(), ending))
    with STOPS.during(lambda: None, ending):
        ours = signal.getsignal(signal.SIGINT)
        thread.start()
        thread.join(20)
        assert seen == [ours] and len(STOPS._blocks) == 1
    assert signal.getsignal(signal.SIGINT) == before


# Where a loop is run otherwise, and why a signal cannot break into it.
OTHERS = {
    "engine/loops.py": "it is the one",
    "fuzz/shards.py": "in workers, which ignore SIGINT and die with their parent",
    "reference/tradovate/__main__.py": "a client; its signals are the loop's",
    "reference/arrow/__main__.py": "a client; its signals are the loop's",
}


def test_every_loop_of_the_harness_is_run_so() -> None:
    root = Path(brokercert.__file__).parent
    found = {
        path.relative_to(root).as_posix()
        for path in root.rglob("*.py")
        for node in ast.walk(ast.parse(path.read_text()))
        if isinstance(node, ast.Call) and ast.unparse(node.func) in ("asyncio.run", "asyncio.Runner")
    }
    assert found == set(OTHERS), "run it by brokercert.engine.loops.run_loop, or say here why not"
