"""A penalty is a cause to leave its socket while it runs, and it may be waited out without one: LOG-060, REC-010."""

from __future__ import annotations

from typing import Any

import pytest
from brokercert.matrix.truth.reader import untrue
from brokercert.trace import records as r
from msgspec.structs import replace
from talks import S, Talk, alone, authorize, healthy, sync
from ways_back import back

TICKET = "«p-ticket#1»"
PENALTY, LATE = 60.0, 10.0  # seconds: of the ticket, and until when a retry is due after it


def ticketed(until: float = 400) -> Talk:
    """Its sync request draws a ticket at 10.01 s; the broker's rule is told as in a recorded run."""
    talk = alone(until)
    authorize(talk, 2, s=200)
    talk.told.append(r.RuleApplied(t=10 * S, name="ticket", conn=1))
    sync(talk, 10, ident=1, d={"p-ticket": TICKET, "p-time": PENALTY})
    return talk


def leaves(talk: Talk, at: float) -> None:
    healthy(talk, at)
    talk.end(round(at * S), 1, "client")


def returns(talk: Talk, at: float) -> None:
    """On a new socket, which brings the ticket back."""
    back(talk, at, synced=False)
    sync(talk, at + 2, conn=2, ident=1, ticket=TICKET, d={})
    healthy(talk, talk.ends / S, since=at, conn=2)


@pytest.mark.parametrize("rule", [True, False])
@pytest.mark.parametrize(
    ("after", "verdict"), [(0.1, "pass"), (20, "pass"), (40, "pass"), (40 + LATE, "pass"), (40.5 + LATE, "fail")]
)
def test_a_ticket_excuses_who_leaves_until_its_retry_is_due(after: float, verdict: str, rule: bool) -> None:
    """It was authorized a moment before, so that it leaves within the minute that is watched."""
    talk = alone(400)
    authorize(talk, 9.5, s=200)
    if rule:
        talk.told.append(r.RuleApplied(t=10 * S, name="ticket", conn=1))
    sync(talk, 10, ident=1, d={"p-ticket": TICKET, "p-time": 40})
    leaves(talk, 10.01 + after)
    returns(talk, 90)
    assert talk.verdict("LOG-060") == verdict


@pytest.mark.parametrize(("redeemed", "verdict"), [(True, "fail"), (False, "pass")])
def test_once_it_was_redeemed_it_excuses_no_more(redeemed: bool, verdict: str) -> None:
    talk = ticketed()
    talk.drop(lambda x: isinstance(x, r.Frame) and '"p-time"' in (x.text or ""))
    talk.broker(round(10.01 * S), 1, {"s": 200, "i": 1, "d": {"p-ticket": TICKET, "p-time": 5}})
    sync(talk, 15.1, ident=2, ticket=TICKET, **({"d": {}} if redeemed else {}))
    leaves(talk, 18)
    returns(talk, 20)
    assert talk.verdict("LOG-060") == verdict


def test_a_retry_that_draws_a_ticket_begins_a_penalty_of_its_own() -> None:
    for left, verdict in ((18, "pass"), (55, "pass"), (57, "fail")):
        talk = alone(400)
        authorize(talk, 9, s=200)
        sync(talk, 10, ident=1, d={"p-ticket": TICKET, "p-time": 5})
        sync(talk, 15.1, ident=2, ticket=TICKET, d={"p-ticket": "«p-ticket#2»", "p-time": 30})
        leaves(talk, left)
        returns(talk, left + 2)
        assert talk.verdict("LOG-060") == verdict


def test_so_it_is_with_a_login() -> None:
    talk = alone(400)
    authorize(talk, 2, s=200, d={"p-ticket": TICKET, "p-time": 5})
    authorize(talk, 7.1, ident=1, s=200)
    sync(talk, 8, ident=2, d={})
    leaves(talk, 9)
    returns(talk, 10)
    assert talk.verdict("LOG-060") == "fail"


def test_a_ticket_of_one_socket_excuses_no_other() -> None:
    talk = ticketed()
    back(talk, 3, 2)
    healthy(talk, 12, since=4, conn=2)
    talk.end(12 * S, 2, "client")
    healthy(talk, 400)
    assert talk.verdict("LOG-060") == "fail"


def test_who_stays_through_a_penalty_has_stayed() -> None:
    talk = ticketed()
    healthy(talk, 400)
    sync(talk, 71, ident=2, ticket=TICKET, d={})
    assert talk.verdict("LOG-060") == "pass"
    assert next(f.observed for f in talk.findings() if f.requirement == "LOG-060").startswith("stable for 397")


@pytest.mark.parametrize(
    ("at", "verdict"), [(11.0, "pass"), (40.0, "pass"), (70.5, "pass"), (79.9, "pass"), (81.0, "fail"), (None, "fail")]
)
def test_who_leaves_in_a_penalty_has_ten_seconds_from_its_end(at: float | None, verdict: str) -> None:
    """The penalty ends at 70.01 s."""
    talk = ticketed()
    leaves(talk, 10.5)
    if at is not None:
        returns(talk, at)
    assert talk.verdict("REC-010") == verdict


@pytest.mark.parametrize(("by", "verdict"), [("client", "pass"), ("broker", "fail")])
def test_a_loss_that_the_client_did_not_make_asks_for_a_socket_at_once(by: Any, verdict: str) -> None:
    """The ticket waits for its time on the next socket as well."""
    talk = ticketed()
    talk.broker(round(10.2 * S), 1, {"e": "clock", "d": "{}"})
    talk.end(round(10.5 * S), 1, by)
    returns(talk, 71)
    assert talk.verdict("REC-010") == verdict


@pytest.mark.parametrize("how", ["captcha", "429"])
def test_so_it_is_in_the_hour_that_a_person_or_a_lock_out_takes(how: str) -> None:
    talk = alone(400)
    authorize(talk, 2, s=200)
    captcha = {"s": 200, "d": {"p-ticket": TICKET, "p-time": 5, "p-captcha": True}}
    sync(talk, 10, ident=1, **(captcha if how == "captcha" else {"s": 429, "d": "locked"}))
    leaves(talk, 10.5)
    assert talk.verdict("REC-010") == "not observed" and talk.verdict("LOG-060") != "fail"
    talk.ends = 3700 * S
    assert talk.verdict("REC-010") == "fail", "the hour is over"


@pytest.mark.parametrize("at", [40.0, 75.0, 81.0])
def test_the_sentence_says_how_much_of_it_was_the_penalty(at: float) -> None:
    talk = ticketed()
    leaves(talk, 10.5)
    returns(talk, at)
    (said,) = (f for f in talk.findings() if f.requirement == "REC-010")
    waited = min(at - 10.5, 59.51)
    assert f"first attempt after {at - 10.5:.3f} s, {waited:.3f} s of it in a penalty" in said.observed
    assert untrue(talk.trace(), [said]) == []
    for lie in (waited + 1, at):
        told = said.observed.replace(f"{waited:.3f} s of it", f"{lie:.3f} s of it")
        if lie < 59.51 or at > 70:
            assert untrue(talk.trace(), [replace(said, observed=told)]), told
    assert untrue(talk.trace(), [replace(said, evidence=said.evidence[1:])])
