"""What a callback of the loop raises ends its scenario as *harness error*, and costs no other one anything."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from brokercert.engine.client.output import Output
from brokercert.engine.client.subject import Stream
from brokercert.engine.machine.shortage import Shortage
from brokercert.engine.play.raised import RAISED, hear, listen, told_to_its_playing
from brokercert.trace import TraceWriter
from programs import Notes
from test_one_costs_no_other import REQUEST, play_one, plays


@pytest.mark.asyncio
async def test_each_playing_is_told_of_its_own() -> None:
    told: dict[str, list[Exception]] = {"one": [], "two": []}
    unheard: list[dict[str, Any]] = []
    loop = asyncio.get_running_loop()

    def breaks() -> None:
        raise KeyError("in a callback")

    async def playing(name: str, *, fails: bool) -> None:
        RAISED.set(told[name].append)
        if fails:
            loop.call_soon(breaks)
        await asyncio.sleep(0)

    loop.set_exception_handler(lambda _, context: None if told_to_its_playing(context) else unheard.append(context))
    try:
        await asyncio.gather(
            asyncio.create_task(playing("one", fails=True)), asyncio.create_task(playing("two", fails=False))
        )
        loop.call_soon(breaks)
        await asyncio.sleep(0)
        loop.call_exception_handler({"message": "a transport", "exception": OSError("its peer")})
    finally:
        loop.set_exception_handler(None)
    assert [type(error) for error in told["one"]] == [KeyError] and told["two"] == []
    assert [type(context["exception"]) for context in unheard] == [KeyError, OSError]


@pytest.mark.asyncio
async def test_a_shortage_hands_on_what_a_callback_raised() -> None:
    loop, told = asyncio.get_running_loop(), list[Exception]()

    def breaks() -> None:
        raise KeyError("in a callback")

    listen(loop)
    try:
        with Shortage(lambda text: None):
            hear(loop, told.append)
            loop.call_soon(breaks)
            await asyncio.sleep(0)
    finally:
        loop.set_exception_handler(None)
    assert [type(error) for error in told] == [KeyError]


@pytest.mark.asyncio
async def test_lines_behind_one_that_breaks_are_told(monkeypatch: pytest.MonkeyPatch) -> None:
    lines: list[str] = []
    raised: list[dict[str, Any]] = []

    class Observer(Notes):
        def output(self, at: float, stream: Stream, line: str, cut: bool) -> None:
            if line == "second":
                raise ValueError("it breaks")
            lines.append(line)

    loop = asyncio.get_running_loop()
    loop.set_exception_handler(lambda _, context: raised.append(context))
    try:
        output = Output(Observer(), loop.time, "wire")
        output.feed("out", b"first\nsecond\nthird\n")
        done = asyncio.Event()
        output.when_told(done.set)
        await asyncio.wait_for(done.wait(), 5)
    finally:
        loop.set_exception_handler(None)
    assert lines == ["first", "third"] and len(raised) == 1


def test_a_record_that_cannot_be_made_ends_the_scenario_as_ours(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def breaks(self: TraceWriter, *_: Any, **__: Any) -> None:
        raise RuntimeError("no report can be written")

    monkeypatch.setattr(TraceWriter, "report", breaks)
    monkeypatch.setattr(TraceWriter, "output", breaks)
    assert REQUEST.set_id == "tradovate-stage2"
    played = play_one(tmp_path, plays)
    assert (played.result.state, "no report can be written" in played.result.note) == ("harness error", True)
