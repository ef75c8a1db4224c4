"""Correct but odd conversations, drawn at random: what no client of ours does, and every document allows.

`odd(seed)` is the whole life of a client with one to three lanes and a broker that loses it, refuses it for a while and
asks it to wait. Its habits are drawn first, so that they hold in all its sockets; `Odd.habits` names them. Nothing in
it is a breach: the law is that no row falls.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from itertools import count
from random import Random
from typing import Any

from brokercert.judge import judge_trace
from brokercert.trace import Lane, Shape, Trace
from brokercert.trace import records as r
from brokercert.verdict import Finding
from talks import JUDGING, ROWS, S, Talk
from traces import us

ACCESS, MARKET = "access-token", "md-token"
TYPES = ["order", "fill", "position", "cashBalance", "account"]
SYMBOLS = ("ESH6", "NQH6")
READS = ("order/list", "position/list", "account/list", "cashBalance/list")
CODES = (1000, 1001, 1011, 1012)
ENDS = ("fin", "rst", "code", "shutdown", "bracket", "bracket, new before old", "silent-application", "silent-dead")
REASONS = ("Maintenance", "ConnectionQuotaReached", "IPQuotaReached")
DENIALS = ((401, "Invalid access token"), (403, "Access is denied"), (400, "Bad request"), (404, "Not found"))
# What comes of a first attempt; None: a login.
HICCUPS = (*([None] * 30), "upgrade-unanswered", "open-never", "never-answer:authorize", "refuse")


@dataclass(frozen=True)
class Lane_:
    """What a lane's sockets are for. `sync` is the body of its sync request; None: it makes none."""

    name: str
    token: str
    sync: dict[str, Any] | None = None
    symbols: tuple[str, ...] = ()
    asks: bool = True  # requests of its own, beside authorize, sync and quotes


def _bodies(rng: Random) -> dict[str, Any]:
    types = rng.sample(TYPES, len(TYPES)) + rng.sample(["command", "product", "contract"], rng.randint(0, 3))
    return {"splitResponses": True, "entityTypes": types}


def _of_accounts(rng: Random) -> dict[str, Any]:
    """One that names its accounts too, as production clients do (TP §5.1)."""
    return _bodies(rng) | ({"accounts": [rng.randrange(1 << 40)]} if rng.random() < 0.3 else {})


def _alone(rng: Random) -> list[Lane_]:
    return [Lane_("user", ACCESS, _of_accounts(rng), SYMBOLS[: rng.randint(0, 2)])]


def _market_data(rng: Random) -> list[Lane_]:
    lanes = [Lane_("user", ACCESS, _bodies(rng)), Lane_("market data", MARKET, None, SYMBOLS, asks=False)]
    return lanes if rng.random() < 0.5 else lanes[::-1]


def _orders_apart(rng: Random) -> list[Lane_]:
    lanes = [Lane_("events", ACCESS, _bodies(rng), asks=False), Lane_("orders", ACCESS)]
    return lanes if rng.random() < 0.5 else lanes[::-1]


def _shards(rng: Random) -> list[Lane_]:
    number, body = rng.choice((2, 3)), _bodies(rng)
    split = {"expressionType": "modAccountId", "divisor": number}
    shards = [
        Lane_(f"shard {n}", ACCESS, body | {"shardingExpression": split | {"remainder": n}}, SYMBOLS[: int(n == 0)])
        for n in range(number)
    ]
    rng.shuffle(shards)
    return shards


KINDS: dict[str, Callable[[Random], list[Lane_]]] = {
    "one socket": _alone,
    "a socket for market data": _market_data,
    "a socket for orders": _orders_apart,
    "shards": _shards,
}
IDS: dict[str, Callable[[Random], Callable[[int], Iterator[int]]]] = {
    "ids from 0 on each socket": lambda rng: lambda conn: count(0),
    "ids from 1000 on each socket": lambda rng: lambda conn: count(1000),
    "ids that go on over all sockets": lambda rng: (lambda one: lambda conn: one)(count(1)),
    "ids by sevens": lambda rng: lambda conn: count(7, 7),
    "ids that go down": lambda rng: lambda conn: count((1 << 31) - 1, -1),
    "ids of 53 bits": lambda rng: lambda conn: count(rng.randrange(1 << 52), 1 + rng.randrange(1000)),
    "ids by the clock": lambda rng: lambda conn: count(1_700_000_000_000 + conn * 1_000_000, 13),
    "ids at random": lambda rng: lambda conn: iter(rng.sample(range(1 << 40), 400)),
}


