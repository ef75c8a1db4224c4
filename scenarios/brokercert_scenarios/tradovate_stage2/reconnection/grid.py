"""Every fault in every phase of a connection's life: S2 §5 (REC-110, REC-115).

One cell is one scenario. The phase is reached first, then the fault strikes every socket of the client; while it is
away, orders are filled, cancelled, rejected, deleted and placed, and a position is turned round. Faults of the upgrade
and of TLS are played on the way back from a FIN in that phase. A cell that cannot be is data, with its reason.
"""

from __future__ import annotations

import functools
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from brokercert.engine.play.scenario import Cell, Scenario, left_out
from brokercert.judge.tradovate.reconnection.grid import AFTER, CELL
from brokercert_mock import Connection
from websockets.frames import Frame, Opcode

from brokercert_scenarios.tradovate_stage2.requests.answers import ORDER_PRICE, on_order, place
from brokercert_scenarios.tradovate_stage2.stage import Stage

ROWS = ("REC-110", "REC-115")
OUTAGE = 2.0  # seconds that a proxy is down, a handshake is cut: two tries of most ladders
DEAF = 10.0  # seconds after which a broker that hears nothing closes: the idle limit of the mock's test profiles
TRICKLE = {"average_size": 64, "size_variation": 0, "delay": 5_000}  # bytes, and µs between: a snapshot takes a second
PENALTY = 4  # seconds
WITHIN_PENALTY = 1.0  # seconds: the ticket has arrived, and its time is not over
Strike = Callable[[Stage], Awaitable[None]]
Reach = Callable[[Stage, Strike], Awaitable[bool]]


@dataclass(frozen=True, slots=True)
class Fault:
    """`frame`: it is said in a frame, so that a socket must be there, and no other frame half written.
    `noticed`: whether the client must find out by itself, from silence. `turns`: ends of which each phase has one.
    """

    title: str
    strike: Strike
    frame: bool = False
    noticed: bool = False
    path: Any = "direct"
    needs: tuple[str, ...] = ()
    settings: dict[str, Any] = field(default_factory=dict)
    turns: tuple[Callable[[Connection], object], ...] = ()

    def in_phase(self, place: int) -> Strike:
        """How it strikes in the phase that stands at this place."""
        return _in_turn(self.turns, place) if self.turns else self.strike


@dataclass(frozen=True, slots=True)
class Phase:
    """`reach` brings the client there, has the fault strike, and tells whether it came to that."""

    title: str
    reach: Reach
    needs: tuple[str, ...] = ()


# Faults.


def _each(act: Callable[[Connection], object]) -> Strike:
    async def strike(stage: Stage) -> None:
        for connection in stage.broker.connections:
            act(connection)

    return strike


def _in_turn(ends: tuple[Callable[[Connection], object], ...], place: int) -> Strike:
    async def strike(stage: Stage) -> None:
        await _each(ends[(stage.broker.rng.randrange(len(ends)) + place) % len(ends)])(stage)

    return strike


def _deaf(connection: Connection) -> None:
    connection.stop_reading()
    connection.later(DEAF, connection.fin)


def _half_a_frame(connection: Connection) -> None:
    connection.stop_mid_frame("a[" + "{}," * 40, keep=60, fin=True)


# Ends that are no normal ones: by a draw of the seed in the first phase, and from there in turn.
_OTHER_ENDS: tuple[Callable[[Connection], object], ...] = (
    lambda connection: connection.close(1008, "Policy violation"),
    lambda connection: connection.protocol_close(2010, "Another connection still open", then_close=False),
    lambda connection: connection.close(1013, "Try again later"),
)


async def _proxy_down(stage: Stage) -> None:
    await stage.proxy_down()
    await stage.hold(OUTAGE, "the outage")
    await stage.proxy_up()


async def _trickle(stage: Stage) -> None:
    """From now on bytes trickle; the connection ends, and the way back is as slow."""
    await stage.toxic("slicer", "downstream", **TRICKLE)
    await stage.arrived()
    await _each(lambda connection: connection.fin())(stage)


async def _refused_after(stage: Stage) -> None:
    stage.broker.on_upgrade(times=2).refuse(503)
    await _each(lambda connection: connection.fin())(stage)


async def _unanswered_after(stage: Stage) -> None:
    stage.broker.on_upgrade(times=1).never_answer()
    await _each(lambda connection: connection.fin())(stage)


async def _tls_cut_after(stage: Stage) -> None:
    stage.broker.present("cut")
    await _each(lambda connection: connection.fin())(stage)
    await stage.hold(OUTAGE, "handshakes that are broken off")
    stage.broker.present("good")


