"""How often endpoints may be asked in an hour (TP §7.1): the table as a public SDK copied it, and a count by it.

Off by default. Documented: the limits are counted over a rolling hour and a subnet of 256 addresses, which all clients
of this machine share; one over its limit gets a ticket. Inferred: an answer counts as a failure by its status, or by an
`errorText` inside.
"""

from __future__ import annotations

from collections import deque
from dataclasses import dataclass
from typing import Any, Literal

from brokercert_mock.port.ground import Ground

HOUR = 3600.0
PENALTY = 3.0  # seconds, where no penalty is known [ours]
LOGIN = "auth/accesstokenrequest"

Mark = Literal["documented", "claimed"]


@dataclass(frozen=True, slots=True)
class EndpointLimit:
    """`endpoint` in lower case, as the broker compares them. `failures`: only these count. `penalty` in seconds. `mark`
    is that of the number: claimed is as `tradovate-rs` had it on 2026-08-22.
    """

    endpoint: str
    an_hour: int
    mark: Mark = "claimed"
    failures: bool = False
    penalty: float = PENALTY


LIMITS = (
    EndpointLimit("auth/renewaccesstoken", 15, "documented", penalty=15.0),
    EndpointLimit("user/syncrequest", 300, "documented", penalty=3.0),
    EndpointLimit("order/dryrun", 500),
    EndpointLimit("cashbalance/changedemobalance", 1000),
    EndpointLimit("accountriskstatus/switchriskcategory", 5000, "documented", penalty=1.0),
    EndpointLimit("user/createpartnersubaccountrequest", 250),
    EndpointLimit("user/submitpartnersubaccountdocument", 750),
    EndpointLimit("user/submitcustomerapplicationdocument", 30),
    EndpointLimit(LOGIN, 5, "documented", failures=True, penalty=15.0),
    EndpointLimit("auth/me", 10, failures=True),
    EndpointLimit("user/createevaluationusers", 100, failures=True),
    EndpointLimit("user/createevaluationaccounts", 100, failures=True),
    EndpointLimit("user/requesttradingpermission", 20, failures=True),
)
"""The table of TP §7.1. A limit an account is not counted."""


class Counts:
    """What was asked of one broker in the last hour: of each endpoint, as many times as its limit has."""

    def __init__(self, ground: Ground, limits: tuple[EndpointLimit, ...]) -> None:
        self._ground = ground
        self._asked = {limit.endpoint: (limit, deque[float](maxlen=limit.an_hour)) for limit in limits}

    def over(self, endpoint: str) -> EndpointLimit | None:
        """The limit that one more request would exceed; None: there is none."""
        if endpoint not in self._asked:
            return None
        limit, times = self._asked[endpoint]
        full = len(times) == limit.an_hour and self._ground.clock() - times[0] < HOUR
        return limit if full else None

    def count(self, endpoint: str, status: int, data: Any) -> None:
        """A request was answered."""
        if endpoint not in self._asked:
            return
        limit, times = self._asked[endpoint]
        failed = status >= 400 or (isinstance(data, dict) and bool(data.get("errorText")))
        if failed or not limit.failures:
            times.append(self._ground.clock())
