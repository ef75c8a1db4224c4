"""Connection errors: S2 Error handling. Servers that are not there, and ways that are slow."""

from brokercert.engine.play.scenario import scenario
from brokercert.trace.names import FaultName, RuleName, WindowName

from brokercert_scenarios.tradovate_stage2.login.arriving import struck_by
from brokercert_scenarios.tradovate_stage2.stage import Stage

REFUSED = 6.0  # seconds: a refused connect leaves no record, so that a longer time would show no more


@scenario(
    "upgrade-unanswered",
    "The first upgrade request is never answered, of each socket of a healthy start",
    exercises=("CON-010",),
    lasts=14,
)
async def upgrade_unanswered(stage: Stage) -> None:
    stage.broker.on_upgrade(times=stage.sockets_of_a_start).never_answer()
    await stage.start()
    name = RuleName.UPGRADE_UNANSWERED
    within = stage.limit("window_first_authorize") + 1
    if await stage.wait("an upgrade request", lambda talk: struck_by(talk, name), within) is None:
        return
    await stage.wait(
        "the client to give up",
        lambda talk: all(c.ended or stage.lanes.successor(c) is not None for c in struck_by(talk, name)),
        stage.limit("give_up") + 2,
    )
    await stage.wait(
        "a new socket that is authorized, for each of them",
        lambda talk: all(any(x.authorized for x in stage.lanes.heirs(c)) for c in struck_by(talk, name)),
        stage.limit("window_recovery") + 1,
    )
    await stage.arrived()


@scenario(
    "connect-unanswered",
    "The server's address answers no connect for twenty seconds",
    exercises=("CON-010",),
    lasts=44,
)
async def connect_unanswered(stage: Stage) -> None:
    if await stage.log_in(syncs=False) is None:
        return
    await stage.fresh_event()
    await stage.broker.leave_unanswered()
    stage.lose_all()
    twice = 2 * stage.limit("give_up_should")  # in it a client gives up as recommended, and tries again
    await stage.hold(twice, "connects that nothing answers")
    since = stage.now
    await stage.broker.accept_again()
    await stage.recovered(since)


@scenario(
    "port-refused",
    "The server refuses connections for six seconds",
    exercises=("CON-040",),
    lasts=20,
)
async def port_refused(stage: Stage) -> None:
    if await stage.log_in(syncs=False) is None:
        return
    await stage.fresh_event()
    await stage.broker.refuse_port()
    stage.lose_all()
    await stage.hold(REFUSED, "connects that are refused")
    since = stage.now
    await stage.broker.accept_again()
    await stage.recovered(since)


async def _back(stage: Stage) -> None:
    since = stage.now
    stage.healed(FaultName.UPGRADES_ANSWERED.value)
    await stage.recovered(since)


@scenario(
    "unavailable-503",
    "Ninety seconds of HTTP 503, then the server is back",
    exercises=("CON-040",),
    lasts=106,
)
async def unavailable_503(stage: Stage) -> None:
    if await stage.log_in(syncs=False) is None:
        return
    with stage.broker.on_upgrade().refuse(503):
        await stage.outage(f"{WindowName.UNAVAILABLE}, every upgrade answered with 503")
    await _back(stage)


@scenario(
    "unavailable-accept",
    "Ninety seconds in which every connection is closed as soon as it is accepted, then the server is back",
    exercises=("CON-040",),
    lasts=106,
)
async def unavailable_accept(stage: Stage) -> None:
    if await stage.log_in(syncs=False) is None:
        return
    with stage.broker.on_accepting().close():
        await stage.outage(f"{WindowName.UNAVAILABLE}, every connection closed when accepted")
    await _back(stage)


@scenario(
    "upgrade-429",
    "Ninety seconds in which every upgrade is answered with 429",
    exercises=("CON-045",),
    lasts=96,
)
async def upgrade_429(stage: Stage) -> None:
    if await stage.log_in(syncs=False) is None:
        return
    with stage.broker.on_upgrade().refuse(429):
        await stage.outage(WindowName.LOCKED_OUT.value)


async def _slow(stage: Stage) -> None:
    """A whole login over the slow way, and 20 s of a healthy session."""
    if await stage.log_in() is not None:
        await stage.hold(stage.limit("window_default") + 1, "a disconnect that should not come")


@scenario(
    "slow-latency",
    "Every byte is 700 ms late, both ways",
    exercises=("CON-050",),
    path="proxied",
    lasts=34,
)
async def slow_latency(stage: Stage) -> None:
    await stage.toxic("latency", "downstream", latency=700)
    await stage.toxic("latency", "upstream", latency=700)
    await _slow(stage)


@scenario(
    "slow-sliced",
    "Bytes come in slices of about 100, 5 ms apart",
    exercises=("CON-050",),
    path="proxied",
    lasts=30,
)
async def slow_sliced(stage: Stage) -> None:
    await stage.toxic("slicer", "downstream", average_size=100, size_variation=50, delay=5000)
    await _slow(stage)


@scenario(
    "slow-bandwidth",
    "The way carries 6 KB a second to the client",
    exercises=("CON-050",),
    path="proxied",
    lasts=34,
)
async def slow_bandwidth(stage: Stage) -> None:
    await stage.toxic("bandwidth", "downstream", rate=6)
    await _slow(stage)