FAULTS = {
    "fin": Fault("FIN", _each(lambda c: c.fin())),
    "rst": Fault("RST", _each(lambda c: c.rst())),
    "close-1001": Fault("close frame 1001", _each(lambda c: c.close(1001, "Going away")), frame=True),
    "close-1011": Fault("close frame 1011", _each(lambda c: c.close(1011, "Internal error")), frame=True),
    "close-1012": Fault("close frame 1012", _each(lambda c: c.close(1012, "Service restart")), frame=True),
    "close-other": Fault("close frame 1008 or 1013, or c[2010]", _each(_OTHER_ENDS[0]), frame=True, turns=_OTHER_ENDS),
    "protocol-close": Fault("c[3000]", _each(lambda c: c.protocol_close(3000, "Go away!")), frame=True),
    "black-hole": Fault("black hole", _each(lambda c: c.half_open()), noticed=True),
    "half-open-down": Fault("half-open, nothing comes down", _each(lambda c: c.go_silent("dead")), noticed=True),
    "half-open-up": Fault("half-open, nothing goes up", _each(_deaf)),
    "tls-cut": Fault("TLS handshake cut, after FIN", _tls_cut_after, needs=("tls",), settings={"tls": True}),
    "upgrade-503": Fault("upgrade refused with 503, after FIN", _refused_after),
    "upgrade-unanswered": Fault("upgrade never answered, after FIN", _unanswered_after),
    "proxy-down": Fault("proxy down", _proxy_down, path="proxied"),
    "mid-frame": Fault("cut in the middle of a frame", _each(_half_a_frame), frame=True),
    "trickle": Fault("bytes that trickle, and FIN", _trickle, path="proxied"),
}  # fmt: skip


# Phases.


async def _upgrade(stage: Stage, strike: Strike) -> bool:
    rule = stage.broker.on_upgrade(nth=1).never_answer()
    await stage.start()
    within = stage.limit("window_first_authorize") + 1
    seen = await stage.wait("an upgrade request", lambda talk: [c for c in talk.connections.values() if c.head], within)
    rule.cancel()
    return bool(seen) and await _struck(stage, strike)


async def _before_authorize(stage: Stage, strike: Strike) -> bool:
    stage.broker.on_open(nth=1).hold()
    await stage.start()
    if not await stage.wait("an upgrade", lambda talk: talk.upgraded, stage.limit("window_first_authorize") + 1):
        return False
    await stage.arrived()
    return await _struck(stage, strike)


async def _authorizing(stage: Stage, strike: Strike) -> bool:
    hold = stage.broker.on("authorize", nth=1).hold()
    await stage.start()
    return await hold.wait_held(within=stage.limit("window_first_authorize") + 1) and await _struck(stage, strike)


async def _before_sync(stage: Stage, strike: Strike) -> bool:
    """The answer to authorize is written, and the fault strikes at once."""
    hold = stage.broker.on("authorize", nth=1).hold()
    await stage.start()
    if not await hold.wait_held(within=stage.limit("window_first_authorize") + 1):
        return False
    hold.release()
    return await _struck(stage, strike)


