"""Schedules: drawn from a seed, saved, read again, and refused with a sentence."""

from __future__ import annotations

from pathlib import Path

import msgspec
import pytest
from brokercert.engine.errors import UsageError
from brokercert.simulation.schedule import (
    CHECK,
    FAULTS,
    FLOW,
    LONGEST_GAP,
    WAIT,
    Event,
    Schedule,
    is_scenario,
    load,
    save,
    schedule_of,
    shown,
)


def test_a_seed_is_a_schedule() -> None:
    assert schedule_of(7, seconds=600) == schedule_of(7, seconds=600)
    assert schedule_of(7, seconds=600) != schedule_of(8, seconds=600)


def test_an_hour_has_its_faults_and_checks() -> None:
    counts = [schedule_of(seed, seconds=3600).faults for seed in range(20)]
    assert 180 < sum(counts) / 20 < 220
    hour = schedule_of(1, seconds=3600)
    assert 3500 < hour.seconds <= 3600
    assert 8 <= sum(event.do == CHECK for event in hour.events) <= 12
    assert not schedule_of(1, seconds=3600, faults=0).faults
    assert not schedule_of(1, seconds=60, faults=0, orders=0).events


def test_seeds_draw_everything_that_can_happen() -> None:
    drawn = {event.do for seed in range(20) for event in schedule_of(seed, seconds=3600).events}
    assert drawn == {*FLOW, *FAULTS, CHECK} - {WAIT}


def test_a_scenario_file_is_read_as_it_was_written(tmp_path: Path) -> None:
    path = tmp_path / "new" / "one.json"
    schedule = schedule_of(3, seconds=120)
    save(path, schedule, set_id="tradovate-stage2", client="reference", breach="one-sync", detail="two")
    saved = load(path)
    assert (saved.schedule, saved.client, saved.breach) == (schedule, "reference", "one-sync")
    assert is_scenario(path)


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"kind": "find"}, "kind 'find'"),
        ({"format": 2}, "format 2"),
        ({"schedule": Schedule(seed=1, events=(), shards=0)}, "shards is 0; expected 1 to 50"),
        ({"schedule": Schedule(seed=1, events=(Event(0, "dance"),))}, "event 1: 'dance' cannot be done; expected one"),
        ({"schedule": Schedule(seed=1, events=(Event(LONGEST_GAP + 1, WAIT),))}, "event 1: .*hundredths"),
        ({"schedule": Schedule(seed=1, events=(Event(0, "fin", 100),))}, "event 1: .*from 0 to 99"),
    ],
)
def test_a_file_that_is_none_is_refused(tmp_path: Path, change: dict[str, object], said: str) -> None:
    path = tmp_path / "one.json"
    save(path, schedule_of(3, seconds=10), set_id="s", client="c", breach="b", detail="d")
    path.write_bytes(msgspec.json.encode(msgspec.structs.replace(load(path), **change)))
    with pytest.raises(UsageError, match=said):
        load(path)


@pytest.mark.parametrize("content", [b"", b"[]", b"{", b"\xff", b'{"kind": "simulation"}', b"[" * 10_000])
def test_a_file_that_cannot_be_read_is_refused(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "one.json"
    path.write_bytes(content)
    with pytest.raises(UsageError, match="expected a scenario file"):
        load(path)
    assert is_scenario(path) == content.startswith(b'{"kind"')


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="No such file"):
        load(tmp_path / "none.json")
    assert not is_scenario(tmp_path / "none.json")


def test_a_schedule_is_shown_with_its_times() -> None:
    lines = shown(Schedule(seed=1, events=(Event(150, "place", 3, 4), Event(50, CHECK))))
    assert [line.split() for line in lines] == [
        ["1.50", "s", "place", "(3,", "4)"],
        ["2.00", "s", "check", "(0,", "0)"],
    ]
