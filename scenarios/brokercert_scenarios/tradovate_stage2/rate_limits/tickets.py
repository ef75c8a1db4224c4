"""Rate limits and penalty tickets: S2 §4, on the endpoint that every client uses."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from brokercert.engine.play.scenario import scenario
from brokercert.judge.tradovate.model.conversation import LOCKED_OUT, Conversation, Request
from brokercert.judge.tradovate.model.conversation import SECOND as MICROS
from brokercert.judge.tradovate.model.tickets import SYNC, retries_of, ticketed
from brokercert_mock import Hold, Rule

from brokercert_scenarios.tradovate_stage2.lasting import LOSSES, answered, hold_from_last, on_third_sockets, withheld
from brokercert_scenarios.tradovate_stage2.requests.answers import ITEM, on_item, orders
from brokercert_scenarios.tradovate_stage2.stage import SETTLE_MOST, Stage

PENALTY = 3  # seconds: long enough to tell waiting from a retry at once, short enough not to cost a run its time
SECOND_PENALTY = 5  # seconds: longer than the first, so that whoever waits as long as before is early
LOST_PENALTY = 6  # seconds: past the way back
AWAY_PENALTY = 12  # seconds: a client that is back has time to be asked for more before its end
FOLLOWS = 1.0  # seconds after a retry: it is answered at once
BEFORE_LOSS = 10.0  # seconds: past the `p-time` of a captcha, and long before the end of what is watched
PAST_A_MINUTE = 75  # seconds: who takes a minute for the most that there is comes back too early
NO_TIME = 0  # seconds: over when its ticket is read
TOO_MANY = "Too many requests"  # as other refusals of a login have one: no document shows a 429 there (TP §2, §7.3)
CAPTCHA_PENALTY = 5  # seconds: the most that the rule allows, so that a wrong retry falls into the window


def _to_first_sync(stage: Stage) -> float:
    """Seconds in which a client that was started has sent its first sync request."""
    return stage.limit("window_first_authorize") + stage.limit("window_first_sync") + 2


@scenario(
    "sync-ticket",
    "The sync request draws a penalty ticket, on the first socket and after two losses; the last retry draws one too",
    exercises=("RLP-010", "RLP-020", "RLP-030", "REQ-010"),
    lasts=48,
)
async def sync_ticket(stage: Stage) -> None:
    rule = _ticket_each(stage, PENALTY)
    await stage.start()
    if not await _waited_out(stage, PENALTY, _to_first_sync(stage)):
        return
    await hold_from_last(stage, stage.limit("window_default") + 1, "ids that should not come twice", _first_requests)
    for loss in range(LOSSES):
        rule.cancel()
        rule = _ticket_each(stage, PENALTY, captcha=False)  # which says so
        if loss == LOSSES - 1:
            _ticket_each(stage, SECOND_PENALTY, attempt=2)
        since = await stage.lose()
        if not await _waited_out(stage, PENALTY, _to_sync_again(stage), since):
            return


def _first_requests(talk: Conversation) -> list[int]:
    """When each open socket began to number its requests; the client may have given up those that drew a ticket."""
    return [c.requests[0].t for c in talk.authorized if c.is_open]


def _ticket_each(stage: Stage, p_time: float, *, captcha: bool | None = None, attempt: int = 1) -> Rule[Any]:
    """Each of the client's sync requests draws a ticket, by the request and not by its socket: whoever brings the
    ticket back is answered, on whatever socket. Not more requests than a start has: who asks without its ticket on
    ever new sockets is answered too.
    """
    of_attempt = stage.broker.on(SYNC, attempt=attempt, times=stage.syncs_of_a_start)
    return of_attempt.ticket(p_time=p_time, captcha=captcha)


@scenario(
    "sync-ticket-nested",
    "The sync request draws a ticket, and its retry another one, which says that it is no captcha's",
    exercises=("RLP-010", "RLP-020", "RLP-030"),
    lasts=13,
)
async def sync_ticket_nested(stage: Stage) -> None:
    _ticket_each(stage, PENALTY)
    _ticket_each(stage, SECOND_PENALTY, captcha=False, attempt=2)  # which says so
    await stage.start()
    await _waited_out(stage, PENALTY, _to_first_sync(stage))


@scenario(
    "sync-ticket-of-no-time",
    "The sync request draws a ticket whose penalty lasts 0 s",
    exercises=("RLP-010", "RLP-020", "RLP-030"),
    lasts=5,
)
async def sync_ticket_of_no_time(stage: Stage) -> None:
    _ticket_each(stage, NO_TIME)
    await stage.start()
    await _waited_out(stage, NO_TIME, _to_first_sync(stage))


@scenario(
    "sync-ticket-long",
    "The sync request draws a ticket of 75 s",
    exercises=("RLP-020", "RLP-080"),
    lasts=83,
)
async def sync_ticket_long(stage: Stage) -> None:
    long = long_penalty(stage)
    _ticket_each(stage, long)
    await stage.start()
    await _waited_out(stage, long, _to_first_sync(stage))


@scenario(
    "sync-ticket-cut-off",
    "The sync request draws a ticket of 6 s, and its socket is lost while it waits",
    exercises=("RLP-020",),
    lasts=12,
)
async def sync_ticket_cut_off(stage: Stage) -> None:
    rule = _ticket_each(stage, LOST_PENALTY)
    await stage.start()
    drawn = answered(lambda answer: bool(answer.ticket))
    if not await stage.wait("a ticketed sync request", lambda talk: list(drawn(talk)), _to_first_sync(stage)):
        return
    await stage.arrived()
    rule.cancel()
    since = stage.lose_all()
    await hold_from_last(stage, LOST_PENALTY, "a retry that should not come yet", drawn)
    await stage.wait(
        "each sync request's success",
        lambda talk: sum(c.accepted > since for c, _ in talk.caught_up) >= (stage.syncs_of_a_start or 1),
        _to_sync_again(stage),
    )
    await stage.hold(FOLLOWS, "what follows the retry")


def long_penalty(stage: Stage) -> int:
    """Seconds: longer than the gap between heartbeats that the page allows, tolerance included."""
    return max(PAST_A_MINUTE, round(stage.heartbeat_gap) + 3)


async def _waited_out(stage: Stage, p_time: float, within: float, since: int = -1) -> bool:
    """Until the sockets that were accepted after `since` have sent every ticketed sync request again, those too that
    open meanwhile. False: none drew a ticket.
    """

    def drawn(talk: Conversation) -> list[Request]:
        return [q for q, _ in ticketed(talk) if q.endpoint == SYNC and talk.connections[q.conn].accepted > since]

    if not await stage.wait("a ticketed sync request", drawn, within):
        return False
    syncing = stage.syncs_of_a_start or 0
    again = all_sent_again(stage, drawn)
    due = p_time + stage.limit("ticket_late") + 1
    until = stage.now + round((due + SETTLE_MOST) * MICROS)
    known: list[Request] = []
    while len(drawn(stage.talk)) > len(known) and stage.now < until:
        known = drawn(stage.talk)
        await stage.wait(
            "each of them again", lambda talk: again(talk) and len({q.conn for q in drawn(talk)}) >= syncing, due
        )
        await _brought_elsewhere(stage, drawn)
        await stage.hold(FOLLOWS, "what follows the retry")
    return True


async def _brought_elsewhere(stage: Stage, drawn: Callable[[Conversation], list[Request]]) -> None:
    """A client that gave its socket up may bring the ticket back on its next one: until it did, or had its time."""
    left = [c.loss.t for q in drawn(stage.talk) if (c := stage.talk.connections[q.conn]).loss is not None]
    again = all_sent_again(stage, drawn)
    if not left or again(stage.talk):
        return
    last = max(left)
    await stage.wait(
        "a socket after the one that was given up",
        lambda talk: again(talk) or talk.granted_after(last),
        stage.limit("window_recovery"),
    )
    await stage.wait("its ticket on that socket", again, stage.limit("ticket_late") + 1)


def all_sent_again(stage: Stage, drawn: Callable[[Conversation], list[Request]]) -> Callable[[Conversation], bool]:
    """Whether each of these requests was sent again. One whose socket was lost to the client need not be; one whose
    socket the client gave up may come on the next.
    """
    arrival = round(stage.limit("arrival") * MICROS)

    def look(talk: Conversation) -> bool:
        retries = retries_of(talk, arrival)
        lost = {c.id for c in talk.connections.values() if c.loss is not None and c.loss.by != "client"}
        return all(q in retries or q.conn in lost for q in drawn(talk))

    return look


@scenario(
    "sync-captcha",
    "After two losses, the sync request is answered by a ticket that only a person can use",
    exercises=("RLP-040",),
    lasts=50,
)
async def sync_captcha(stage: Stage) -> None:
    await on_third_sockets(stage, lambda: stage.broker.on(SYNC).ticket(p_time=CAPTCHA_PENALTY, captcha=True))
    captchas = answered(lambda answer: answer.captcha)
    if await stage.wait("a sync request", lambda talk: list(captchas(talk)), _to_sync_again(stage)):
        await hold_from_last(stage, BEFORE_LOSS, "a retry that should not come", captchas)
        await stage.lose()  # what was learnt of the rest must outlive the socket
        await hold_from_last(stage, stage.limit("window_captcha") + 1, "a retry that should not come", captchas)


@scenario(
    "sync-429",
    "After two losses, the sync request is answered with 429, four seconds late",
    exercises=("RLP-070",),
    lasts=86,
)
async def sync_429(stage: Stage) -> None:
    holds: list[Hold] = []

    def lay() -> None:
        stage.broker.on(SYNC).status(LOCKED_OUT)
        holds.append(stage.broker.on(SYNC).hold())  # so that what a client sends meanwhile is no answer to it

    await on_third_sockets(stage, lay)
    held = withheld(SYNC)
    if await stage.wait("a sync request", lambda talk: any(True for _ in held(talk)), _to_sync_again(stage)):
        await hold_from_last(stage, stage.limit("withhold") + 1, "what is sent without waiting for it", held)
        for hold in holds:
            hold.release()
        await _through_the_lock_out(stage)


@scenario("authorize-429", "Authorize is answered with 429 and a text", exercises=("RLP-070",), lasts=74)
async def authorize_429(stage: Stage) -> None:
    stage.broker.on("authorize").refuse(LOCKED_OUT, TOO_MANY)
    await stage.start()
    locked = answered(lambda answer: answer.status == LOCKED_OUT)
    if await stage.wait("an authorize", lambda talk: list(locked(talk)), _to_sync_again(stage)):
        await stage.hold(stage.limit("window_lockout") + 1, "requests that should not come")


def _to_sync_again(stage: Stage) -> float:
    """Seconds in which a client that lost its sockets has sent its sync request again."""
    return stage.limit("window_recovery") + stage.limit("window_first_sync")


FIRST, SECOND = "order/list", "account/list"  # two endpoints that a request may go to at any time


@scenario(
    "ticket-of-another",
    "While one request waits for its penalty's end another is sent, and the first once more; after a loss one waits"
    " when the socket dies, and on the next socket its endpoint is asked again within that penalty",
    exercises=("RLP-050", "RLP-090"),
    needs=("wire", "request"),
    lasts=51,
)
async def ticket_of_another(stage: Stage) -> None:
    if await stage.log_in() is None:
        return
    before, between, waiting, queued, after, late = orders(stage)[:6]
    await _another_meanwhile(stage, before, between)
    if await stage.recovered(await stage.lose()) is None:
        return
    on_item(stage, waiting).ticket(p_time=AWAY_PENALTY)
    await stage.request(ITEM, query=f"id={waiting}")
    await stage.arrived()
    if await stage.recovered(await stage.lose()) is None:
        return
    await stage.request(ITEM, query=f"id={queued}")  # the penalty is the endpoint's, and no socket's
    await stage.hold(AWAY_PENALTY + stage.limit("window_default"), "requests that should come once at most")
    await _another_meanwhile(stage, after, late)


async def _another_meanwhile(stage: Stage, ident: int, queued: int) -> None:
    """A request for that order draws a ticket, and one to another endpoint is sent and answered while it waits: no end
    of the penalty, so that one for the order `queued` waits too. When the ticket was used, the same is asked once more.
    """
    on_item(stage, ident).ticket(p_time=PENALTY)
    first = await stage.request(ITEM, query=f"id={ident}")
    await stage.arrived()
    other = await stage.request(SECOND, {})
    await stage.outcome(other, within=stage.limit("window_request"))
    waits = await stage.request(ITEM, query=f"id={queued}")
    await stage.outcome(first, within=PENALTY + stage.limit("ticket_late") + 1)
    await stage.outcome(waits, within=stage.limit("window_request"))
    again = await stage.request(ITEM, query=f"id={ident}")
    await stage.outcome(again, within=stage.limit("window_request"))


@scenario(
    "request-429",
    "A request is answered with 429",
    exercises=("RLP-070",),
    needs=("wire", "request"),
    lasts=80,
)
async def request_429(stage: Stage) -> None:
    if await stage.log_in() is None:
        return
    stage.broker.on(FIRST).status(LOCKED_OUT)
    hold = stage.broker.on(FIRST).hold()  # so that what a client sends meanwhile is no answer to it
    await stage.request(FIRST, {})
    held = await stage.wait("it", lambda talk: list(withheld(FIRST)(talk)), 2 * stage.limit("window_request"))
    if not held:
        return
    await stage.hold(stage.limit("withhold") + 1, "what is sent without waiting for it")
    hold.release()
    await stage.arrived()
    await stage.request(SECOND, {})  # asked for in the lock-out: it is not to be sent
    await _through_the_lock_out(stage)


async def _through_the_lock_out(stage: Stage) -> None:
    """As much of it as is watched. The sockets are lost in it: what was learnt of it must outlive them."""
    await stage.hold(BEFORE_LOSS, "requests that should not come")
    await stage.lose()
    await stage.hold(stage.limit("window_lockout") + 1 - BEFORE_LOSS, "requests that should not come")