async def _half_snapshot(stage: Stage, strike: Strike) -> bool:
    frame = Frame(Opcode.TEXT, b'a[{"s":200,"i":1,"d":{"users":[' + b'{"id":1},' * 2_000).serialize(mask=False)
    stage.broker.on("user/syncrequest", nth=1).instead(lambda connection: connection.send_raw(frame[: len(frame) // 2]))
    await stage.start()
    within = stage.limit("window_first_authorize") + stage.limit("window_first_sync") + 1
    if not await stage.wait("a sync request", lambda talk: talk.synced, within):
        return False
    await stage.arrived()
    return await _struck(stage, strike)


async def _steady(stage: Stage, strike: Strike) -> bool:
    if await stage.log_in() is None:
        return False
    await stage.fresh_event()
    return await _struck(stage, strike)


async def _order_in_flight(stage: Stage, strike: Strike) -> bool:
    if await stage.log_in() is None:
        return False
    hold = on_order(stage, ORDER_PRICE).hold()
    await place(stage)
    if not await hold.wait_held(within=2 * stage.limit("window_request")):
        return False
    struck = await _struck(stage, strike)
    hold.release()  # it is placed all the same, and nobody is answered
    return struck


async def _penalty(stage: Stage, strike: Strike) -> bool:
    stage.broker.on("user/syncrequest", nth=1).ticket(p_time=PENALTY)
    await stage.start()
    within = stage.limit("window_first_authorize") + stage.limit("window_first_sync") + 1
    if not await stage.wait("a sync request", lambda talk: [c for c in talk.synced if c.syncs[0].answer], within):
        return False
    await stage.hold(WITHIN_PENALTY, "the penalty")
    return await _struck(stage, strike)


async def _back_off(stage: Stage, strike: Strike) -> bool:
    if await stage.log_in() is None:
        return False
    stage.broker.on_upgrade(times=2).refuse(503)
    since = stage.now
    await _each(lambda connection: connection.fin())(stage)

    def third(talk: Any) -> Any:
        return [c for c in talk.upgraded if c.accepted > since]

    if not await stage.wait("a third attempt", third, stage.limit("window_recovery") + 1):
        return False
    return await _struck(stage, strike)


async def _again(stage: Stage, strike: Strike) -> bool:
    if await stage.log_in() is None:
        return False
    hold = stage.broker.on("authorize").hold()
    await _each(lambda connection: connection.fin())(stage)
    if not await hold.wait_held(within=stage.limit("window_recovery") + 1):
        return False
    struck = await _struck(stage, strike)
    hold.release()
    return struck


PHASES = {
    "upgrade": Phase("during the upgrade", _upgrade),
    "before-authorize": Phase("before authorize", _before_authorize),
    "authorizing": Phase("authorize in flight", _authorizing),
    "before-sync": Phase("before sync", _before_sync),
    "half-snapshot": Phase("snapshot half sent", _half_snapshot),
    "steady": Phase("steady", _steady),
    "order-in-flight": Phase("order in flight", _order_in_flight, needs=("request", "orders")),
    "penalty": Phase("penalty waiting", _penalty),
    "back-off": Phase("in back-off", _back_off),
    "again": Phase("re-authenticating", _again),
}

_NO_SOCKET = "it is said in a frame, and during the upgrade there is no socket yet that could carry one"
_HALF_A_FRAME = "it is said in a frame, and within a frame that is half sent no other can begin"
LEFT_OUT = tuple(
    left_out(fault, phase, reason)
    for fault in (name for name, known in FAULTS.items() if known.frame)
    for phase, reason in (("upgrade", _NO_SOCKET), ("half-snapshot", _HALF_A_FRAME))
    if (fault, phase) != ("mid-frame", "half-snapshot")  # that is FIN in half a snapshot
)


# A cell.


@dataclass(slots=True)
class Book:
    """The orders that change while the client is away."""

    filled: int
    cancelled: int
    rejected: int
    deleted: int


def _book(stage: Stage) -> Book:
    """Orders and a position that the client's first snapshot shows, if it gets one."""
    exchange, account = stage.broker.exchange, stage.broker.credentials.accounts[0]
    exchange.fill(exchange.place(account, "NQH6", "Buy", 1, price=17_000))
    places = [exchange.place(account, "ESH6", "Buy", 2, price=4_900 + number) for number in range(4)]
    return Book(*places)


def _changes(stage: Stage, book: Book) -> None:
    """Fills, a cancel, a reject, a deletion, a new order, a position turned round."""
    exchange, account = stage.broker.exchange, stage.broker.credentials.accounts[0]
    exchange.fill(book.filled, 1)
    exchange.fill(book.filled)
    exchange.cancel(book.cancelled)
    exchange.reject(book.rejected, "NoQuote", "No market")
    exchange.cancel(book.deleted)
    exchange.delete("order", book.deleted)
    exchange.place(account, "ESH6", "Sell", 1, price=5_100)
    exchange.fill(exchange.place(account, "NQH6", "Sell", 3, price=17_010))


async def _struck(stage: Stage, strike: Strike) -> bool:
    """The fault strikes; from here on nothing that repeats an entity mends a client that missed it."""
    stage.broker.quiet(True)
    await strike(stage)
    return True


async def _cell(fault: str, phase: str, stage: Stage) -> None:
    book = _book(stage)
    struck: list[int] = []

    async def strike(stage: Stage) -> None:
        struck.append(stage.now)
        await FAULTS[fault].in_phase(list(PHASES).index(phase))(stage)
        _changes(stage, book)

    if not await PHASES[phase].reach(stage, strike):
        return
    # A broker that hears nothing ends the connection a while after the fault: the way back is awaited from then on.
    within = stage.limit("window_recovery") + (stage.limit("silence") if FAULTS[fault].noticed else DEAF)
    with stage.window(f"{CELL}{fault}, {phase}", since=struck[0]):
        back = await stage.recovered(struck[0], within)
        if back is not None:
            await stage.hold(stage.limit("window_single_sync") + 1, "a second sync that should not come")
    if back is not None and not stage.left:
        await stage.compare(AFTER)


def _scenario(fault: str, phase: str) -> Scenario:
    how, when = FAULTS[fault], PHASES[phase]
    return Scenario(
        name=f"grid-{fault}-{phase}",
        title=f"{how.title[0].upper()}{how.title[1:]}, {when.title}",
        exercises=ROWS,
        play=functools.partial(_cell, fault, phase),
        path=how.path,
        needs=("wire", *when.needs, *how.needs),
        lasts=46 if how.noticed else 32,
        settings=how.settings,
        cell=Cell(fault, phase),
    )


_NOT = {(cell.fault, cell.phase) for cell in LEFT_OUT}
GRID = tuple(_scenario(fault, phase) for fault in FAULTS for phase in PHASES if (fault, phase) not in _NOT)
