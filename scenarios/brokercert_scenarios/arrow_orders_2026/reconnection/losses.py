"""Losses of every kind, one connection in place of each: A3 Reconnection Strategy, Rate limits."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from brokercert.engine.play.scenario import scenario
from brokercert.judge.arrow.model import Updates

from brokercert_scenarios.arrow_orders.stage import CALM, LITTLE
from brokercert_scenarios.arrow_orders_2026.heartbeats.keeping import HEALTHY
from brokercert_scenarios.arrow_orders_2026.stage import ArrowStage3

HOW: tuple[Callable[[Any], object], ...] = (
    lambda socket: socket.close(1000),
    lambda socket: socket.close(1001, "going away"),
    lambda socket: socket.rst(),
    lambda socket: socket.fin(),
)


@scenario(
    "losses",
    "Closed with 1000, closed with 1001, reset, and ended without a close frame",
    exercises=("AOR-305",),
    lasts=60,
    most=380,
)
async def losses(stage: ArrowStage3) -> None:
    if await stage.log_in() is None:
        return
    for how in HOW:
        await stage.hold(HEALTHY, "the connection to have lasted")
        since = stage.lose_all(how)
        if await stage.recovered(since) is None:
            return
    await stage.hold(CALM)


@scenario(
    "account-basic",
    "An account with one connection: an outage, a recovery, and a server that falls silent",
    exercises=("AOR-350",),
    lasts=36,
    most=220,
    settings={"account": "Basic"},
)
async def account_basic(stage: ArrowStage3) -> None:
    if await stage.log_in() is None:
        return
    with stage.broker.on_upgrade(times=2).refuse(503, "down"):
        since = stage.lose_all()
        if await stage.recovered(since) is None:
            return
    await stage.hold(HEALTHY, "the connection to have lasted")
    since = stage.lose_all(lambda socket: socket.go_silent("application"))
    await stage.connected(after=since, within=stage.noticed)
    await stage.hold(CALM)


UPDATE = '{"id":"26012301000023","orderStatus":"OPEN"}'
PENDING = 3.0  # seconds that an attempt is left without an answer, so that another one beside it can be seen
ATTEMPTS = 4


@scenario(
    "one-series",
    "The connection is reset in the middle of a frame, and then each attempt waits 3 s in vain",
    exercises=("AOR-360",),
    lasts=34,
    most=200,
)
async def one_series(stage: ArrowStage3) -> None:
    if await stage.log_in() is None:
        return
    await stage.hold(HEALTHY, "the connection to have lasted")
    with stage.broker.on_upgrade().never_answer():
        since = stage.lose_all(_cut)
        for n in range(ATTEMPTS):
            await _attempted(stage, since, n + 1)
            await stage.hold(PENDING, "an attempt without an answer")
            for connection in list(stage.broker.connections):
                connection.fin()
    await stage.recovered(since)
    await stage.hold(LITTLE)


async def _attempted(stage: ArrowStage3, since: int, count: int) -> None:
    """Until so many upgrades were asked for after that."""

    def asked(talk: Updates) -> bool | None:
        return sum(c.head is not None and c.accepted > since for c in talk.connections.values()) >= count or None

    await stage.wait("an attempt", asked, stage.limit("window_recovery"))


def _cut(socket: Any) -> None:
    socket.stop_mid_frame(UPDATE, keep=9)
    socket.rst()
