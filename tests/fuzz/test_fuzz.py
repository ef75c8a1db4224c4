"""Fuzzing finds planted bugs and shrinks them, saves what replays, and finds nothing in our own parsers."""

from __future__ import annotations

import asyncio
import json
import sys
import time
from pathlib import Path
from random import Random

import pytest
from brokercert.cli import main
from brokercert.engine.client.output import Output
from brokercert.engine.client.subject import Stream
from brokercert.engine.errors import UsageError
from brokercert.fuzz.client import LiveSession, handler_target, target_of
from brokercert.fuzz.finds import Find, load, save
from brokercert.fuzz.inprocess import batch_of, feed, reproduce, shrunk
from brokercert.fuzz.targets import Target, known_targets
from brokercert.hostile import Hostile, defects_of, make
from brokercert.hostile.delivery import BATCH
from brokercert.mutants.tradovate.messages.taking import _TrustingSession
from planted import PLANTED, Handler

WITHIN = 10.0  # seconds in which each planted bug is to be found
TARGETS = known_targets()


async def until_found(target: Target, within: float = WITHIN) -> tuple[float, str] | None:
    """(seconds, cause) of the first find."""
    began = time.monotonic()
    fed = await target.start()
    for number in range(10**9):
        for frame in batch_of(target, None, 1, number):
            try:
                fed.feed(frame)
            except Exception as error:
                return time.monotonic() - began, type(error).__name__
        if time.monotonic() - began > within:
            return None
    return None


@pytest.mark.parametrize("planted", PLANTED, ids=lambda one: one.__name__)
def test_each_planted_bug_is_found(planted: type[Handler]) -> None:
    assert asyncio.run(until_found(target_of(planted.__name__, planted().on_text))) is not None


def test_a_handler_without_a_bug_is_left_alone() -> None:
    outcome = asyncio.run(feed(target_of("plain", Handler().on_text), level=None, seconds=0.3, seed=3))
    assert outcome.frames > 100 and not outcome.finds


def test_a_find_is_grouped_shrunk_saved_and_replayed(tmp_path: Path) -> None:
    handler = PLANTED[5]().on_text
    target = target_of("statuses", handler)
    outcome = asyncio.run(feed(target, level="message", seconds=0.5, seed=1))
    assert outcome.finds and set(outcome.counts) == {find.cause for find in outcome.finds}
    assert sum(outcome.counts.values()) > len(outcome.finds), "the same cause again is counted, and no find more"
    find = asyncio.run(shrunk(target, outcome.finds[0]))
    assert len(find.frames) == 1 and len(find.frames[0].text) < 110
    again = load(save(find, tmp_path))
    assert again.frames == find.frames and again.cause == find.cause
    broke = asyncio.run(reproduce(target, again.frames))
    assert broke is not None and broke[0] == find.cause
    assert asyncio.run(reproduce(target_of("plain", Handler().on_text), again.frames)) is None


def test_a_find_with_what_no_json_can_hold_is_saved_too(tmp_path: Path) -> None:
    frames = (Hostile("json", "lone", 'a["\udcff"]'), Hostile("websocket", "raw", "", b"\xff\xfe"))
    find = Find(target="client", cause="ValueError: '\udcff'", frames=frames, seed=1, detail="'\udc80'")
    again = load(save(find, tmp_path))
    assert again.frames == frames
    assert again.cause == "ValueError: '\\udcff'" and again.detail == "'\\udc80'"


def test_a_batch_is_what_seed_and_number_say() -> None:
    target = TARGETS["client"]
    assert batch_of(target, None, 5, 9) == batch_of(target, None, 5, 9) != batch_of(target, None, 5, 10)
    assert len(batch_of(target, "json", 5, 9)) == BATCH


@pytest.mark.parametrize("name", TARGETS)
def test_nothing_is_found_in_a_parser_of_ours(name: str) -> None:
    target = TARGETS[name]
    outcome = asyncio.run(feed(target, level=None, seconds=0.1, seed=11))
    assert outcome.frames and not outcome.counts, outcome.finds
    assert target.rejected.endswith(".")


