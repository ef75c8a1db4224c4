"""Shrinking, by what a schedule consists of: no simulation is played here."""

from __future__ import annotations

import pytest
from brokercert.simulation.schedule import Event, Schedule, schedule_of
from brokercert.simulation.shrink import choices_of, shrink
from hypothesis.database import choices_from_bytes, choices_to_bytes


def resets(schedule: Schedule) -> int:
    return sum(event.do == "reset" for event in schedule.events)


@pytest.mark.parametrize("wanted", [1, 2])
def test_what_is_needed_stays_and_nothing_else(wanted: int) -> None:
    long = schedule_of(1, seconds=3600)
    assert resets(long) > 2
    short = shrink(long, len(long.events), lambda tried: resets(tried) >= wanted)
    assert short.events == (Event(0, "reset"),) * wanted
    assert short.shards == 1


def test_what_one_event_needs_of_another_stays() -> None:
    """An event that counts only some time after another one."""

    def fails(tried: Schedule) -> bool:
        now, since = 0, None
        for event in tried.events:
            now += event.after
            if event.do == "fin":
                since = now
            if event.do == "place" and event.size >= 17 and since is not None and now - since > 100:
                return True
        return False

    long = schedule_of(4, seconds=900)
    short = shrink(long, len(long.events), fails)
    assert short.events == (Event(0, "fin"), Event(101, "place", 0, 17))


def test_events_after_the_breach_go_at_once() -> None:
    long = Schedule(seed=1, events=(Event(0, "reset"), *(Event(100, "place") for _ in range(300))))
    tried: list[int] = []

    def fails(schedule: Schedule) -> bool:
        tried.append(len(schedule.events))
        return resets(schedule) > 0

    assert shrink(long, 1, fails).events == (Event(0, "reset"),)
    assert max(tried) == 2


def test_tries_are_counted_and_shrinking_is_deterministic() -> None:
    long = schedule_of(2, seconds=900)
    played: list[Schedule] = []

    def fails(schedule: Schedule) -> bool:
        played.append(schedule)
        return resets(schedule) > 0

    first = shrink(long, len(long.events), fails, tries=20)
    assert len(played) == 20 and fails(first)
    assert shrink(long, len(long.events), fails, tries=20) == first
    assert shrink(long, len(long.events), fails, tries=0) == long


def test_what_fails_without_any_event_becomes_empty() -> None:
    long = schedule_of(2, seconds=600)
    assert shrink(long, 0, lambda tried: True).events == ()


def test_hypothesis_reads_our_choices_as_we_write_them() -> None:
    choices = choices_of((Event(300, "fin", 2, 99),))
    assert choices_from_bytes(choices_to_bytes(choices)) == choices
    assert choices[0] is True and choices[-1] is False and len(choices) == 6
