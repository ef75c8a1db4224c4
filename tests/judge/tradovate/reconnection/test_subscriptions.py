"""Subscriptions beside the sync: what comes back after a loss, and what need not."""

from __future__ import annotations

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