@dataclass
class Socket:
    """One socket of a lane; when its steps came, in µs. `until`: the client says nothing more on it."""

    conn: int
    lane: Lane_
    accepted: int
    ids: Iterator[int]
    begun: int = 0  # authorized
    ready: int = 0  # logged in, and synced where it syncs
    until: int = 0


@dataclass
class Odd(Talk):
    """A conversation, the habits of its client, and what its header says otherwise than usual."""

    habits: list[str] = field(default_factory=list)
    header: dict[str, Any] = field(default_factory=dict)

    def trace(self, **changed: Any) -> Trace:
        return super().trace(**{**self.header, **changed})

    def findings(self, **changed: Any) -> list[Finding]:
        """What the checks say, whose sentences are another test's matter: here the law is about verdicts."""
        judged = getattr(judge_trace, "__wrapped__", judge_trace)
        found: list[Finding] = judged(self.trace(**changed), ROWS, JUDGING)
        return found


@dataclass
class Client:
    """Who tells it. Each method draws what happens next."""

    rng: Random
    talk: Odd
    lanes: list[Lane_]
    number: Callable[[int], Iterator[int]]
    beat: float  # seconds
    eager: float  # the most seconds before its own steps
    conns: Iterator[int] = field(default_factory=lambda: count(1))
    tickets: Iterator[int] = field(default_factory=lambda: count(1))
    tokens: dict[str, int] = field(default_factory=lambda: {ACCESS: 1, MARKET: 1})

    def draw(self, least: float, most: float) -> int:
        return us(self.rng.uniform(least, most))

    def chance(self, share: float) -> bool:
        return self.rng.random() < share

    # One socket.

    def arrives(self, lane: Lane_, t: int) -> Socket:
        """A login; now and then the first attempt comes to nothing, by the broker's doing."""
        how = self.rng.choice(HICCUPS)
        if how is None:
            return self.opens(lane, t)
        self.habits(f"{how} of {lane.name}")
        over = self.fails(lane, t, how)
        if how == "refuse":
            over = self.renews(over + us(0.01))
        return self.opens(lane, over + self.draw(0.1, 5))

    def fails(self, lane: Lane_, t: int, how: str) -> int:
        """An attempt of which nothing comes; returns when it is over."""
        talk, conn = self.talk, next(self.conns)
        self.asks(conn, t)
        over = t + self.draw(5.2, 9.4)
        if how != "upgrade-unanswered":
            talk.told.append(r.UpgradeAnswer(t=t, conn=conn, status=101))
        rule, ident = how, next(self.number(conn))
        if how in ("never-answer:authorize", "refuse"):
            talk.frame(t + us(0.05), conn, "o")
            talk.client(t + us(0.1), conn, f"authorize\n{ident}\n\n{self.token(lane)}")
        if how == "refuse":
            status, text = self.rng.choice(DENIALS)
            talk.broker(t + us(0.15), conn, {"s": status, "i": ident, "d": text})
            over = t + us(0.15) + self.draw(0.001, 2)
            if self.tells_all:
                talk.report(over, "error", text=f"authorize was refused: {text}")
        talk.told.append(r.RuleApplied(t=t + us(0.1), name=rule, conn=conn))
        talk.end(over, conn, by="client")
        return over

    def asks(self, conn: int, t: int, asked: int | None = None) -> None:
        """A connection, and its upgrade request."""
        head = r.Head(
            t=t if asked is None else asked, conn=conn, method="GET", target="/v1/websocket", headers=(("host", "x"),),
            upgrade=True,
        )  # fmt: skip
        self.talk.told += [r.Accepted(t=t, conn=conn), head]

    def opens(self, lane: Lane_, t: int) -> Socket:
        """From the accept to the end of its login, and of its sync where it syncs."""
        talk, conn = self.talk, next(self.conns)
        socket = Socket(conn, lane, t, self.number(conn))
        asked = t + self.draw(0, 2 * self.eager)
        answered = asked + self.draw(0.001, 0.8)
        self.asks(conn, t, asked)
        talk.told.append(r.UpgradeAnswer(t=answered, conn=conn, status=101))
        opened = answered + self.draw(0, 1)
        talk.frame(opened, conn, "o")
        granted = self.request(
            socket, opened + self.draw(0.001, self.eager), "authorize", text=self.token(lane), data=None
        )
        socket.begun = socket.ready = granted
        at = granted + self.draw(0.001, self.eager)
        steps: list[Callable[[int], int]] = []
        if lane.sync is not None:
            steps.append(lambda at: self.request(socket, at, "user/syncrequest", lane.sync, most=2))
        steps += [self._subscription(socket, symbol) for symbol in lane.symbols]
        if lane.asks and self.chance(0.5):
            steps.insert(self.rng.randint(0, len(steps)), lambda at: self.request(socket, at, self.rng.choice(READS)))
        for step in steps:
            done = step(at)
            socket.ready = max(socket.ready, done)
            # Some wait for each answer, and some send all that they have.
            at = (done if self.patient else at) + self.draw(0.001, self.eager)
        return socket

    patient: bool = False  # asks one thing at a time at its login
    tells_all: bool = False  # reports, and takes requests

    def _subscription(self, socket: Socket, symbol: str) -> Callable[[int], int]:
        return lambda at: self.request(socket, at, "md/subscribequote", {"symbol": symbol})

    def token(self, lane: Lane_) -> str:
        return f"«{lane.token}#{self.tokens[lane.token]}»"

    def request(
        self,
        socket: Socket,
        t: int,
        endpoint: str,
        body: Any = None,
        *,
        query: str = "",
        text: str | None = None,
        data: Any = (),
        most: float = 1,
    ) -> int:
        """A request, answered with success after 1 ms to `most` seconds; returns when. `text`: the body as it is."""
        ident, done = next(socket.ids), t + self.draw(0.001, most)
        tail = text if text is not None else json.dumps(body) if body is not None else ""
        self.talk.client(t, socket.conn, f"{endpoint}\n{ident}\n{query}\n{tail}")
        answer: dict[str, Any] = {"s": 200, "i": ident}
        self.talk.broker(done, socket.conn, answer if data is None else answer | {"d": data or {}})
        return done

    def lives(self, socket: Socket, until: int) -> None:
        """What is said on it until then: beats on both sides, events, reads, penalties."""
        talk, conn = self.talk, socket.conn
        socket.until = until
        for t in range(socket.begun, until, us(2.5)):
            talk.frame(t, conn, "h")
        for t in self.times(socket.begun + self.draw(0.01, self.beat), until, 0.9 * self.beat, self.beat):
            talk.client(t, conn, "[]")
        for t in self.times(socket.ready + us(0.2), until - us(0.1), 1, 12):
            self.happens(socket, t, until)
        if socket.lane.sync is not None:
            self.tell(until - us(0.05), socket, 1)

    def times(self, t: int, until: int, least: float, most: float) -> Iterator[int]:
        while t < until:
            yield t
            t += self.draw(least, most)

    def happens(self, socket: Socket, t: int, until: int) -> None:
        what = self.rng.random()
        if what < 0.5 and socket.lane.sync is not None:
            self.tell(t, socket, self.rng.randint(1, 3))
        elif not socket.lane.asks:
            return
        elif what < 0.6 and self.tells_all and t + us(2) < until:
            self.asked_for(socket, t)
        elif what < 0.8 or t + us(12) > until:
            self.reads(socket, t, until)
        elif socket.conn not in self.penalized:
            self.penalized.add(socket.conn)
            self.penalty(socket, t)

    penalized: set[int] = field(default_factory=set)

    def asked_for(self, socket: Socket, t: int) -> None:
        """Requests that its user asks for, among reads of its own of the same items."""
        for _ in range(self.rng.randint(1, 3)):
            query = f"id={self.rng.randrange(1, 900)}"
            body = {"endpoint": "position/item", "query": query, "body": None, "priority": 5}
            number = self.talk.ask(t, "request", **body)
            if self.chance(0.3):
                self.request(socket, t + us(0.001), "position/item", query=f"id={self.rng.randrange(1, 900)}")
            sent = t + self.draw(0.002, 0.5)
            done = self.request(socket, sent, "position/item", query=query)
            told = {"id": number, "status": 200, "ok": True, "error": "", "data": {}}
            self.talk.report(done + self.draw(0, 0.05), "outcome", **told)
            t += self.draw(0, 0.2)

    def reads(self, socket: Socket, t: int, until: int) -> None:
        """Some requests at once, answered in any order."""
        for _ in range(self.rng.randint(1, 4)):
            t += self.draw(0, 0.02)
            if t + us(1.1) < until:
                self.request(socket, t, self.rng.choice(READS))

    def tell(self, t: int, socket: Socket, number: int) -> None:
        """Events in one frame, each processed at once."""
        events = [self.event() for _ in range(number)]
        self.talk.broker(t, socket.conn, *events)
        for one in events if self.tells_all else ():
            data = one["d"]
            t += self.draw(0.001, 0.01)
            body = {"entityType": data["entityType"], "id": data["entity"]["id"], "eventType": data["eventType"]}
            self.talk.report(t, "processed", **body)

    def event(self) -> dict[str, Any]:
        entity = {"id": self.rng.randrange(1 << 50), "accountId": 1}
        kind, change = self.rng.choice(TYPES), self.rng.choice(["Created", "Updated"])
        return {"e": "props", "d": {"entityType": kind, "eventType": change, "entity": entity}}

    def penalty(self, socket: Socket, t: int) -> None:
        """Requests to one endpoint, of which some crossed the first ticket on their way; each has its own. After the
        penalty all are sent again in any order, among others that waited; another endpoint is asked meanwhile.
        """
        endpoint, talk, conn = "order/item", self.talk, socket.conn
        queries = [f"id={n}" for n in self.rng.sample(range(1, 900), self.rng.randint(1, 5))]
        crossed, answered = self.rng.randint(1, len(queries)), t + us(0.05)
        over, tails = 0, {}
        for place, query in enumerate(queries[:crossed]):
            ident, wait, ticket = next(socket.ids), self.rng.randint(2, 5), f"«p-ticket#{next(self.tickets)}»"
            talk.client(t + place * 10_000, conn, f"{endpoint}\n{ident}\n{query}\n")
            answer = {"s": 200, "i": ident, "d": {"p-ticket": ticket, "p-time": wait}}
            talk.told.append(r.RuleApplied(t=answered, name="ticket", conn=conn, detail=f"p-time {wait}"))
            talk.broker(answered, conn, answer)
            over = max(over, answered + wait * S)
            tails[query] = json.dumps({"p-ticket": ticket})
            answered += self.draw(0.001, 0.02)
        self.request(socket, t + us(1), self.rng.choice(READS))
        self.rng.shuffle(queries)
        at = over + self.draw(0.05, 1)
        for query in queries:
            self.request(socket, at, endpoint, query=query, text=tails.get(query, ""))
            at += self.draw(0.001, 0.1)

    # Its ends, and what lies between.

    def ends(self, socket: Socket, how: str) -> int:
        """The broker ends it at `until`; returns when it is over for the client, who may notice late."""
        talk, conn, t = self.talk, socket.conn, socket.until
        if how.startswith("bracket"):
            talk.frame(t, conn, 'c[3000,"Go away!"]')
            talk.fault(t, "c[3000]", conn)
            return t
        if how.startswith("silent"):
            talk.fault(t, how, conn)
            noticed = t + self.draw(8, 12)  # the last word was up to 2.5 s before, and 15 s after it are asked for
            for at in self.times(t + self.draw(0.01, self.beat), noticed, 0.9 * self.beat, self.beat):
                talk.client(at, conn, "[]")
            talk.close(noticed, conn, "client", 4000)
            noticed += self.draw(0, 0.5)
            talk.end(noticed, conn, by="client")
            return noticed
        if how == "shutdown":
            talk.broker(t, conn, {"e": "shutdown", "d": {"reasonCode": self.rng.choice(REASONS)}})
            if self.chance(0.5):  # it leaves by itself
                self.habits("leaves at a shutdown")
                noticed = t + self.draw(0.001, 0.4)
                talk.close(noticed, conn, "client", 1000)
                talk.end(noticed, conn)
                return noticed
            t += us(0.5)
            talk.close(t, conn, "broker", 1001)
            talk.fault(t, "close-1001", conn)
            talk.end(t, conn)
            return t
        if how == "code":
            code = self.rng.choice(CODES)
            talk.close(t, conn, "broker", code)
            talk.fault(t, f"close-{code}", conn)
            noticed = t + self.draw(0, 0.5)
            talk.close(noticed, conn, "client", code)
            talk.end(noticed, conn)
            return noticed
        talk.fault(t, how, conn)
        talk.end(t, conn, how=how)
        noticed = t + self.draw(0, 3)
        if how == "fin":
            talk.end(noticed, conn, by="client")
        return t

    def leaves(self, socket: Socket, t: int, code: int = 1000) -> None:
        """The client closes it, and the broker answers."""
        self.talk.close(t, socket.conn, "client", code)
        self.talk.close(t + 1000, socket.conn, "broker", code)
        self.talk.end(t + 1000, socket.conn)

    def renews(self, t: int) -> int:
        """A token call over REST; returns when it is answered."""
        talk, conn = self.talk, next(self.conns)
        done = t + self.draw(0.01, 0.5)
        for name in self.tokens:
            self.tokens[name] += 1
        body = {
            "accessToken": f"«{ACCESS}#{self.tokens[ACCESS]}»",
            "mdAccessToken": f"«{MARKET}#{self.tokens[MARKET]}»",
        }
        path = "/v1/auth/renewaccesstoken"
        bearer = (("host", "x"), ("authorization", f"Bearer «{ACCESS}#{self.tokens[ACCESS] - 1}»"))
        talk.told += [
            r.Accepted(t=t, conn=conn),
            r.Head(t=t, conn=conn, method="GET", target=path, headers=bearer, upgrade=False),
            r.RestRequest(t=t, conn=conn, ordinal=1, method="GET", target=path),
            r.RestAnswer(t=done, conn=conn, ordinal=1, status=200, body=json.dumps(body)),
        ]
        talk.end(done, conn)
        return done

    def refused(self, t: int, waits: list[float]) -> int:
        """Attempts that are refused, each so many seconds after the one before; returns when the last has ended."""
        for wait in waits:
            t, conn = t + us(wait), next(self.conns)
            self.asks(conn, t)
            rule = r.RuleApplied(t=t, name="upgrade-refused", conn=conn, detail="503")
            self.talk.told += [rule, r.UpgradeAnswer(t=t, conn=conn, status=503)]
            self.talk.end(t, conn)
        return t

    # The whole.

    def tells(self) -> None:
        """Starts, losses and ways back, and the end."""
        stagger = self.rng.choice((0, 0.05, 0.7, 3))
        self.habits(f"sockets {stagger} s apart", f"a beat every {self.beat} s", self.patient * "asks one by one")
        start = self.draw(0.01, 2)
        places = [start + us(n * stagger) for n in range(len(self.lanes))]
        if stagger == 3:  # two at a time
            places = [start + us(n // 2 * stagger) for n in range(len(self.lanes))]
        sockets = [self.arrives(lane, t) for lane, t in zip(self.lanes, places, strict=True)]
        for _ in range(self.rng.randint(0, 3)):
            lost = max(socket.ready for socket in sockets) + self.draw(1, 70)
            sockets = self.loses(sockets, lost)
        until = max(socket.ready for socket in sockets) + self.draw(5, 80)
        if self.chance(0.3):
            self.renews(until - us(1))
        for socket in sockets:
            self.lives(socket, until)
        if self.chance(0.5):
            self.logs_off(sockets, until)
        else:
            self.talk.ends = until

    def habits(self, *names: str) -> None:
        self.talk.habits += filter(None, names)

    def loses(self, sockets: list[Socket], t: int) -> list[Socket]:
        """All of them, or one, end at `t`, all alike; the next of each."""
        how = self.rng.choice(ENDS)
        one = self.rng.choice(sockets) if self.chance(0.3) else None
        lost = [socket for socket in sockets if one in (None, socket)]
        waits = self.ladder() if one is None and not how.endswith("old") and self.chance(0.3) else []
        self.habits(f"{how} of {'all' if one is None else 'one'}", (waits and f"refused {len(waits)} times") or "")
        for socket in lost:
            self.lives(socket, t)
        overs = {socket.conn: self.ends(socket, how) for socket in lost}
        if self.chance(0.3):
            self.habits("a token renewed while away")
            overs = dict.fromkeys(overs, self.renews(max(overs.values()) + us(0.01)))
        return [
            self.comes_back(socket, how, overs[socket.conn], waits) if socket in lost else socket for socket in sockets
        ]

    def ladder(self) -> list[float]:
        """Seconds before each attempt that is refused: doubling, with jitter."""
        return [min(10, 0.5 * 2**n) * self.rng.uniform(0.6, 1) for n in range(self.rng.randint(1, 6))]

    def comes_back(self, old: Socket, how: str, over: int, waits: list[float]) -> Socket:
        if how == "bracket, new before old":
            new = self.opens(old.lane, over + self.draw(0.1, 1.5))
            self.leaves(old, new.ready + self.draw(0, 0.5))
            return new
        if how == "bracket":
            over += self.draw(0, 1)
            self.leaves(old, over, self.rng.choice((1000, 3000, 4000)))
        if waits:
            over = self.refused(over, waits)
        return self.arrives(old.lane, over + (us(min(10, 0.5 * 2 ** len(waits))) if waits else self.draw(0.11, 6)))

    def logs_off(self, sockets: list[Socket], t: int) -> None:
        """It is asked to stop, closes each socket, may hand its token back, and leaves."""
        self.habits("logs off")
        self.talk.stop(t)
        for socket in sockets:
            self.leaves(socket, t + self.draw(0.001, 0.5))
        over = self.renews(t + us(0.6)) if self.chance(0.3) else t + us(0.6)
        self.talk.exit(over + self.draw(0.01, 2), 0, asked=True)
        self.talk.ends = over + us(4)


def header_of(client: Client) -> dict[str, Any]:
    """What it offers, and what a preflight would have learnt of it; of one socket it need not have been learnt."""
    offers: tuple[str, ...] = ("wire", "tokens", "stop")
    if any(lane.name.startswith("shard") for lane in client.lanes):
        offers = (*offers, "shards")
    changed: dict[str, Any] = {"offers": offers, "level": "wire"}
    if client.tells_all:
        changed = {"offers": (*offers, "report", "request", "snapshot", "orders"), "level": "commands"}
    if len(client.lanes) > 1 or client.chance(0.5):
        changed["shape"] = Shape(
            lanes=tuple(
                Lane(
                    endpoint="/v1/websocket",
                    credential=lane.token,
                    sync=json.dumps(lane.sync, sort_keys=True, separators=(",", ":")) if lane.sync else "",
                    symbols=tuple(sorted(lane.symbols)),
                    places=(place,),
                    opened=(0,),
                    beats=True,
                )
                for place, lane in enumerate(client.lanes, 1)
            )
        )
    return changed


def odd(seed: int) -> Odd:
    """The conversation of this number."""
    rng = Random(seed)
    kind, ids = rng.choice(list(KINDS)), rng.choice(list(IDS))
    talk = Odd(habits=[kind, ids])
    talk.told.append(r.SubjectStarted(t=0))
    client = Client(
        rng,
        talk,
        KINDS[kind](rng),
        IDS[ids](rng),
        beat=rng.choice((1.1, 2.5, 4.8)),
        eager=rng.choice((0.01, 0.45, 0.9)),
    )
    client.patient = rng.random() < 0.5
    client.tells_all = rng.random() < 0.4
    talk.header = header_of(client)
    client.tells()
    talk.told.sort(key=lambda one: one.t)
    return talk
