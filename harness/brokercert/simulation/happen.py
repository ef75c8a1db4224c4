"""What an event of a schedule does: to orders at the exchange, to the way, to the answers, or by asking the client.

The law: an event does what it can with what there is, and nothing where there is nothing for it; every fault ends by
itself or with `heal`. Nothing here is more than a broker, a network or a user may do, and nothing that lets a client
stay away for good.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from contextlib import suppress
from typing import Any, Protocol, TypeVar

from brokercert_mock import Connection, Hold, Rule, TradovateBroker

from brokercert.simulation.schedule import WAIT, Event

T = TypeVar("T")

SYMBOLS = ("ESH6", "NQH6")
MARKET = 20_000  # quarter points: where the market stands, in ticks
LATE = 4  # seconds: the longest that an answer is kept back, or a ticket asks for; below every client's patience
AWAY = 20  # seconds: the longest that the port is closed
CODES = (1001, 1011, 1012)  # close codes after which coming back is asked for (1000 may mean the end of the day)
CUT = 'a[{"e":"props","d":{}}]'


class Asking(Protocol):
    """A client that can be asked to send requests."""

    def ask(self, endpoint: str, body: dict[str, Any]) -> None:
        """Give it the request, where it takes any and a socket of it is synced."""


class Happenings:
    """What events do to one broker and one client."""

    def __init__(self, broker: TradovateBroker, client: Asking) -> None:
        self._broker = broker
        self._client = client
        self._acts: dict[str, Callable[[Event], None]] = self._of_orders() | self._of_requests() | self._of_links()
        self._rules: list[Rule[Any]] = []
        self._holds: list[Hold] = []
        self._tasks: set[asyncio.Task[None]] = set()
        self._closed = False

    def do(self, event: Event) -> None:
        """Let it happen. What cannot happen to what there is does not: the exchange says so by ValueError."""
        with suppress(ValueError):
            self._acts[event.do](event)

    async def heal(self) -> None:
        """The end of every fault that has not ended by itself. A silent socket stays what it is."""
        for rule in self._rules:
            rule.cancel()
        for hold in self._holds:
            hold.release()
        self._rules.clear()
        self._holds.clear()
        self._broker.book.rules.clear()  # all were these: hundreds that are over would be looked at for every frame
        await self._open()

    async def end(self) -> None:
        """Leave nothing running."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def healthy(self) -> list[Connection]:
        """Synced sockets on which the broker speaks."""
        return [c for c in self._broker.connections if c.is_synced and c.silent is None]

    # Orders, from elsewhere.

    def _of_orders(self) -> dict[str, Callable[[Event], None]]:
        exchange, db = self._broker.exchange, self._broker.db
        verbs = ("New", "Modify", "Cancel")
        return {
            WAIT: lambda e: None,
            "place": lambda e: _none(
                exchange.place(
                    _pick(db.accounts, e.who),
                    _pick(SYMBOLS, e.who // 3),
                    "Buy" if e.size % 2 else "Sell",
                    1 + e.size % 5,
                    price=_price(e),
                )
            ),
            "fill": lambda e: _none(exchange.fill(self._live(e), 1 if e.size % 2 else None)),
            "cancel": lambda e: _none(exchange.cancel(self._live(e))),
            "modify": lambda e: _none(exchange.modify(self._live(e), orderQty=3 + e.size % 7, price=_price(e))),
            "reject": lambda e: exchange.reject(self._live(e)),
            "expire": lambda e: exchange.expire(self._live(e)),
            "delete": lambda e: exchange.delete("order", _pick(list(db.entities["order"]), e.who)),
            "flat": lambda e: exchange.delete("position", _pick([x["id"] for x in db.of("position")], e.who)),
            "pause": lambda e: exchange.pause(),
            "resume": lambda e: exchange.resume(),
            "refuse": lambda e: exchange.reject_next(verb=verbs[e.size % 3]),  # type: ignore[arg-type]
        }

    def _live(self, event: Event) -> int:
        exchange = self._broker.exchange
        live = [ident for ident in self._broker.db.entities["order"] if not exchange.is_over(ident)]
        return _pick(live, event.who)

    # Orders that the client is asked for, and what becomes of its requests.

    def _of_requests(self) -> dict[str, Callable[[Event], None]]:
        on = self._broker.on
        place = "order/placeorder"
        return {
            "ask place": self._ask_place,
            "ask cancel": self._ask_cancel,
            "ask modify": self._ask_modify,
            "answer late": lambda e: self._under(on(place, times=1).answer_after(_seconds(e)), e),
            "answer never": lambda e: self._under(on(place, times=1).never_answer(), e),
            "order ticket": lambda e: self._under(on(place, times=1).ticket(_seconds(e)), e),
            "reset after a request": lambda e: self._under(on(place, times=1).first(lambda _: self._reset()), e),
        }

    def _ask_place(self, event: Event) -> None:
        self._client.ask(
            "order/placeorder",
            {
                "accountId": _pick(self._broker.db.accounts, event.who),
                "action": "Buy" if event.size % 2 else "Sell",
                "symbol": _pick(SYMBOLS, event.who // 3),
                "orderQty": 1 + event.size % 5,
                "orderType": "Limit",
                "price": _price(event),
                "isAutomated": True,
            },
        )

    def _ask_cancel(self, event: Event) -> None:
        self._client.ask("order/cancelorder", {"orderId": self._live(event), "isAutomated": True})

    def _ask_modify(self, event: Event) -> None:
        body = {"orderId": self._live(event), "orderQty": 3 + event.size % 7, "orderType": "Limit"}
        self._client.ask("order/modifyorder", body | {"price": _price(event), "isAutomated": True})

    def _under(self, rule: Rule[Any], event: Event) -> None:
        self._rules.append(rule)
        self._ask_place(event)

    # Links.

    def _of_links(self) -> dict[str, Callable[[Event], None]]:
        broker, on = self._broker, self._broker.on
        sync = "user/syncrequest"
        return {
            "events twice": lambda e: self._fill_under(broker.on_events(next=5 + e.size % 20).twice(), e),
            "events as arrays": lambda e: self._fill_under(broker.on_events(next=5 + e.size % 20).as_array(), e),
            "sync ticket": lambda e: self._back(on(sync, times=1).ticket(_seconds(e))),
            "authorize late": lambda e: self._back(on("authorize", times=1).answer_after(_seconds(e))),
            "snapshot late": self._snapshot_late,
            "reset": lambda e: self._reset(),
            "fin": lambda e: self._every(lambda c: c.fin()),
            "close": lambda e: self._every(lambda c: c.close(CODES[e.size % 3])),
            "protocol close": lambda e: self._every(lambda c: c.protocol_close()),
            "shutdown": lambda e: self._every(lambda c: c.shut_down("Maintenance")),
            "cut in a frame": lambda e: self._every(lambda c: c.stop_mid_frame(CUT, keep=2 + e.size % 20, fin=True)),
            "deaf": lambda e: self._every(lambda c: c.half_open()),
            "silence": lambda e: self._every(lambda c: c.go_silent("application")),
            "dead": lambda e: self._every(lambda c: c.go_silent("dead")),
            "accept and close": lambda e: self._back(broker.on_accepting(times=1 + e.size % 3).close()),
            "upgrade refused": lambda e: self._back(broker.on_upgrade(times=1 + e.size % 3).refuse(503)),
            "port closed": self._port_closed,
        }

    def _every(self, act: Callable[[Connection], None]) -> None:
        """A loss hits every socket at once."""
        for conn in self._broker.connections:
            if conn.is_open:
                act(conn)

    def _reset(self) -> None:
        self._every(lambda conn: conn.rst())

    def _fill_under(self, rule: Rule[Any], event: Event) -> None:
        """Something that many events tell of."""
        self._keep(rule)
        self._acts["fill"](event)

    def _keep(self, rule: Rule[Any]) -> None:
        self._rules.append(rule)

    def _back(self, rule: Rule[Any]) -> None:
        """The client has to come back under a rule."""
        self._keep(rule)
        self._reset()

    def _snapshot_late(self, event: Event) -> None:
        """A snapshot that is older than the events before it."""
        hold = self._broker.on("user/syncrequest", times=1).hold_answer()
        self._holds.append(hold)
        self._reset()

        async def release() -> None:
            if await hold.wait_held(within=AWAY):
                await asyncio.sleep(_seconds(event))
            hold.release()

        self._begin(release())

    def _port_closed(self, event: Event) -> None:
        if self._closed:
            return
        self._closed = True

        async def away() -> None:
            await self._broker.refuse_port()
            self._reset()
            await asyncio.sleep(1 + event.size % AWAY)
            await self._open()

        self._begin(away())

    async def _open(self) -> None:
        if self._closed:
            self._closed = False
            await self._broker.accept_again()

    def _begin(self, work: Any) -> None:
        task = asyncio.get_running_loop().create_task(work)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)


def _pick(among: Sequence[T], which: int) -> T:
    if not among:
        raise ValueError("there is none")
    return among[which % len(among)]


def _price(event: Event) -> float:
    return (MARKET + event.who - event.size) / 4


def _seconds(event: Event) -> float:
    return float(1 + event.size % LATE)


def _none(_: object) -> None:
    """What a line of the exchange returns is of no use here."""
