"""A refused login: what the client does then (LOG-040), and what its user is told (LOG-045)."""

from __future__ import annotations

from typing import Any

import pytest
from brokercert.trace import records as r
from talks import S, Talk, alone, authorize, sync
from ways_back import started_again


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


def test_one_that_was_asked_to_stop_need_not_tell_of_the_refusal_any_more() -> None:
    talk = alone(120)
    authorize(talk, 2, s=401)
    assert talk.verdict("LOG-045") == "fail"
    talk.stop(20 * S)
    talk.exit(21 * S, 0, asked=True)
    assert talk.verdict("LOG-045") == "not observed"
    talk.drop(lambda record: record.t >= 20 * S)
    talk.exit(21 * S, 1)
    assert talk.verdict("LOG-045") == "fail", "it left by itself, and told nobody"
    assert talk.verdict("LOG-040") == "pass", "a refused login explains that"


@pytest.mark.parametrize(
    ("body", "verdict"),
    [
        ({"text": "login refused"}, "pass"),
        ({"text": ""}, "fail"),
        ({"text": " \n"}, "fail"),
        ({"text": None}, "fail"),
        ({}, "fail"),
        ({"message": "login refused"}, "pass"),  # the adapter's fault: it was told
    ],
)
def test_an_empty_text_tells_nobody(body: dict[str, object], verdict: str) -> None:
    talk = alone(120)
    authorize(talk, 2, s=401)
    talk.report(3 * S, "error", **body)
    assert talk.verdict("LOG-045") == verdict
    found = next(f for f in talk.findings(offers=("wire", "tokens", "report")) if f.requirement == "LOG-045")
    assert ("1 `error` report(s) had an empty text" in found.observed) is (verdict == "fail")


FORMS: list[dict[str, Any]] = [{"s": status, "d": "no"} for status in (400, 401, 403, 404, 451)]
NONE: list[dict[str, Any]] = [{"s": status} for status in (200, 408, 423, 429, 500, 503)]
INSIDE: dict[str, Any] = {"s": 200, "d": {"errorText": "no"}}


@pytest.mark.parametrize(
    ("form", "verdict"), [*((x, "fail") for x in FORMS), (INSIDE, "warning"), *((x, "blocked") for x in NONE)], ids=str
)
def test_the_user_is_told_of_each_form_of_a_refusal(form: dict[str, Any], verdict: str) -> None:
    talk = alone(120)
    authorize(talk, 2, **form)
    found = talk.verdict("LOG-045")
    assert found == verdict if verdict != "blocked" else found in ("blocked", "not observed"), found
    talk.report(3 * S, "error", text="login refused")
    assert talk.verdict("LOG-045") in ("pass", "blocked", "not observed")


@pytest.mark.parametrize("form", FORMS, ids=str)
def test_nothing_follows_any_form_of_a_refusal(form: dict[str, Any]) -> None:
    def asked(at: float | None) -> str:
        talk = alone(120)
        authorize(talk, 2, **form)
        if at is not None:
            sync(talk, at, d={})
        return talk.verdict("LOG-040")

    assert (asked(None), asked(2.011), asked(30)) == ("pass", "fail", "fail")


@pytest.mark.parametrize(("at", "verdict"), [(None, "pass"), (83, "fail")])
def test_nothing_follows_a_refusal_in_another_start_either(at: float | None, verdict: str) -> None:
    """How briefly that start was watched: who asks, asks at once."""
    talk: Talk = alone(90)
    authorize(talk, 2, s=401)
    started_again(talk, 75, 2, closed=2, returns=False)
    talk.told += [r.Accepted(t=80 * S, conn=3)]
    talk.told.append(r.Head(t=80 * S, conn=3, method="GET", target="/v1/websocket", headers=(), upgrade=True))
    talk.told.append(r.UpgradeAnswer(t=80 * S, conn=3, status=101))
    talk.frame(80 * S, 3, "o")
    authorize(talk, 81, conn=3, s=400)
    if at is not None:
        sync(talk, at, conn=3)
    assert talk.verdict("LOG-040") == verdict


@pytest.mark.parametrize("text", ["Access is denied", "", None])
@pytest.mark.parametrize("goes_on", [True, False])
def test_a_refused_request_is_no_refused_token(text: str | None, goes_on: bool) -> None:
    """The key's permissions do not cover the call, and its token is good (TP §2.1): to go on is as right as to stop."""
    talk = alone(120)
    authorize(talk, 2, s=200)
    sync(talk, 3, ident=1, d={})
    for number in range(2, 12 if goes_on else 3):
        talk.client((8 + number) * S, 1, f"order/list\n{number}\n\n")
        refusal = {"s": 401, "i": number} | ({} if text is None else {"d": text})
        talk.broker((8 + number) * S + 1000, 1, refusal)
    assert talk.verdict("LOG-040") not in ("fail", "warning")
    assert not [
        f.requirement for f in talk.findings() if str(f.verdict) == "fail" and f.requirement[:3] in ("LOG", "REQ")
    ]
