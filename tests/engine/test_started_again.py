"""A client that a scenario starts a second time: ended like any other first, and nothing of the first start is left."""

from __future__ import annotations

import os
import sys
import textwrap
from collections.abc import Callable, Mapping
from pathlib import Path

import pytest
from brokercert.engine.client.subject import SubjectSpec
from brokercert.trace import records as r
from brokercert_scenarios.tradovate_stage2.stage import Stage
from command_stage import OFFERS, Echo, played, virtually


def test_what_is_waited_for_is_the_new_start() -> None:
    async def play(stage: Stage) -> None:
        before = stage.talk
        assert await stage.snapshot() is not None
        await stage.start_again()
        assert stage.talk is not before and before.again is stage.talk
        assert not stage.left and not stage.talk.told.snapshots
        assert await stage.snapshot() is not None
        await stage.ask_stop()
        await stage.hold(5, "the client to leave")
        assert stage.left

    _, records = virtually(play)
    assert [x.start for x in records if isinstance(x, r.SubjectStarted)] == [1, 2]
    assert [x.judged for x in records if isinstance(x, r.StopAsked)] == [False, True]
    assert [(x.code, x.asked) for x in records if isinstance(x, r.SubjectExited)] == [(0, True)] * 2


class Crashes(Echo):
    """The first time it is started."""

    starts = 0

    def __init__(self, env: Mapping[str, str], output: Callable[[str], None]) -> None:
        super().__init__(env, output)
        Crashes.starts += 1

    async def run(self) -> int:
        if Crashes.starts == 1:
            raise LookupError("no such frame")
        self.output("all is well")
        return await super().run()


def test_the_last_words_are_those_of_the_start_that_crashed() -> None:
    words: list[str] = []

    async def play(stage: Stage) -> None:
        await stage.hold(1, "the client to crash")
        assert stage.left
        await stage.start_again()
        await stage.hold(1, "the client to live")
        assert not stage.left
        words.extend(stage.tail())

    Crashes.starts = 0
    virtually(play, Crashes)
    assert words[-1] == "LookupError: no such frame"


PROGRAM = """
    import os, signal, sys, threading
    kept = os.path.join(os.environ["BROKERCERT_STATE_DIR"], "kept")
    print("again" if os.path.exists(kept) else "first", os.getpid(), flush=True)
    open(kept, "w").close()
    signal.signal(signal.SIGTERM, lambda *_: os._exit(0))
    threading.Event().wait()
"""


@pytest.mark.asyncio
async def test_a_program_finds_its_folder_as_it_left_it_and_the_first_one_is_gone(tmp_path: Path) -> None:
    async def play(stage: Stage) -> None:
        await stage.wait("its first line", lambda talk: talk.told.lines, 20)
        await stage.start_again()
        await stage.wait("its first line", lambda talk: talk.told.lines, 20)

    command = (sys.executable, "-c", textwrap.dedent(PROGRAM))
    spec = SubjectSpec("program", command=command, level="wire", offers=OFFERS, stop="signal")
    _, records = await played(play, spec, tmp_path)
    said = [x.text.split() for x in records if isinstance(x, r.SubjectOutput)]
    assert [word for word, _ in said] == ["first", "again"]
    for _, pid in said:
        with pytest.raises(ProcessLookupError):
            os.kill(int(pid), 0)
    order = [type(x) for x in records if isinstance(x, r.SubjectStarted | r.SubjectExited)]
    assert order == [r.SubjectStarted, r.SubjectExited] * 2
