"""What an attempt to connect is, and how attempts are counted."""

from __future__ import annotations

import pytest
from brokercert.judge.attempts import attempts_of, most_within, unseen_spans
from brokercert.trace import Body
from brokercert.trace import records as r
from folds import folded, tcp
from talks import S


def rest(t: float, conn: int, path: str) -> list[Body]:
    at = round(t * S)
    return [
        r.Accepted(t=at, conn=conn),
        r.Head(t=at, conn=conn, method="POST", target=path, headers=(), upgrade=False),
        r.RestRequest(t=at, conn=conn, ordinal=1, method="POST", target=path),
    ]


RENEW = "/v1/auth/renewAccessToken"


@pytest.mark.parametrize(
    ("records", "times"),
    [
        ([*tcp(1, 1), *tcp(3, 2)], [1, 3]),
        ([*tcp(1, 1), *tcp(1.05, 2)], [1]),
        ([*tcp(1, 1), *tcp(1.2, 2)], [1, 1.2]),
        (tcp(1, 1, head=False, ends=1.1), [1]),
        (tcp(1, 1, head=False), []),
        ([*rest(1, 1, RENEW), *tcp(2, 2)], [1]),
        (rest(1, 1, RENEW), [1]),
        (rest(1, 1, "/v1/account/list"), []),
    ],
    ids=[
        "two", "two at once are one", "two a little later are two", "closed before its head", "open without a head",
        "a token and the connection after it are one", "a token alone", "another request is none",
    ],
)  # fmt: skip
def test_what_an_attempt_is(records: list[Body], times: list[float]) -> None:
    assert [attempt.t / S for attempt in attempts_of(folded(*records), 0)] == times


def test_attempts_are_counted_in_any_window() -> None:
    talk = folded(*(record for n in range(6) for record in tcp(1 + n, n + 1)))
    assert [most_within(attempts_of(talk, 0), span * S)[0] for span in (1, 3, 60)] == [1, 3, 6]


def test_only_while_the_way_is_down_may_an_attempt_have_been_unseen() -> None:
    def fault(t: int, name: str) -> r.Fault:
        return r.Fault(t=t * S, requested=t * S, name=name)

    assert unseen_spans(folded(*tcp(1, 1))) == []
    assert unseen_spans(folded(fault(2, "proxy-down"), fault(5, "proxy-up"), r.Step(t=9 * S, text=""))) == [
        (2 * S, 5 * S)
    ]
    assert unseen_spans(folded(fault(2, "port-refused"), r.Step(t=9 * S, text=""))) == [(2 * S, 9 * S)]
