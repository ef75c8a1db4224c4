"""What is told while one waits: no more lines than somebody would read."""

from __future__ import annotations

from brokercert.cli.progress import PlainProgress
from hypothesis import given
from hypothesis import strategies as st


@given(st.lists(st.one_of(st.floats(2.5, 600.0), st.just("ends")), max_size=40))
def test_standstills_take_one_line_and_one_more_for_each_scenario_that_ends(told: list[float | str]) -> None:
    """Each is told: the first at once, the others with the longest of them, none twice."""
    lines: list[str] = []
    progress = PlainProgress(lines.append, clock=lambda: 0.0)
    for one in [*told, "ends"]:
        if isinstance(one, float):
            progress.stalled(one)
        else:
            progress.ended("steady", "completed")
    stood = [line for line in lines if "stood still" in line]
    more = [int(line.split("stood still ")[1].split()[0]) for line in stood if "more time(s)" in line]
    first = [line for line in stood if "more time(s)" not in line]
    assert len(first) + sum(more) == sum(isinstance(one, float) for one in told)
    assert len(more) <= len(first) <= told.count("ends") + 1
    if told and all(isinstance(one, float) for one in told):
        assert f"for {told[0]:.1f} s" in first[0]
        assert not more or f"up to {max(one for one in told[1:] if isinstance(one, float)):.1f} s" in stood[1]
