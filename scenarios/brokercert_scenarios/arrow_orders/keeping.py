"""Heartbeats, and coming back: AR Heartbeat Protocol, Reconnection Strategy, Rate Limits."""

from brokercert.engine.play.scenario import scenario

from brokercert_scenarios.arrow_orders.stage import CALM, LITTLE, RAISED, ArrowStage

SMALL_TRIES = "4"  # the declared small number of tries, in real time
TRIED = int(SMALL_TRIES) + 6.0  # seconds: so many tries with a second between two, and what should not follow them


@scenario(
    "steady",
    "A healthy session of more than a minute",
    exercises=("AOC-010", "AOH-010", "AOS-010"),
    lasts=72,
)
async def steady(stage: ArrowStage) -> None:
    if await stage.log_in() is not None:
        await stage.hold(stage.limits["window_heartbeat"])


@scenario(
    "silence",
    "A plain loss, and then a server that says nothing more",
    exercises=("AOH-020", "AOR-060"),
    lasts=42,
    most=200,
)
async def silence(stage: ArrowStage) -> None:
    if await stage.log_in() is None:
        return
    since = stage.lose_all()
    if await stage.recovered(since) is None:
        return
    await stage.hold(CALM)
    since = stage.now
    for socket in stage.sockets():
        socket.go_silent("application")
    most = stage.limits["read_timeout_most"] * (1 + stage.limits["tolerance"])
    again = stage.limits["reconnect_max_delay"] * (1 + stage.limits["tolerance"]) + RAISED
    await stage.wait(
        "a new connection", lambda talk: any(c.accepted > since for c in talk.upgraded) or None, most + again
    )
    await stage.hold(RAISED)


@scenario(
    "outage-ladder",
    "The broker is away for more than half a minute: the ladder is seen",
    exercises=("AOR-010", "AOR-060"),
    lasts=42,
    most=200,
)
async def outage_ladder(stage: ArrowStage) -> None:
    if await stage.log_in() is None:
        return
    with stage.broker.on_upgrade(times=6).refuse(503, "down"):
        since = stage.lose_all()
        await stage.recovered(since)
    await stage.hold(LITTLE)


@scenario(
    "ladder-capped",
    "The client is told a longest delay of 3 s",
    exercises=("AOR-010",),
    needs=("wire", "config"),
    lasts=17,
    most=120,
    settings={"told": {"RECONNECT_MAX_DELAY": "3"}},
)
async def ladder_capped(stage: ArrowStage) -> None:
    if await stage.log_in() is None:
        return
    with stage.broker.on_upgrade(times=4).refuse(503, "down"):
        since = stage.lose_all()
        await stage.recovered(since)
    await stage.hold(LITTLE)


@scenario(
    "tries-exhausted",
    "The broker does not come back, and the client is told a small number of tries",
    exercises=("AOR-020", "AOC-030"),
    needs=("wire", "config", "report"),
    lasts=13,
    settings={"told": {"RECONNECT_MAX_DELAY": "1", "RECONNECT_MAX_TRIES": SMALL_TRIES}},
)
async def tries_exhausted(stage: ArrowStage) -> None:
    if await stage.log_in() is None:
        return
    stage.broker.on_upgrade().refuse(503, "down")
    stage.lose_all()
    await stage.hold(TRIED, "the client to stop trying")


@scenario(
    "no-reconnect",
    "The client is told not to reconnect, and the connection is lost",
    exercises=("AOR-030",),
    needs=("wire", "config"),
    lasts=23,
    settings={"told": {"AUTO_RECONNECT": "false"}},
)
async def no_reconnect(stage: ArrowStage) -> None:
    if await stage.log_in() is None:
        return
    stage.lose_all()
    await stage.hold(stage.limits["window_restraint"] + 1, "an attempt that should not come")


@scenario(
    "ladder-again",
    "Two outages one after the other: the ladder and the count begin again",
    exercises=("AOR-040",),
    lasts=38,
    most=200,
    settings={"told": {"RECONNECT_MAX_TRIES": SMALL_TRIES}},
)
async def ladder_again(stage: ArrowStage) -> None:
    if await stage.log_in() is None:
        return
    for _ in range(2):
        with stage.broker.on_upgrade(times=3).refuse(503, "down"):
            since = stage.lose_all()
            if await stage.recovered(since) is None:
                return
        await stage.hold(CALM)


async def _long_outage(stage: ArrowStage) -> None:
    if await stage.log_in() is None:
        return
    with stage.broker.on_upgrade().refuse(503, "down"):
        since = stage.lose_all()
        await stage.hold(stage.limits["window_outage"], "attempts inside the account's limits")
    await stage.recovered(since)
    await stage.hold(CALM)


@scenario(
    "outage-basic",
    "More than a minute of outage, of a Basic account",
    exercises=("AOR-050",),
    lasts=80,
    settings={"account": "Basic"},
)
async def outage_basic(stage: ArrowStage) -> None:
    await _long_outage(stage)


@scenario(
    "outage-premium",
    "More than a minute of outage, of a Premium account",
    exercises=("AOR-050",),
    lasts=80,
    settings={"account": "Premium"},
)
async def outage_premium(stage: ArrowStage) -> None:
    await _long_outage(stage)


@scenario(
    "outage-enterprise",
    "An outage of an Enterprise account: its sockets are counted",
    exercises=("AOR-050",),
    lasts=16,
    settings={"account": "Enterprise"},
)
async def outage_enterprise(stage: ArrowStage) -> None:
    if await stage.log_in() is None:
        return
    with stage.broker.on_upgrade(times=2).refuse(503, "down"):
        since = stage.lose_all()
        await stage.recovered(since)
    await stage.hold(CALM)
