"""Every rule that there is, the words that make it, and what a client sees of one broker with it and without it."""

from __future__ import annotations

import asyncio
import datetime
import json
from collections.abc import Awaitable, Callable, Iterator
from typing import Any

from brokercert.engine.play.virtual import VirtualLoop
from brokercert.reference.rest import RestError, call
from brokercert.trace import TraceWriter
from brokercert.trace import records as r
from brokercert_mock import Rule, Settings, TradovateBroker
from brokercert_mock.arrow import ArrowBroker, ArrowSettings
from brokercert_mock.port.broker import AnyBroker
from brokercert_mock.port.rules.book import Sentence
from mock_bench import header
from websockets.asyncio.client import ClientConnection, connect
from websockets.exceptions import ConnectionClosed, InvalidHandshake

Broker = AnyBroker[Any]
Lay = Callable[[Broker], object]
Seen = list[tuple[float, str]]  # seconds of virtual time, and what a client saw then

NOON = datetime.datetime(2026, 1, 5, 12, tzinfo=datetime.UTC)
PATIENCE = 3.0  # seconds of virtual time: what has not come by then does not
BROKERS: tuple[type[Broker], ...] = (TradovateBroker, ArrowBroker)
ENDPOINTS: dict[type[Broker], str] = {TradovateBroker: "order/placeorder", ArrowBroker: "orders"}
CLOCKS = [{"e": "clock", "d": "{}"}]


def below(kind: type[Any]) -> Iterator[type[Any]]:
    """Every class that is made from it, however far down."""
    for child in kind.__subclasses__():
        yield child
        yield from below(child)


RULES: tuple[type[Rule[Any]], ...] = tuple(dict.fromkeys(kind for kind in below(Rule) if "name" in vars(kind)))
SENTENCES: tuple[type[Sentence], ...] = tuple(dict.fromkeys(below(Sentence)))

# How a line begins that is about such a trigger.
BEGINS: dict[str, Callable[[Any], Sentence]] = {
    "accept": lambda broker: broker.on_accepting(),
    "upgrade": lambda broker: broker.on_upgrade(),
    "open": lambda broker: broker.on_open(),
    "request": lambda broker: broker.on(next(ENDPOINTS[x] for x in type(broker).__mro__ if x in ENDPOINTS)),
    "event": lambda broker: broker.on_events(),
}
# What stands in the brackets after a word; nothing, where it is not here.
ARGUMENTS: dict[tuple[str, str], Callable[[Any], tuple[Any, ...]]] = {
    ("upgrade", "refuse"): lambda broker: (503,),
    ("open", "after"): lambda broker: (0.3,),
    ("request", "refuse"): lambda broker: (503, "down"),
    ("request", "answer_with"): lambda broker: (200, {"made": "up"}),
    ("request", "status"): lambda broker: (429,),
    ("request", "answer_after"): lambda broker: (0.3,),
    ("request", "ticket"): lambda broker: (2.0,),
    ("request", "last_in_batch"): lambda broker: (CLOCKS,),
    ("request", "answer_after_events"): lambda broker: (CLOCKS,),
    **{
        ("request", word): lambda broker: (lambda conn: broker.connections[0].rst(),)
        for word in ("first", "then", "instead")
    },
}


def lines() -> list[tuple[str, str]]:
    """(trigger, word) of every line that can be written for some broker."""
    begun = {kind: trigger for trigger, kinds in KINDS.items() for kind in kinds}
    return sorted({(begun[kind], word) for kind in SENTENCES for word in kind.words()})


def say(broker: Broker, trigger: str, word: str) -> object:
    """Write the line. What is raised there is the answer."""
    sentence = BEGINS[trigger](broker)
    return getattr(sentence, word)(*ARGUMENTS.get((trigger, word), lambda _: ())(broker))


