"""Heartbeats: S2 §2."""

import itertools
from typing import Literal

from brokercert.engine.play.scenario import scenario
from brokercert.judge.tradovate.model.conversation import SECOND, Connection, Conversation
from brokercert.trace.names import RuleName
from brokercert_mock import Connection as BrokerConnection

from brokercert_scenarios.tradovate_stage2.requests.answers import ITEM, NEEDS, orders
from brokercert_scenarios.tradovate_stage2.stage import Stage, lose_now

HEAVY_RATE = 2000  # events a second: what S2 means by high volume, as this suite reads it
LIGHT_RATE = 200  # far above any cadence that arrivals could drive, far below what costs a client CPU
SMALLER_RATE = 50  # beside a large snapshot: still far above any such cadence
VIRTUAL_HEAVY_RATE = 125  # in virtual time every event costs, and time nothing: 2,000 of them
VIRTUAL_RATE = 20  # twenty times what HBT-070 allows of heartbeats
BUSY_EVERY = 1.5  # seconds between two requests: less than any heartbeat's cadence
GOES_ON = 1.0  # seconds of load after the heartbeat: it is no end of the load that brought it


async def _load(stage: Stage, rate: int, least: float) -> None:
    if await stage.log_in() is None:
        return
    stage.broker.heartbeats("off")
    await load_without_h(stage, rate, least)
    stage.broker.heartbeats("auto")


@scenario(
    "load",
    "A stream of events, during which the server sends no `h`",
    exercises=("HBT-030", "HBT-070"),
    lasts=28,
)
async def load(stage: Stage) -> None:
    await _load(stage, LIGHT_RATE if stage.full else VIRTUAL_RATE, stage.limit("window_default") + 1)


@scenario(
    "load-heavy",
    "Two thousand events a second, during which the server sends no `h`",
    exercises=("HBT-030",),
    exclusive=True,  # it costs the machine what scored times of others would suffer from
    lasts=22,
)
async def load_heavy(stage: Stage) -> None:
    await _load(stage, HEAVY_RATE if stage.full else VIRTUAL_HEAVY_RATE, stage.limit("load_span") + 1)


async def load_without_h(stage: Stage, rate: int, least: float) -> None:
    """Events for `least` seconds, and on until a heartbeat came that no `h` explains; `h` is off already."""
    began = stage.now
    after = stage.limit("load_after_h")
    stage.broker.background(rate)
    await stage.hold(least, "load")

    def beaten(talk: Conversation) -> bool:
        return all(any(t > began + after * SECOND for t, _ in c.beats) for c in talk.working() if c.is_open)

    await stage.wait(f"a heartbeat {after:g} s or more after the last `h`", beaten, stage.heartbeat_gap + 2)
    await stage.hold(GOES_ON, "the load to go on a little")
    stage.broker.background(0)


@scenario(
    "beats-beside-requests",
    "A request every 1.5 s, for more than a minute",
    exercises=("HBT-010", "HBT-020"),
    needs=NEEDS,
    lasts=77,
)
async def beats_beside_requests(stage: Stage) -> None:
    if await stage.log_in() is None:
        return
    until = stage.now + round((stage.limit("window_heartbeat") + 1) * SECOND)
    for ident in itertools.cycle(orders(stage)):
        await stage.request(ITEM, query=f"id={ident}")
        await stage.hold(BUSY_EVERY, "the next request")
        if stage.left or stage.now >= until:
            return


@scenario(
    "quiet",
    "More than a minute of nothing but `h`, and a FIN in it",
    exercises=("HBT-010", "HBT-020", "HBT-040", "LOG-060", "REC-015"),
    lasts=74,
)
async def quiet(stage: Stage) -> None:
    if await stage.log_in(syncs=False) is None:
        return
    stage.broker.quiet(True)
    await stage.arrived()
    least = max(stage.limit(name) for name in ("quiet", "window_heartbeat", "window_stability", "series_ends"))
    with stage.window("nothing but `h`"):
        await stage.hold(least + 1)
    await lose_now(stage, BrokerConnection.fin)


