"""Subscriptions beside the sync: what comes back after a loss, and what need not."""

from __future__ import annotations

import pytest
from brokercert.trace import records as r
from talks import S, alone, authorize, opened, sync


def lost(
    before: list[tuple[str, str]], after: list[tuple[str, str]], *, cancelled: bool = False, until: float = 120
) -> str:
    """Subscriptions (endpoint, symbol) before a loss and after it."""
    talk = alone(until)
    authorize(talk, 2, s=200)
    sync(talk, 3, ident=1, d={})
    for number, (endpoint, symbol) in enumerate(before, 2):
        talk.client((2 + number) * S, 1, f'{endpoint}\n{number}\n\n{{"symbol":"{symbol}"}}')
        talk.broker((2 + number) * S, 1, {"s": 200, "i": number, "d": {}})
    if cancelled:
        talk.client(15 * S, 1, f'md/unsubscribequote\n50\n\n{{"symbol":"{before[0][1]}"}}')
    talk.told.append(r.Ended(t=20 * S, conn=1, by="broker", how="fin"))
    opened(talk, 21 * S, 2)
    authorize(talk, 22, conn=2, s=200)
    sync(talk, 23, conn=2, ident=1, d={})
    for number, (endpoint, symbol) in enumerate(after, 2):
        talk.client((22 + number) * S, 2, f'{endpoint}\n{number}\n\n{{"symbol":"{symbol}"}}')
        talk.broker((22 + number) * S, 2, {"s": 200, "i": number, "d": {}})
    return talk.verdict("REC-035")


def test_every_subscription_comes_back_once() -> None:
    one, two, dom = ("md/subscribequote", "ESH6"), ("md/subscribequote", "NQH6"), ("md/subscribedom", "ESH6")
    assert lost([one], [one]) == lost([one, two, dom], [dom, two, one]) == "pass"
    assert lost([one], [one, one]) == lost([one], [one, one], until=30) == "fail"
    assert lost([one, two], [one]) == lost([one, two], [two]) == lost([one, dom], [one]) == "fail"
    assert lost([one], []) == lost([one], [two]) == "fail"
    assert lost([one, two], [two], cancelled=True) == "pass"


def told_of(
    status: int | None, *, kind: str = "md/subscribequote", back: int = 1, until: float = 120,
    dies: float | None = None, cancels: int | None = None, since: tuple[int, int] = (1, 1),
) -> tuple[str, str]:  # fmt: skip
    """One subscription, answered so (None: not at all) before the loss at 20 s, and asked for again so many times."""
    talk = alone(until)
    authorize(talk, 2, s=200)
    sync(talk, 3, ident=1, d={})
    more = f',"timeRange":{{"asFarAsTimestamp":{since[0]}}}' if kind == "md/getchart" else ""
    talk.client(4 * S, 1, f'{kind}\n2\n\n{{"symbol":"ESZ6"{more}}}')
    if status is not None:
        data = {"historicalId": 7, "realtimeId": 8} if status == 200 and "chart" in kind else "Not found"
        talk.broker(5 * S, 1, {"s": status, "i": 2, "d": data if status != 200 or "chart" in kind else {}})
    if cancels is not None:
        talk.client(6 * S, 1, f'md/cancelchart\n3\n\n{{"subscriptionId":{cancels}}}')
    talk.told.append(r.Ended(t=20 * S, conn=1, by="broker", how="fin"))
    opened(talk, 21 * S, 2)
    authorize(talk, 22, conn=2, s=200)
    sync(talk, 23, conn=2, ident=1, d={})
    for number in range(back):
        more = more.replace(str(since[0]), str(since[1]))
        talk.client((24 + number) * S, 2, f'{kind}\n{number + 2}\n\n{{"symbol":"ESZ6"{more}}}')
        talk.broker((24 + number) * S, 2, {"s": 200, "i": number + 2, "d": {}})
    if dies is not None:
        talk.told.append(r.SubjectExited(t=round(dies * S), code=1, asked=False))
    (found,) = [f for f in talk.findings() if f.requirement == "REC-035"]
    return str(found.verdict), found.observed


def test_what_the_broker_refused_is_no_subscription_and_no_lack_of_one() -> None:
    assert told_of(200)[0] == "pass"
    assert told_of(200, back=0)[0] == "fail"
    for status, why in ((404, "refused by the broker (status 404)"), (None, "not answered before the loss")):
        for back in (0, 1):
            verdict, said = told_of(status, back=back)
            assert verdict == "not observed" and why in said and "ESZ6" in said


def test_who_ends_soon_after_it_brought_all_back_is_not_told_that_it_did_not() -> None:
    verdict, said = told_of(200, dies=30, until=31)
    assert verdict == "not observed" and "came back once" in said
    assert told_of(200, dies=30, until=31, back=0)[0] == "fail"
    assert told_of(200, dies=50, until=120)[0] == "pass"


def test_a_chart_is_cancelled_by_its_id_and_no_other() -> None:
    chart = "md/getchart"
    assert told_of(200, kind=chart) == (
        "pass",
        '`md/getchart` {"symbol":"ESZ6"} came back once, 4.000 s after the loss',
    )
    assert told_of(200, kind=chart, back=0)[0] == "fail"
    assert told_of(200, kind=chart, back=0, cancels=9)[0] == "fail", "another one was cancelled"
    assert told_of(200, kind=chart, back=0, cancels=8)[0] == "not applicable"


REFUSED = {"errorText": "Symbol is inaccessible", "errorCode": "UnknownSymbol", "mode": "None"}  # as was observed


@pytest.mark.parametrize(("back", "verdict"), [("ESH6", "pass"), ("ESH6 GCJ6", "pass"), ("GCJ6", "fail"), ("", "fail")])
def test_one_that_was_refused_inside_a_200_may_come_back_or_not(back: str, verdict: str) -> None:
    """Beside one that stood: that one must come back, and the other is nobody's lack."""
    talk = alone(120)
    authorize(talk, 2, s=200)
    sync(talk, 3, ident=1, d={})
    for number, (symbol, data) in enumerate((("ESH6", {}), ("GCJ6", REFUSED)), 2):
        talk.client(4 * S + number, 1, f'md/subscribequote\n{number}\n\n{{"symbol":"{symbol}"}}')
        talk.broker(5 * S + number, 1, {"s": 200, "i": number, "d": data})
    talk.told.append(r.Ended(t=20 * S, conn=1, by="broker", how="fin"))
    opened(talk, 21 * S, 2)
    authorize(talk, 22, conn=2, s=200)
    sync(talk, 23, conn=2, ident=1, d={})
    for number, symbol in enumerate(back.split(), 2):
        talk.client(24 * S + number, 2, f'md/subscribequote\n{number}\n\n{{"symbol":"{symbol}"}}')
        talk.broker(25 * S + number, 2, {"s": 200, "i": number, "d": REFUSED if symbol == "GCJ6" else {}})
    assert talk.verdict("REC-035") == verdict