def sentence_kinds() -> dict[str, set[type[Sentence]]]:
    """Which sentences the brokers begin with, by trigger, with those that they are made from."""
    found: dict[str, set[type[Sentence]]] = {}

    async def look() -> None:
        for make in BROKERS:
            broker = make()  # type: ignore[call-arg]  # every dialect's has its own settings, and defaults for all
            for trigger, begin in BEGINS.items():
                if trigger != "open" or hasattr(broker, "on_open"):
                    kind = type(begin(broker))
                    found.setdefault(trigger, set()).update(x for x in kind.__mro__ if x in SENTENCES)
            await broker.close()

    asyncio.run(look())
    return found


KINDS = sentence_kinds()


def played(make: type[Broker], lay: Lay, over: str) -> tuple[Seen, list[r.Body]]:
    """What a client saw that spoke to such a broker, and what was recorded. `over`: the request's way, `socket` or
    `rest` (one that has no requests on sockets asks over REST either way).
    """

    async def run() -> tuple[Seen, list[r.Body]]:
        loop = asyncio.get_running_loop()
        writer = TraceWriter(None, header(), began=loop.time())
        broker: Any
        if make is ArrowBroker:
            broker = ArrowBroker(ArrowSettings(), writer, wall_start=NOON)
        else:
            broker = TradovateBroker(Settings(), writer, wall_start=NOON)
        await broker.start()
        seen: Seen = []

        def see(what: str) -> None:
            seen.append((round(loop.time(), 3), what))

        lay(broker)
        await (_arrow if make is ArrowBroker else _tradovate)(broker, over, see)
        await broker.close()
        assert broker.script_errors == []
        return seen, writer.records

    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        return runner.run(run())


See = Callable[[str], None]


async def _connected(url: str, see: See) -> ClientConnection | None:
    try:
        return await connect(url, proxy=None, ping_interval=None, compression=None, open_timeout=PATIENCE)
    except (OSError, TimeoutError, EOFError, InvalidHandshake) as error:
        see(f"{type(error).__name__}: {error}")
        return None


async def _listen(socket: ClientConnection, see: See) -> None:
    try:
        while True:
            see(str(await socket.recv()))
    except ConnectionClosed as closed:
        see(f"closed: {closed.rcvd}")


async def _called(see: See, doing: Awaitable[Any]) -> None:
    try:
        see(json.dumps(await doing))
    except RestError as error:
        see(str(error))


async def _spoken(url: str, see: See, speak: Callable[[ClientConnection], Awaitable[None]]) -> None:
    socket = await _connected(url, see)
    if socket is None:
        return
    listening = asyncio.create_task(_listen(socket, see))
    try:
        await speak(socket)
        await asyncio.sleep(PATIENCE)
    except ConnectionClosed:
        see("nothing can be sent")
    await socket.close()
    await listening


async def _tradovate(broker: TradovateBroker, over: str, see: See) -> None:
    token = broker.issue_token().access
    order = {"accountId": broker.credentials.accounts[0], "symbol": "ESH6", "action": "Buy", "orderQty": 3}
    body = {**order, "orderType": "Market"}

    async def speak(socket: ClientConnection) -> None:
        await asyncio.sleep(0.5)
        await socket.send(f"authorize\n1\n\n{token}")
        await socket.send('user/syncrequest\n2\n\n{"entityTypes":["order","command","cashBalance"]}')
        await asyncio.sleep(0.1)
        if over == "rest":
            await _called(see, call(f"{broker.rest_url}/order/placeorder", body=body, bearer=token, within=PATIENCE))
        else:
            await socket.send(f"order/placeorder\n3\n\n{json.dumps(body)}")
        await asyncio.sleep(0.1)
        broker.market_event()

    await _spoken(broker.url, see, speak)


async def _arrow(broker: ArrowBroker, over: str, see: See) -> None:
    told = broker.client_facts("127.0.0.1", broker.port)

    async def speak(socket: ClientConnection) -> None:
        body = {"tradingSymbol": "SBIN-EQ", "quantity": 7, "price": 625.5}
        session = [("X-Session", told["SESSION"])]
        await _called(
            see,
            call(f"{told['REST_URL']}/orders", body=body, bearer=told["TOKEN"], within=PATIENCE, more_headers=session),
        )

    await _spoken(f"{told['URL']}/?session={told['SESSION']}&token={told['TOKEN']}", see, speak)
