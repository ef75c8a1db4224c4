"""Windows that begin with each of several moments, since a client's sockets open one after the other; and the later
sockets, on which a stimulus of the first is met again.

Moments are microseconds, windows seconds.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator

from brokercert.engine.play.stage import INSTANT
from brokercert.judge.tradovate.model.conversation import SECOND, Answer, Conversation

from brokercert_scenarios.tradovate_stage2.stage import SETTLE_MOST, Stage


async def hold_from_last(
    stage: Stage, window: float, what: str, moments: Callable[[Conversation], Iterable[int]]
) -> None:
    """Hold until the window of each of these moments is over, of those too that come meanwhile. A client that makes
    further ones for ever is not waited for: what comes later than its sockets may open begins no window.
    """
    while not stage.left:
        known = list(moments(stage.talk))
        most = min(known, default=0) + SETTLE_MOST * SECOND
        last = max((t for t in known if t <= most), default=0)
        left = window - (stage.now - last) / SECOND
        if not known or left <= INSTANT:
            return
        await stage.hold(left, what)


async def held_after(stage: Stage, name: str, since: int, what: str) -> None:
    """After a loss at `since`: until something of that name is held back on each new socket, and for long enough."""
    held = withheld(name, since)
    await stage.wait(f"{name} on a new socket", lambda talk: list(held(talk)), stage.limit("window_recovery"))
    await hold_from_last(stage, stage.limit("withhold") + 1, what, held)


def withheld(name: str, since: int = -1) -> Callable[[Conversation], Iterator[int]]:
    """When something of that name was held back, after that time."""
    return lambda talk: (start for _, start, _ in talk.withheld_spans(name) if start > since)


def answered(fits: Callable[[Answer], bool]) -> Callable[[Conversation], Iterator[int]]:
    """When answers were written that are such ones."""
    return lambda talk: (q.answer.t for q in talk.requests if q.answer is not None and fits(q.answer))


LOSSES = 2  # after which a stimulus of the first socket is met again: what is set up once is worn out by then


async def lost_twice(stage: Stage) -> bool:
    """Lose all sockets of a client that has synced, twice, each time until it is back. False: it is not."""
    for _ in range(LOSSES):
        since = await stage.lose()
        if await stage.recovered(since) is None:
            return False
    return True


async def later_sockets(stage: Stage) -> bool:
    """Another start of the client, and a loss in it: what begins with the next loss it meets on its third sockets.
    False: it is not there again, so that nothing can be met.
    """
    await stage.start_again()
    if await stage.synced(within=stage.limit("window_recovery")) is None:
        return False
    since = await stage.lose()
    await stage.recovered(since)
    return any(c.accepted > since and c.is_open for c in stage.talk.upgraded)


async def on_third_sockets(stage: Stage, rule: Callable[[], object]) -> None:
    """Start the client and lose its sockets twice. `rule`: what changes before the second loss, so that its third
    sockets meet it. A client that does not come back meets it on the first socket of another start.
    """
    if await stage.log_in() is None:
        return
    if await stage.recovered(await stage.lose()) is not None:
        rule()
        await stage.lose()
    else:
        rule()
        await stage.start_again()