async def _silent(stage: Stage, kind: Literal["application", "dead"]) -> None:
    if await stage.log_in(syncs=False) is None:
        return
    await stage.fresh_event()
    ids = {socket.id for socket in stage.sockets()}
    since = stage.lose_all(lambda socket: socket.go_silent(kind))
    if await wait_given_up(stage, ids, since):
        await _back(stage, since)
    else:
        stage.leave_off("the silence was never noticed", "HBT-050")


async def wait_given_up(stage: Stage, ids: set[int], since: int) -> bool:
    """Until the client has given up the sockets of these ids, which are silent since then, or has opened a new one."""

    def noticed(talk: Conversation) -> bool:
        return all(stage.is_given_up(talk.connections[i], since) for i in ids)

    return bool(await stage.wait("the client to give up", noticed, stage.limit("silence") + 2))


async def _back(stage: Stage, since: int) -> None:
    """Recovery of each socket, and on to the first heartbeat on the new one, over 20 s at least."""
    new = await stage.back(since)
    if new is None:
        return
    connection: Connection = new
    old = [c for c in stage.talk.authorized if c.accepted < since and stage.lanes.lane(c) is not None]
    await stage.wait(
        "a socket in the place of each",
        lambda _: all(any(heir.authorized for heir in stage.lanes.heirs(c)) for c in old),
        stage.limit("window_recovery") + 1,
    )
    await stage.hold(stage.limit("window_default") + 1)
    news = [connection, *(heir for c in old for heir in stage.lanes.heirs(c) if heir.is_heard)]
    await stage.wait("a heartbeat on each new socket", lambda _: all(c.beats for c in news), stage.heartbeat_gap)


@scenario(
    "silent-application",
    "The server falls silent but for answers to pings",
    exercises=("HBT-050", "HBT-060", "REC-060"),
    lasts=40,
)
async def silent_application(stage: Stage) -> None:
    await _silent(stage, "application")


@scenario(
    "silent-dead",
    "The server falls silent altogether, the TCP connection open",
    exercises=("HBT-050", "HBT-060", "REC-010", "REC-060"),
    lasts=40,
)
async def silent_dead(stage: Stage) -> None:
    await _silent(stage, "dead")


@scenario(
    "idle-close",
    "The close that an idle limit would send",
    exercises=("HBT-060",),
    lasts=30,
)
async def idle_close(stage: Stage) -> None:
    if await stage.log_in(syncs=False) is None:
        return

    def close_idle(socket: BrokerConnection) -> None:
        stage.rule(RuleName.IDLE_CLOSE.value, socket.id, "as after missed heartbeats of the client")
        socket.close(1001, "Idle")

    since = await stage.lose(close_idle)
    await _back(stage, since)


@scenario(
    "heartbeat-streams",
    "Two losses, after each of which the old socket is left half alive: `c[...]` with TCP open, and a silent server",
    exercises=("HBT-080",),
    lasts=92,
)
async def heartbeat_streams(stage: Stage) -> None:
    if await stage.log_in(syncs=False) is None:
        return
    await stage.hold(stage.limit("window_default") + 1, "heartbeats on the first socket")
    since = await stage.lose(lambda socket: socket.protocol_close(3000, "Go away!", then_close=False))
    if not await _beating(stage, since):
        return
    ids = {socket.id for socket in stage.sockets()}
    since = await stage.lose(lambda socket: socket.go_silent("application"))

    def replaced(talk: Conversation) -> bool:
        return all(stage.lanes.successor(talk.connections[i], since) is not None for i in ids)

    if await stage.wait("the client to give up", replaced, stage.limit("silence") + 2):
        await _beating(stage, since)
    else:
        stage.leave_off("the silence was never noticed", "HBT-050")


async def _beating(stage: Stage, since: int) -> bool:
    """The way back, and on for 20 s at least and two gaps between heartbeats on the new socket."""
    if await stage.back(since) is None:
        return False
    await stage.hold(stage.limit("window_default") + 1, "heartbeats on the new socket")
    news = [c for c, answer in stage.talk.granted if c.is_open and answer.t > since]
    await stage.wait(
        "two gaps between heartbeats",
        lambda _: all(len(c.beats) >= 3 for c in news if c.is_heard) or None,
        2 * stage.heartbeat_gap + 2,
    )
    return True
