"""After a `shutdown`: how many attempts are too many."""

from __future__ import annotations

from typing import Any

import pytest
from brokercert.trace import records as r
from talks import S, Talk, alone, attempts, authorize
from ways_back import back


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


@pytest.mark.parametrize("code", [0, 1])
def test_one_that_dies_at_the_shutdown_is_not_praised_for_staying_away(code: int) -> None:
    talk = alone(120)
    authorize(talk, 2, s=200)
    talk.broker(10 * S, 1, {"e": "shutdown", "d": {"reasonCode": "Maintenance"}})
    talk.told.append(r.Ended(t=10 * S, conn=1, by="broker", how="fin"))
    assert talk.verdict("EVT-140") == "pass"
    talk.exit(11 * S, code)
    assert talk.verdict("EVT-140") == "not observed"


Ways = dict[str, Any]
QUOTAS: list[Ways] = [{"reasonCode": "ConnectionQuotaReached"}, {"reasonCode": "IPQuotaReached"}, {}, {"reasonCode": 7}]


def shut_down(told: Ways, *, by: Any = "broker", returns: float | None = None) -> Talk:
    """A `shutdown` at 10 s, and the end of its socket half a second later."""
    talk = alone(60)
    authorize(talk, 2, s=200)
    talk.broker(10 * S, 1, {"e": "shutdown", "d": told})
    at = round(10.5 * S)
    if by == "broker":
        talk.told.append(r.Frame(t=at, conn=1, sender="broker", ordinal=0, opcode=8, text="Shutdown", code=1001))
    talk.told.append(r.Ended(t=at, conn=1, by=by, how="fin"))
    if returns is not None:
        back(talk, 10.5 + returns)
    return talk


def two(talk: Talk) -> tuple[str, str]:
    return tuple(
        "nothing" if v in ("blocked", "not observed") else v for v in map(talk.verdict, ("REC-010", "REC-015"))
    )


@pytest.mark.parametrize("by", ["broker", "client"])
@pytest.mark.parametrize(("returns", "verdict"), [(0.5, "pass"), (9, "pass"), (14, "fail"), (None, "fail")])
def test_a_shutdown_for_maintenance_is_a_loss_as_any_other(by: str, returns: float | None, verdict: str) -> None:
    """Whether the client waits for the end or leaves by itself."""
    talk = shut_down({"reasonCode": "Maintenance", "reason": "brokercert"}, by=by, returns=returns)
    assert two(talk) == (verdict, "nothing")


@pytest.mark.parametrize("told", QUOTAS, ids=str)
@pytest.mark.parametrize(("returns", "verdict"), [(0.5, "pass"), (14, "warning"), (None, "warning")])
def test_staying_away_after_any_other_shutdown_is_no_failure(told: Ways, returns: float | None, verdict: str) -> None:
    assert two(shut_down(told, returns=returns)) == ("nothing", verdict)
