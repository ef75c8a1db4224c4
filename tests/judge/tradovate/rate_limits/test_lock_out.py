"""After an answer of 429: what is a breach of the lock-out, and what is none."""

from __future__ import annotations

import pytest
from brokercert.trace import records as r
from talks import S, Talk, alone, authorize


def locked_out(until: float = 120) -> Talk:
    """A request of 10 s is answered with 429."""
    talk = alone(until)
    authorize(talk, 2, s=200)
    talk.client(10 * S, 1, "account/list\n1\n\n")
    talk.broker(10 * S, 1, {"s": 429, "i": 1})
    return talk


def call(talk: Talk, at: float) -> None:
    """A REST request, on a connection of its own."""
    t = round(at * S)
    talk.told += [
        r.Accepted(t=t, conn=50),
        r.Head(t=t, conn=50, method="GET", target="/v1/account/list", headers=(), upgrade=False),
        r.RestRequest(t=t, conn=50, ordinal=1, method="GET", target="/v1/account/list"),
    ]


@pytest.mark.parametrize(("after", "verdict"), [(0.2, "pass"), (5, "fail"), (50, "fail"), (70, "pass")])
def test_no_request_of_any_kind_follows_a_lock_out_for_a_minute(after: float, verdict: str) -> None:
    talk = locked_out()
    talk.client(round((10 + after) * S), 1, "order/list\n2\n\n")
    assert talk.verdict("RLP-070") == verdict
    talk = locked_out()
    call(talk, 10 + after)
    assert talk.verdict("RLP-070") == verdict
