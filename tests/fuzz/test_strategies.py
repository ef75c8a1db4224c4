"""Hostile frames under pytest with Hypothesis: what is drawn, that it shrinks, and the page's own example."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from pathlib import Path

import pytest
from brokercert.fuzz.client import LiveSession
from brokercert.hostile import DEFECTS, LEVELS, Hostile, Level, each_type
from brokercert.hostile.strategies import TEXT_LEVELS, hostile_frames, hostile_texts
from hypothesis import HealthCheck, find, given, settings
from planted import PLANTED, EveryElementAnObject, Handler

PAGE = Path(__file__).parents[2] / "docs" / "fuzzing.md"
QUICKLY = settings(
    max_examples=60, derandomize=True, database=None, deadline=None, suppress_health_check=list(HealthCheck)
)


@QUICKLY
@given(hostile_frames())
def test_the_reference_clients_handlers_take_whatever_hypothesis_draws(frame: Hostile) -> None:
    session = LiveSession()
    session.feed(frame)
    assert frame.level in TEXT_LEVELS and frame.name in DEFECTS
    assert session.probe() == ""


@pytest.mark.parametrize("level", LEVELS)
def test_a_level_is_drawn_alone(level: Level) -> None:
    seen: set[str] = set()

    @QUICKLY
    @given(hostile_frames(level))
    def draw(frame: Hostile) -> None:
        assert frame.level == level and bool(frame.wire) == (level == "websocket")
        seen.add(frame.defect)

    draw()
    assert len(seen) > 5


@QUICKLY
@given(hostile_texts(defects=["json/closing", "frame/empty"]))
def test_a_defect_is_drawn_alone(text: str) -> None:
    assert text == "" or text[0] == "c"


def test_a_planted_bug_is_found_and_shrunk() -> None:
    def breaks(text: str) -> bool:
        try:
            EveryElementAnObject().on_text(text)
        except AttributeError:
            return True
        return False

    assert EveryElementAnObject in PLANTED
    shortest = find(hostile_texts("message"), breaks, settings=settings(QUICKLY, max_examples=300))
    assert len(shortest) < 40, "one element that is no object is all that it takes"


def test_what_there_is_none_of_is_refused() -> None:
    with pytest.raises(ValueError, match="'tomorrow'"):
        hostile_frames("tomorrow")  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="'json/tomorrow'"):
        hostile_frames(defects=["json/tomorrow"])
    with pytest.raises(ValueError, match="levels or defects"):
        hostile_frames("json", defects=["json/cut"])
    for wrong in (("websocket",), ("json", "websocket")):
        with pytest.raises(ValueError, match="has no text"):
            hostile_texts(*wrong)  # type: ignore[arg-type]
    with pytest.raises(ValueError, match="has no text"):
        hostile_texts(defects=["websocket/rsv1"])


@pytest.mark.parametrize(
    ("handler", "passes"),
    [(Handler, True), (EveryElementAnObject, False)],
    ids=["good", "planted"],
)
def test_the_example_of_the_page_is_a_test_in_somebodys_project(
    tmp_path: Path, handler: type[Handler], passes: bool
) -> None:
    (example,) = re.findall(r"```python\n(.*?)```", PAGE.read_text("utf-8"), re.DOTALL)
    (tmp_path / "bot").mkdir()
    (tmp_path / "bot" / "ws.py").write_text(
        f"from planted import {handler.__name__}\n\non_text = {handler.__name__}().on_text\n"
    )
    (tmp_path / "pytest.ini").write_text(f"[pytest]\npythonpath = . {Path(__file__).parent}\n")
    (tmp_path / "test_theirs.py").write_text(example)
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:asyncio"],
        cwd=tmp_path,
        capture_output=True,
        text=True,
        timeout=120,
    )
    assert done.returncode == (0 if passes else 1), done.stdout + done.stderr
    assert ("AttributeError" in done.stdout) == (not passes)
    assert passes or re.search(r"text='a\[.{1,30}\]'", done.stdout), "shrunk to one element"


def test_what_is_read_first_of_an_event_comes_in_each_type_of_json() -> None:
    frames = [json.loads(one.text[1:])[0] for one in each_type()]
    found = {type(event.get("d", {}).get("entityType")) for event in frames if isinstance(event.get("d"), dict)}
    assert found == {type(None), bool, int, float, str, list, dict}
    assert len({json.dumps(event) for event in frames}) == len(frames) == 42
