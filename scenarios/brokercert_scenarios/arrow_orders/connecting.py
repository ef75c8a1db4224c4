"""Connecting, credentials, events, and leaving: AR Connection Setup, Connection Events, Security."""

from brokercert.engine.play.scenario import scenario
from brokercert.engine.run.preflight import first_connection

from brokercert_scenarios.arrow_orders.stage import CALM, RAISED, TOLD, ArrowStage

WAITING = 0.2  # seconds into the delay before the next attempt: the shortest is a second
DOWN = 3.6  # seconds of an outage that two attempts fall into: at 1 and 3 s, or at 2 s and later


@scenario(
    "preflight",
    "Before all: one start of the client, with nothing wrong",
    exercises=("AOC-010",),
    lasts=2,
    before_all=True,
)
async def preflight(stage: ArrowStage) -> None:
    await first_connection(stage)


@scenario(
    "query-encoded",
    "Session and token have characters that mean something else in an address",
    exercises=("AOC-010", "AOC-015", "AOS-010"),
    lasts=5,
    settings={"credentials": "reserved"},
)
async def query_encoded(stage: ArrowStage) -> None:
    await stage.start()
    await stage.connected()


@scenario(
    "credentials-refused",
    "Session and token are refused, for a minute",
    exercises=("AOC-020", "AOS-010"),
    lasts=64,
    settings={"account": "Basic"},
)
async def credentials_refused(stage: ArrowStage) -> None:
    stage.broker.on_upgrade().refuse(401, "Invalid session or token")
    await stage.start()
    if await stage.attempts(1, stage.limits["window_connect"] + 1):
        await stage.hold(stage.limits["window_refused"] + 1, "attempts with credentials that were refused")


@scenario(
    "session-expires",
    "The session times out while the client is connected",
    exercises=("AOC-025", "AOS-010"),
    needs=("wire", "config"),
    lasts=15,
)
async def session_expires(stage: ArrowStage) -> None:
    if await stage.log_in() is None:
        return
    since = stage.now
    login = stage.sockets()[0].login
    assert login is not None
    stage.broker.time_out(login)
    await stage.recovered(since)
    await stage.hold(RAISED)


@scenario(
    "events-raised",
    "A session with updates, a close, a loss and a failing attempt: every event is raised",
    exercises=("AOC-030", "AOS-010"),
    needs=("wire", "report"),
    lasts=22,
)
async def events_raised(stage: ArrowStage) -> None:
    if await stage.log_in() is None:
        return
    for order in stage.live()[:2]:
        stage.broker.orders.fill(order, 10)
    await stage.hold(RAISED)
    since = stage.now
    for socket in stage.sockets():
        socket.close(1001, "going away")
    if await stage.recovered(since) is None:
        return
    await stage.hold(CALM)
    with stage.broker.on_upgrade(times=2).refuse(503, "down"):
        since = stage.lose_all()
        if await stage.recovered(since) is None:
            return
    stage.broker.orders.fill(stage.live()[0], 10)
    await stage.hold(TOLD)


@scenario(
    "disconnect-open",
    "The client is asked to disconnect while it is connected",
    exercises=("AOC-040",),
    needs=("wire", "stop"),
    lasts=18,
)
async def disconnect_open(stage: ArrowStage) -> None:
    if await stage.log_in() is None:
        return
    await stage.ask_stop()
    await stage.hold(stage.limits["window_stop"] + 1, "the client to stay away")


@scenario(
    "disconnect-between",
    "The client is asked to disconnect while it waits for its next attempt",
    exercises=("AOC-040",),
    needs=("wire", "stop"),
    lasts=25,
)
async def disconnect_between(stage: ArrowStage) -> None:
    if await stage.log_in() is None:
        return
    stage.broker.on_upgrade().refuse(503, "down")
    stage.lose_all()
    await stage.attempts(2, stage.limits["reconnect_max_delay"])
    await stage.hold(WAITING)
    await stage.ask_stop()
    await stage.hold(stage.limits["window_stop"] + 1, "the client to stay away")
