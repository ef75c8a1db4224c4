"""Reconnection: S2 §5. Every loss hits all sockets of the client at once."""

from collections.abc import Callable
from typing import Any

from brokercert.engine.play.scenario import scenario
from brokercert.trace.names import WindowName
from brokercert_mock import Connection, Rule

from brokercert_scenarios.tradovate_stage2.lasting import on_third_sockets
from brokercert_scenarios.tradovate_stage2.reconnection.subscriptions import QUOTES
from brokercert_scenarios.tradovate_stage2.stage import Stage, lose_now

ROWS = ("REC-010", "REC-020", "REC-030")
AWAY = 2.0  # seconds that the proxy is down: two tries of most ladders
CLIMB = 40.0  # seconds of refused upgrades: a ladder that doubles from 1 s waits for 16 s or more by then
PAUSE = 15  # seconds of a ticket for authorize: more than the ten within which the first attempt after a loss is due
STABLE = 61.0  # seconds on a sound socket: the stable minute after which a ladder begins anew, and a little


async def _lose(stage: Stage, how: Callable[[Connection], object]) -> None:
    """A loss within 5 s of an event; the way back, watched for 20 s after the new sync."""
    if await stage.log_in(syncs=False) is None:
        return
    await stage.fresh_event()
    await lose_now(stage, how)


@scenario("loss-fin", "FIN, and on the new socket the answer to authorize is held back", exercises=ROWS, lasts=34)
async def loss_fin(stage: Stage) -> None:
    if await stage.log_in(syncs=False) is None:
        return
    hold = stage.broker.on("authorize").hold()
    since = await stage.lose()
    again = await stage.wait(
        "authorize on a new socket",
        lambda talk: [c for c in talk.upgraded if c.accepted > since and c.authorizes],
        stage.limit("window_recovery"),
    )
    if again:
        await stage.hold(stage.limit("withhold") + 1, "requests that should not come yet")
    hold.release()
    if await stage.recovered(since) is not None:
        await stage.hold(stage.limit("window_single_sync") + 1)


@scenario("loss-rst", "RST", exercises=ROWS, lasts=27)
async def loss_rst(stage: Stage) -> None:
    await _lose(stage, Connection.rst)


@scenario("loss-close-1001", "Close frame 1001 (going away)", exercises=ROWS, lasts=27)
async def loss_close_1001(stage: Stage) -> None:
    await _lose(stage, lambda socket: socket.close(1001, "Going away"))


@scenario("loss-close-1011", "Close frame 1011 (internal error)", exercises=ROWS, lasts=27)
async def loss_close_1011(stage: Stage) -> None:
    await _lose(stage, lambda socket: socket.close(1011, "Internal error"))


@scenario(
    "loss-close-1012",
    "Close frame 1012 (service restart), of a client that has subscribed to quotes if it does so at all",
    exercises=(*ROWS, "REC-035"),
    lasts=30,
    env={"BROKERCERT_QUOTES": QUOTES},
)
async def loss_close_1012(stage: Stage) -> None:
    await _lose(stage, lambda socket: socket.close(1012, "Service restart"))


@scenario("loss-protocol-close", 'The frame c[3000,"Go away!"], then the end', exercises=ROWS, lasts=27)
async def loss_protocol_close(stage: Stage) -> None:
    await _lose(stage, lambda socket: socket.protocol_close(3000, "Go away!", then_close=True))


@scenario(
    "loss-protocol-close-open",
    'The frame c[3000,"Go away!"], and the TCP connection is left open',
    exercises=(*ROWS, "REC-060"),
    lasts=27,
)
async def loss_protocol_close_open(stage: Stage) -> None:
    await _lose(stage, lambda socket: socket.protocol_close(3000, "Go away!", then_close=False))


@scenario(
    "loss-proxy",
    "The proxy on the way goes down and comes back",
    exercises=("REC-020", "REC-030"),
    path="proxied",
    lasts=34,
)
async def loss_proxy(stage: Stage) -> None:
    if await stage.log_in(syncs=False) is None:
        return
    await stage.fresh_event()
    since = await stage.proxy_down()
    await stage.hold(AWAY, "the outage")
    await stage.proxy_up()
    if await stage.recovered(since) is not None:
        await stage.hold(stage.limit("window_single_sync") + 1)


@scenario(
    "loss-after-outage",
    "RST, a stable minute after an outage in which the client's delays had grown",
    exercises=("REC-010",),
    lasts=150,
    most=400,
)
async def loss_after_outage(stage: Stage) -> None:
    if await stage.log_in(syncs=False) is None:
        return
    with stage.broker.on_upgrade().refuse(503):
        since = await stage.lose()
        await stage.hold(CLIMB, "attempts to reconnect")
    if await stage.recovered(since) is None:
        return
    await stage.hold(STABLE, "a stable minute")
    await stage.fresh_event()
    await lose_now(stage, Connection.rst)


@scenario(
    "loss-after-pauses",
    "RST, a stable minute after a way back on which authorize had drawn a ticket of 15 s, and been refused",
    exercises=("REC-010",),
    lasts=118,
    most=500,
)
async def loss_after_pauses(stage: Stage) -> None:
    def put_off() -> None:
        stage.broker.on("authorize", times=stage.sockets_of_a_start).ticket(p_time=PAUSE)

    def put_off_and_refuse() -> None:
        refuse.append(stage.broker.on("authorize", times=stage.sockets_of_a_start).refuse(401, "Invalid access token"))
        put_off()  # the newer rule: it is the first that applies

    refuse: list[Rule[Any]] = []
    await on_third_sockets(stage, put_off_and_refuse)
    since = stage.now
    within = stage.limit("window_recovery") + PAUSE + stage.limit("window_refused")
    back = await stage.wait("a login", lambda talk: [c for c in talk.authorized if c.accepted > since], within)
    if not back and refuse:
        refuse[0].cancel()  # to stay away after a refusal is legal
        put_off()
        await stage.start_again()
    if await stage.synced(after=since, within=PAUSE + stage.limit("window_recovery"), syncs=False) is None:
        return
    await stage.hold(STABLE, "a stable minute")
    await stage.fresh_event()
    await lose_now(stage, Connection.rst)


@scenario("loss-close-1000", "Close frame 1000 (normal end)", exercises=("REC-015",), lasts=27)
async def loss_close_1000(stage: Stage) -> None:
    await _lose(stage, lambda socket: socket.close(1000, "Bye"))


@scenario("loss-fin-quiet", "FIN without a close frame, after a quiet time", exercises=("REC-015",), lasts=42)
async def loss_fin_quiet(stage: Stage) -> None:
    if await stage.log_in(syncs=False) is None:
        return
    stage.broker.quiet(True)
    await stage.hold(stage.limit("fin_after_quiet") + 1, "nothing but `h`")
    await lose_now(stage, Connection.fin)


@scenario(
    "outage-refused",
    "Ninety seconds in which every upgrade is answered with 503",
    exercises=("REC-050",),
    lasts=96,
)
async def outage_refused(stage: Stage) -> None:
    if await stage.log_in(syncs=False) is None:
        return
    with stage.broker.on_upgrade().refuse(503):
        await stage.outage(f"{WindowName.OUTAGE}: every upgrade answered with 503")


@scenario(
    "outage-closed",
    "Ninety seconds in which every socket is upgraded and closed at once",
    exercises=("REC-050",),
    lasts=96,
)
async def outage_closed(stage: Stage) -> None:
    if await stage.log_in(syncs=False) is None:
        return
    with stage.broker.on_upgrade().upgrade_then_close():
        await stage.outage(f"{WindowName.OUTAGE}: every socket upgraded and closed at once")
