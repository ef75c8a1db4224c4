"""Tickets that run beside one another, each with a time of its own: S2 §4, TP §7.2.

The law: all their requests are on their way before the first is answered. So a client that holds back whatever it is
asked for while a ticket runs draws all of them too. One that sends one request at a time draws them one by one.
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from brokercert.engine.play.scenario import scenario
from brokercert.judge.tradovate.model.conversation import Conversation, Request

from brokercert_scenarios.tradovate_stage2.lasting import lost_twice
from brokercert_scenarios.tradovate_stage2.rate_limits.queueing import VERSION
from brokercert_scenarios.tradovate_stage2.rate_limits.tickets import FOLLOWS, PENALTY, all_sent_again
from brokercert_scenarios.tradovate_stage2.requests.answers import ITEM, NEEDS, orders, sent_of
from brokercert_scenarios.tradovate_stage2.stage import Stage

FAR_LONGER = 16  # seconds: a retry of the short ticket that waits for this one's end is late
LONGER = 9  # seconds: who waits for the longer one of an endpoint's tickets is in time for the shorter one too


class Asks(NamedTuple):
    """A request that the client is asked for, and for how many seconds its ticket lasts."""

    endpoint: str
    ident: int
    p_time: float


@scenario(
    "two-endpoints-in-penalty",
    "Two endpoints are under penalty at a time, one for far longer: first by the earlier of two tickets, and after two"
    " losses by the later one",
    exercises=("RLP-010", "RLP-020", "RLP-030"),
    needs=NEEDS,
    lasts=46,
)
async def two_endpoints_in_penalty(stage: Stage) -> None:
    if await stage.log_in() is None:
        return
    one, other, *later = orders(stage)[:4]
    await _overlap(stage, Asks(ITEM, one, FAR_LONGER), Asks(VERSION, other, PENALTY))
    if await lost_twice(stage):
        one, other = later
        await _overlap(stage, Asks(ITEM, one, PENALTY), Asks(VERSION, other, FAR_LONGER))


@scenario(
    "two-tickets-of-an-endpoint",
    "Two requests to one endpoint draw tickets at a time, the longer one first, and after two losses the shorter too."
    " Another request is asked for while they run",
    exercises=("RLP-010", "RLP-020", "RLP-030", "RLP-050"),
    needs=NEEDS,
    lasts=45,
)
async def two_tickets_of_an_endpoint(stage: Stage) -> None:
    if await stage.log_in() is None:
        return
    known = iter(orders(stage))
    await _two_of_one(stage, known, LONGER, PENALTY)
    if await lost_twice(stage):
        await _two_of_one(stage, known, PENALTY, LONGER)
        await _two_of_one(stage, known, LONGER, PENALTY)


async def _two_of_one(stage: Stage, known: Iterator[int], *p_times: float) -> None:
    """Requests for the next orders draw a ticket each, and one more is asked for."""
    asks = [Asks(ITEM, next(known), p_time) for p_time in p_times]
    await _overlap(stage, *asks, queued=next(known))


async def _overlap(stage: Stage, *asks: Asks, queued: int | None = None) -> None:
    """Each of these requests draws its ticket, all at one moment; `queued` is asked for while they run. Until each has
    its outcome.
    """
    holds, commands = [], []
    for one in asks:
        only = {"id": one.ident}
        stage.broker.on(one.endpoint, times=1, only=only).ticket(p_time=one.p_time)
        holds.append(stage.broker.on(one.endpoint, times=1, only=only).hold())
        commands.append(await stage.request(one.endpoint, query=f"id={one.ident}"))
    await stage.wait("all of them", lambda _: all(hold.held for hold in holds), stage.limit("window_request"))
    await stage.arrived()
    for hold in holds:
        hold.release()
    await stage.arrived()
    if queued is not None:
        commands.append(await stage.request(ITEM, query=f"id={queued}"))

    def drawn(_: Conversation) -> list[Request]:
        return [q for command in commands for q in sent_of(stage, command) if q.penalty is not None]

    # A client that sends one request at a time draws the second ticket when the first was used.
    again = all_sent_again(stage, drawn)
    within = sum(one.p_time + stage.limit("ticket_late") for one in asks)
    await stage.wait("each of them again", lambda talk: len(drawn(talk)) >= len(asks) and again(talk), within)
    for command in commands:
        await stage.outcome(command, stage.limit("window_request"))
    await stage.hold(FOLLOWS, "what follows the retries")
