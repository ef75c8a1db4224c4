"""After a `shutdown`: how many attempts are too many."""

from __future__ import annotations

import pytest
from brokercert.trace import records as r
from talks import S, alone, attempts, authorize


@pytest.mark.parametrize(
    ("count", "every", "verdict"), [(8, 0.6, "pass"), (9, 0.6, "fail"), (24, 2.4, "pass"), (25, 2.4, "fail")]
)
def test_attempts_after_a_shutdown_are_limited(count: int, every: float, verdict: str) -> None:
    talk = alone(120)
    authorize(talk, 2, s=200)
    talk.broker(10 * S, 1, {"e": "shutdown", "d": {"reasonCode": "Maintenance"}})
    talk.told.append(r.Ended(t=10 * S, conn=1, by="broker", how="fin"))
    attempts(talk, 11 * S, count, every)
    assert talk.verdict("EVT-140") == verdict
