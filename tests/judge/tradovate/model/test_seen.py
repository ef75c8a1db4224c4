"""What `brokercert check` says of a start: no more than came."""

from __future__ import annotations

import pytest
from brokercert.judge.tradovate.model.seen import LONGEST, seen_of
from talks import JUDGING, S, alone, authorize, sync


def said(talk: object) -> str:
    trace = talk.trace()  # type: ignore[attr-defined]
    return "\n".join(seen_of(JUDGING.folded(trace), {}))


@pytest.mark.parametrize(
    ("token", "words"),
    [
        ("«access-token#1»", "sent authorize with an access token («access-token#1»): answered"),
        ("«md-token#2»", "sent authorize with a market-data token («md-token#2»): answered"),
        ("", "sent authorize without a token: answered"),
        ("  ", "sent authorize without a token: answered"),
        ("«part of access-token#1»x", "with a part of what the broker gave («part of access-token#1»): answered"),
        ("«part of several secrets»", "with a part of what the broker gave («part of several secrets»): answered"),
        ("«header of access-token#1».abc", "with something that is no token of the broker's: answered"),
        ("abc", "with something that is no token of the broker's: answered"),
    ],
)
def test_what_authorize_bears_is_told_as_it_came(token: str, words: str) -> None:
    talk = alone(20)
    authorize(talk, 2, token=token, s=200)
    assert words in said(talk)


def test_it_says_that_more_followed() -> None:
    talk = alone(20)
    authorize(talk, 2, s=401, d="no")
    authorize(talk, 4, ident=1, s=200)
    sync(talk, 5, ident=2, d={"p-ticket": "«p-ticket#1»", "p-time": 3})
    sync(talk, 8.1, ident=3, ticket="«p-ticket#1»", d={})
    assert "answered with 401; 1 more followed" in said(talk)
    assert "answered with 200 and a ticket; 1 more followed" in said(talk)


@pytest.mark.parametrize("users", [1, 2_000])
def test_a_body_is_told_by_itself_as_far_as_a_line_bears_it(users: int) -> None:
    """One of any length, and never by a sum of it."""
    talk = alone(20)
    authorize(talk, 2, s=200)
    sync(talk, 3, body={"users": [7] * users}, d={})
    (line,) = (line for line in said(talk).splitlines() if "user/syncrequest" in line)
    assert 'with {"splitResponses":true,"users":[7' in line and len(line) < LONGEST + 80


def test_a_sync_request_without_a_body_has_none() -> None:
    talk = alone(20)
    authorize(talk, 2, s=200)
    talk.client(3 * S, 1, "user/syncrequest\n1\n\n")
    assert "sent user/syncrequest with no body: no answer had been written by the end" in said(talk)
