"""What odd programs print: it is told, within bounds, and by its kind."""

from __future__ import annotations

import asyncio
import signal
import time

import pytest
from brokercert.engine.client import output
from brokercert.engine.client.process import FLOOD_PAUSE
from brokercert.engine.client.subject import Stream
from brokercert.trace.clean import MARGIN
from brokercert.trace.writer import LONGEST_LINE
from programs import DEADLINE, Play


@pytest.mark.asyncio
async def test_a_flood_is_drained_within_bounds_and_its_end_is_kept(
    play: Play, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(output, "MOST_LINES", 1_000)
    most = 0

    async def watch() -> None:
        nonlocal most
        while True:
            before = len(play.notes.lines)
            await asyncio.sleep(0)
            most = max(most, len(play.notes.lines) - before)

    watcher = asyncio.create_task(watch())
    subject = await play.python("""
        import sys
        for _ in range(60): sys.stdout.write("x" * 31 + "\\n" + ("y" * 15 + "\\n") * 4096)
        sys.stdout.write("the end\\n")
    """)
    assert await subject.wait_exit(DEADLINE)
    watcher.cancel()
    assert len(play.notes.lines) == 1_000
    assert sum(lines for lines, _ in play.notes.lost) == 60 * 4097 + 1 - 1_000
    assert subject.tail[-1] == "the end" and len(subject.tail) == 20
    assert 0 < most <= output.SLICE, "the loop goes on meanwhile"
    await subject.kill()


@pytest.mark.asyncio
async def test_a_flood_without_end_can_be_ended(play: Play, monkeypatch: pytest.MonkeyPatch) -> None:
    reads, feed = 0, output.Output.feed

    def counted(self: output.Output, stream: Stream, data: bytes) -> None:
        nonlocal reads
        reads += 1
        feed(self, stream, data)

    monkeypatch.setattr(output.Output, "feed", counted)
    subject = await play.command("yes")
    await play.notes.until(lambda: bool(play.notes.lost))
    began, before = time.monotonic(), reads
    assert not await subject.wait_exit(0.5)
    assert reads - before <= (time.monotonic() - began) / FLOOD_PAUSE + 2, "it does not take a core of ours"
    await subject.kill()
    assert len(play.notes.lines) <= output.MOST_LINES
    assert play.notes.exits == [(-signal.SIGKILL, False)]


@pytest.mark.asyncio
async def test_a_line_without_end_is_cut_once(play: Play) -> None:
    subject = await play.python("""
        import sys
        for _ in range(64): sys.stdout.write("z" * 16384)
        sys.stdout.write("\\nnext\\nlast")
    """)
    assert await subject.wait_exit(DEADLINE)
    assert [(len(line), cut) for _, line, cut in play.notes.lines] == [
        (LONGEST_LINE + MARGIN, True),  # whoever writes it cleans it, and cuts it then
        (4, False),
        (4, False),
    ]
    assert sum(count for _, count in play.notes.lost) == 64 * 16384 - LONGEST_LINE
    await subject.kill()


@pytest.mark.asyncio
async def test_a_client_that_closes_its_output_goes_on(play: Play) -> None:
    subject = await play.python("""
        import os, signal
        print("before", flush=True)
        os.close(1); os.close(2); os.close(0)
        signal.pause()
    """)
    await play.notes.until(lambda: play.notes.printed("before"))
    assert not await subject.wait_exit(0.2)
    assert subject.alive
    await subject.kill()
    assert not subject.alive


@pytest.mark.asyncio
async def test_rubbish_is_told_as_text(play: Play) -> None:
    subject = await play.python(
        "import os; os.write(1, bytes(range(256)) * 3 + b'\\r\\n{\\n{\"event\": 7}\\n')", level="reports"
    )
    assert await subject.wait_exit(DEADLINE)
    assert play.notes.printed("{") and play.notes.printed('{"event": 7}')
    assert play.notes.reports == []
    await subject.kill()


@pytest.mark.asyncio
@pytest.mark.parametrize("level", ["wire", "reports"])
async def test_reports_are_recognised_from_their_level_up(play: Play, level: str) -> None:
    subject = await play.python("""print('{"event":"processed","id":4}')""", level=level)
    assert await subject.wait_exit(DEADLINE)
    if level == "wire":
        assert play.notes.reports == [] and play.notes.printed("processed")
    else:
        assert play.notes.reports == [("processed", {"event": "processed", "id": 4})] and play.notes.lines == []
    await subject.kill()


@pytest.mark.asyncio
async def test_a_byte_order_mark_is_no_part_of_a_report(play: Play) -> None:
    script = """import os; os.write(1, b'\\xef\\xbb\\xbf{"event":"processed","id":4}\\n')"""
    subject = await play.python(script, level="reports")
    assert await subject.wait_exit(DEADLINE)
    assert play.notes.reports == [("processed", {"event": "processed", "id": 4})] and play.notes.lines == []
    await subject.kill()


@pytest.mark.asyncio
async def test_a_talkative_log_does_not_crowd_out_the_reports(play: Play, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(output, "MOST_LINES", 10)
    monkeypatch.setattr(output, "MOST_REPORTS", 30)
    subject = await play.python(
        """for n in range(40): print(f'log {n}'); print('{"event":"processed","id":%d}' % n)""", level="reports"
    )
    assert await subject.wait_exit(DEADLINE)
    assert len(play.notes.lines) == 10
    assert [body["id"] for _, body in play.notes.reports] == list(range(30))
    assert sum(lines for lines, _ in play.notes.lost) == 30 + 10
    await subject.kill()
