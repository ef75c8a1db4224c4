"""What the user is told of a refused login: LOG-045."""

from __future__ import annotations

import pytest
from brokercert.trace import records as r
from talks import S, alone, authorize


@pytest.mark.parametrize(
    ("told_at", "until", "verdict"),
    [(3, 120, "pass"), (50, 120, "pass"), (1, 120, "fail"), (None, 120, "fail"), (None, 30, "not observed")],
)
def test_the_user_is_told_of_a_refusal_after_it_came(told_at: float | None, until: float, verdict: str) -> None:
    talk = alone(until)
    authorize(talk, 2, s=401)
    if told_at is not None:
        talk.told.append(r.SubjectReport(t=round(told_at * S), event="error", body={"event": "error", "text": "no"}))
    assert talk.verdict("LOG-045") == verdict
