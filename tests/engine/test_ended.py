"""How a client ended is said in words that a report takes for an end of its own, or does not."""

from __future__ import annotations

import pytest
from brokercert.engine.client.ended import how_it_ended
from brokercert.trace import Body
from brokercert.trace import records as r
from brokercert.verdict import ScenarioResult
from brokercert_reports.view import ended_badly


def gone(code: int, asked: bool) -> Body:
    return r.SubjectExited(t=2, code=code, asked=asked)


def ours(why: r.Why, processes: int = 0) -> Body:
    return r.EndedByUs(t=1, why=why, processes=processes)


SAID: list[tuple[list[Body], str, bool]] = [
    ([], "still running when it was ended", True),
    ([gone(0, True)], "exit 0 (asked to stop)", False),
    ([gone(3, False)], "exit 3 (not asked)", True),
    ([gone(-11, False)], "signal 11 (not asked)", True),
    # What we did to one that cannot be asked is no bad end of it; that it did not leave when it was asked is one.
    ([ours("unasked"), gone(-9, False)], "ended by the harness without asking it to stop", False),
    (
        [ours("asked"), gone(-9, True)],
        "signal 9 (asked to stop), and the harness ended it, since it was still there",
        True,
    ),
    (
        [gone(0, False), ours("left-over", 2)],
        "exit 0 (not asked), and the harness ended 2 process(es) that it had left running",
        True,
    ),
]


@pytest.mark.parametrize(("records", "words", "badly"), SAID, ids=[words for _, words, _ in SAID])
def test_how_a_client_ended_is_said(records: list[Body], words: str, badly: bool) -> None:
    assert how_it_ended(records) == words
    result = ScenarioResult(
        name="s", title="", path="direct", exclusive=False, state="completed", note="", trace="", sha256="",
        duration=1.0, lag_ms=0.0, exit=words, output=(),
    )  # fmt: skip
    assert ended_badly(result) is badly
