"""What a client may hold after many reconnects."""

from __future__ import annotations

import pytest
from brokercert.trace import records as r
from talks import S, alone, authorize


def left_over(after: tuple[int, int, float] | None, memory: float = 50) -> str:
    """(descriptors, threads, MiB): 20, 4 and 50 (or `memory`) after five drops."""
    talk = alone(300)
    authorize(talk, 2, s=200)
    for name, seen in (("after drop 5", (20, 4, memory)), ("after drop 20", after)):
        if seen is not None:
            descriptors, threads, held = seen
            talk.told.append(
                r.Resources(
                    t=100 * S,
                    name=name,
                    processes=1,
                    descriptors=descriptors,
                    threads=threads,
                    memory=round(held * (1 << 20)),
                )
            )
    return talk.verdict("REC-100")


@pytest.mark.parametrize(
    ("after", "verdict"),
    [
        ((20, 4, 50), "pass"),
        ((21, 5, 54), "pass"),
        ((22, 4, 50), "warning"),
        ((35, 4, 50), "warning"),
        ((20, 6, 50), "warning"),
        ((20, 4, 56), "warning"),
        (None, "not observed"),
    ],
)
def test_twenty_drops_leave_nothing_behind(after: tuple[int, int, int] | None, verdict: str) -> None:
    assert left_over(after) == verdict


@pytest.mark.parametrize(
    ("before", "after", "verdict"),
    [
        (8.8, 10.3, "pass"),
        (8.8, 12.7, "pass"),
        (8.8, 12.9, "warning"),
        (39, 42.9, "pass"),
        (39, 43.1, "warning"),
        (100, 109.9, "pass"),
        (100, 110.1, "warning"),
    ],
)
def test_a_small_process_may_grow_by_a_step_of_its_heap(before: float, after: float, verdict: str) -> None:
    assert left_over((20, 4, after), before) == verdict