def test_the_probe_of_the_clients_handlers_sees_a_deaf_and_a_brittle_session() -> None:
    class Brittle(LiveSession):
        session_class = _TrustingSession

    brittle = Brittle()
    with pytest.raises((TypeError, KeyError)):
        for one in defects_of("message"):
            brittle.feed(make(Random(1), one))
    deaf = LiveSession()
    assert deaf.probe() == ""
    deaf._session.on_event = lambda *_: None  # type: ignore[method-assign]
    assert deaf.probe() == "a valid event is not applied"


@pytest.mark.parametrize("times", [0, 2])
def test_a_line_that_is_told_not_at_all_or_twice_is_a_find(times: int, monkeypatch: pytest.MonkeyPatch) -> None:
    told = Output._tell

    def tell(self: Output, at: float, stream: Stream, line: bytes, cut: bool, number: int) -> None:
        for _ in range(1 if number % 2 or line.startswith(b'{"event": "last"') else times):
            told(self, at, stream, line, cut, number)

    monkeypatch.setattr(Output, "_tell", tell)
    outcome = asyncio.run(feed(TARGETS["lines"], level=None, seconds=0.1, seed=11))
    assert any("were told" in find.detail for find in outcome.finds), outcome.finds


# The doors.


def test_a_file_that_is_no_find_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "find.json"
    find = Find(target="client", cause="c", frames=(Hostile("json", "cut", "a["),), seed=1)
    good = json.loads(save(find, tmp_path).read_text())
    for wrong in ("", "{}", "[]", json.dumps({**good, "format": 2}), json.dumps({**good, "frames": [{"level": "x"}]})):
        path.write_text(wrong)
        with pytest.raises(UsageError, match=r"find\.json"):
            load(path)


def test_the_command_line_fuzzes_a_handler_and_replays_its_find(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    (tmp_path / "their_bot.py").write_text("def on_text(text):\n    return text[0]\n")
    monkeypatch.syspath_prepend(tmp_path)
    monkeypatch.chdir(tmp_path)
    assert main(["fuzz", "--time", "0.2", "--handler", "their_bot:on_text", "--level", "frame"]) == 1
    said = capsys.readouterr().out
    assert "IndexError" in said and "frame/empty: ''" in said
    (saved,) = (tmp_path / "out" / "finds").glob("*.json")
    assert main(["replay", str(saved)]) == 1 and "breaks: IndexError" in capsys.readouterr().out
    assert main(["fuzz", "--time", "0.1", "--target", "client", "--level", "message"]) == 0
    assert capsys.readouterr().out.splitlines()[-1] == "brokercert's own client: nothing found"
    find = Find(target="client", cause="an old one", frames=(Hostile("json", "cut", "a["),), seed=1)
    assert main(["replay", str(save(find, tmp_path))]) == 0
    assert "brokercert's own client: takes them, nothing breaks" in capsys.readouterr().out
    for wrong in (
        ["--handler", "nowhere:x"],
        ["--target", "nothing"],
        ["--level", "websocket", "--target", "client"],
        ["--target", "client", "--", "x"],
        ["--target", "client", "--reference"],
        ["--jobs", "2", "--", sys.executable],
        ["--handler", "their_bot"],
    ):
        assert main(["fuzz", "--time", "0.1", *wrong]) == 2
    with pytest.raises(UsageError, match="callable"):
        handler_target("sys:path")


def test_over_the_wire_a_crash_is_found_shrunk_and_replayed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("brokercert.fuzz.wire.SHRINKING", 0.5)
    monkeypatch.chdir(tmp_path)
    brittle = [sys.executable, "-m", "brokercert.mutants.tradovate", "crashes-on-malformed-json"]
    assert main(["fuzz", "--time", "1", "--level", "json", "--out", str(tmp_path), "--", *brittle]) == 1
    assert "it ended with status" in capsys.readouterr().out
    (path,) = tmp_path.glob("wire-*.json")
    assert 1 <= len(load(path).frames) <= BATCH
    assert main(["replay", str(path), "--", *brittle]) == 1
    assert "breaks: it ended" in capsys.readouterr().out
