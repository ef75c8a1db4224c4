"""A broker is a dialect that its suite declares; what plays, records and reports names none (docs/new-dialect.md)."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from brokercert import sets
from brokercert.engine.errors import UsageError
from brokercert.engine.play.dialect import Dialect, dialect_of
from brokercert.engine.play.scenario import load_suite
from brokercert.requirements import available_sets, load_set

ROOT = Path(__file__).parents[2]
HARNESS = ROOT / "harness" / "brokercert"
NEUTRAL = [
    *sorted((HARNESS / "engine").rglob("*.py")),
    *sorted((HARNESS / "cli").rglob("*.py")),
    *sorted((HARNESS / "trace").rglob("*.py")),
    *sorted((HARNESS / "toxiproxy").rglob("*.py")),
    *sorted((HARNESS / "door").rglob("*.py")),
    *sorted((ROOT / "mock_server" / "brokercert_mock" / "port").rglob("*.py")),
    *sorted(HARNESS.glob("pytest_*.py")),
    *sorted((HARNESS / "requirements").rglob("*.py")),
    *(HARNESS / name for name in ("ownprocess.py", "sets.py", "verdict.py")),
    *(HARNESS / "judge" / name for name in ("judge.py", "judging.py", "transcript.py", "attempts.py", "excerpt.py")),
    *sorted(path for path in (ROOT / "reports").rglob("*") if path.suffix in (".py", ".j2", ".css", ".js")),
]
EXAMPLES = re.compile(r"^ +tradovate-stage2::|`brokercert\.tradovate-stage2", re.MULTILINE)  # of ids, in docstrings
BROKERS = re.compile("tradovate|arrow", re.IGNORECASE)


@pytest.mark.parametrize("path", NEUTRAL, ids=lambda path: str(path.relative_to(ROOT)))
def test_nothing_neutral_names_a_broker(path: Path) -> None:
    text = EXAMPLES.sub("", path.read_text("utf-8"))
    assert not BROKERS.findall(text)


@pytest.mark.parametrize("set_id", sorted(sets.offers()))
def test_a_suite_with_scenarios_declares_its_dialect(set_id: str) -> None:
    suite = load_suite(set_id)
    assert set_id in available_sets()
    if suite.scenarios:
        assert isinstance(suite.dialect, Dialect) and suite.dialect.name == load_set(set_id).dialect
        assert suite.dialect.stage.fold is suite.dialect.judging.fold


def test_a_suite_that_declares_none_is_wrong_use() -> None:
    with pytest.raises(UsageError, match="DIALECT is None; expected a"):
        dialect_of(object(), "mine")


def test_the_markers_are_those_that_the_sets_name() -> None:
    assert sets.markers() == {load_set(name).marker: sets.stem_of(name) for name in available_sets()}
    assert sets.default_set() in available_sets()
