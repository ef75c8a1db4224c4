"""No full collection while scenarios are played; as before once they are over."""

from __future__ import annotations

import gc

from brokercert.engine.machine.garbage import collect, no_full_collection


def full() -> int:
    return int(gc.get_stats()[2]["collections"])


def make(objects: int) -> list[object]:
    return [[number] for number in range(objects)]


def test_objects_that_stay_cause_no_full_collection_meanwhile() -> None:
    gc.collect()
    with no_full_collection():
        before = full()
        kept = make(1_500_000)
        assert full() == before
    assert len(kept) == 1_500_000


def test_two_runs_of_a_process_are_one_and_all_is_as_before_after_the_last() -> None:
    before = gc.get_threshold()
    with no_full_collection():
        with no_full_collection():
            held = gc.get_threshold()
        assert gc.get_threshold() == held != before
    assert gc.get_threshold() == before


def test_between_its_rounds_a_run_collects_unless_another_one_plays() -> None:
    with no_full_collection():
        before = full()
        collect()
        assert full() == before + 1
        with no_full_collection():
            collect()
        assert full() == before + 1
