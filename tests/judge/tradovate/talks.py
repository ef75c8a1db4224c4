"""Conversations made by hand: a client's whole life with a healthy broker and its losses, drawn at random within the
limits. No broker and no client takes part: records alone, for properties of the checks.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from random import Random
from typing import Any, ClassVar

from brokercert.engine.play.scenario import load_dialect
from brokercert.trace import records as r
from brokercert.verdict import worst
from traces import S, Told, rows_of, upgrade

SET = "tradovate-stage2"
ROWS = rows_of(SET)
JUDGING = load_dialect(SET).judging
TYPES = ["order", "fill", "position", "cashBalance", "account"]
OLD = "«access-token#1»"  # the token that a client is given
ENDS = ("fin", "rst", "1001", "1008", "1011", "1012", "1013")


@dataclass
class Life:
    """One socket: when its steps came, in µs."""

    conn: int
    accepted: int
    token: str
    authorize: int = 0
    granted: int = 0
    sync: int = 0
    synced: int = 0
    end: int = 0  # of what is told of it
    ids: list[int] = field(default_factory=list)


@dataclass
class Talk(Told):
    """A conversation with a client of the Tradovate dialect."""

    set_id: ClassVar[str] = SET
    usual: ClassVar[dict[str, Any]] = {
        "exercises": tuple(ROWS.by_id),
        "exclusive": True,
        "offers": ("wire", "tokens"),
        "entity_types": tuple(TYPES),
    }

    lives: list[Life] = field(default_factory=list)

    def client(self, t: int, conn: int, text: str) -> None:
        self.text(t, conn, "client", text)

    def broker(self, t: int, conn: int, *messages: object) -> None:
        self.frame(t, conn, "a" + json.dumps(messages))

    def frame(self, t: int, conn: int, text: str) -> None:
        self.text(t, conn, "broker", text)

    def request(self, t: int, life: Life, endpoint: str, body: object = None, *, takes: int = 0) -> int:
        """A request that is answered with success after `takes`; returns its id."""
        ident = life.ids.pop()
        tail = body if endpoint == "authorize" else json.dumps(body) if body is not None else ""
        self.client(t, life.conn, f"{endpoint}\n{ident}\n\n{tail}")
        if takes:
            answer: dict[str, object] = {"s": 200, "i": ident}
            self.broker(t + takes, life.conn, answer if endpoint == "authorize" else answer | {"d": {}})
        return ident

    def verdict(self, row: str, **changed: Any) -> str:
        """Of one row, of a client that offers all that the row needs."""
        changed = {"offers": ("wire", "tokens", *ROWS.by_id[row].needs), **changed}
        return str(worst(self.clauses(row, **changed).values()))


def valid(seed: int, sockets: int = 2) -> Talk:
    """What a correct client and a healthy broker may say to each other, over `sockets` sockets one after the other."""
    rng = Random(seed)
    talk = Talk()
    talk.told.append(r.SubjectStarted(t=0))
    t, token = _draw(rng, 0.01, 2), 1
    for number in range(1, sockets + 1):
        life = Life(number, t, f"«access-token#{token}»")
        talk.lives.append(life)
        life.ids = rng.sample(range(1 << 40), 64)
        last = number == sockets
        _live(talk, life, rng)
        if last:
            break
        if rng.random() < 0.5:  # its token ends while it lives
            at = life.end - 22 * S
            detail = f"{life.token} «md-access-token#{token}»"
            talk.told.append(r.Fault(t=at, requested=at, name="token-expired", detail=detail))
            token += 1
        _lose(talk, life, rng.choice(ENDS))
        t = life.end + _draw(rng, 0.11, 8)
    talk.ends = talk.lives[-1].end
    return talk


def _draw(rng: Random, least: float, most: float) -> int:
    return round(rng.uniform(least, most) * S)


def _live(talk: Talk, life: Life, rng: Random) -> None:
    """From the accept to shortly before the end, which is for the caller to bring about."""
    conn, t = life.conn, life.accepted
    talk.told += [
        r.Accepted(t=t, conn=conn),
        r.Head(t=t + 1000, conn=conn, method="GET", target="/v1/websocket", headers=(("host", "x"),), upgrade=True),
        r.UpgradeAnswer(t=t + 2000, conn=conn, status=101),
    ]
    talk.frame(t + 3000, conn, "o")
    life.authorize = t + 3000 + _draw(rng, 0.001, 0.9)
    takes = _draw(rng, 0.001, 2)
    life.granted = life.authorize + takes
    talk.request(life.authorize, life, "authorize", life.token, takes=takes)
    life.sync = life.granted + _draw(rng, 0.001, 0.9)
    takes = _draw(rng, 0.001, 2)
    life.synced = life.sync + takes
    talk.request(life.sync, life, "user/syncrequest", {"splitResponses": True, "entityTypes": TYPES}, takes=takes)
    life.end = life.synced + _draw(rng, 75, 100)
    talk.request(life.synced + 20_000, life, "md/subscribequote", {"symbol": "ESH6"}, takes=5_000)
    for at in range(life.granted, life.end, 2_500_000):
        talk.frame(at, conn, "h")
    for at in range(life.granted + _draw(rng, 0.01, 2.4), life.end, _draw(rng, 2.3, 2.5)):
        talk.client(at, conn, "[]")
    for at in sorted(rng.sample(range(life.synced + 30_000, life.end), 12)):
        if rng.random() < 0.3:
            talk.request(at, life, "account/list", takes=_draw(rng, 0.001, 1))
        else:
            talk.broker(at, conn, *(_event(rng) for _ in range(rng.randint(1, 3))))
    talk.broker(life.end - S, conn, _event(rng))  # so that its end is none in a quiet time


def _event(rng: Random) -> dict[str, object]:
    entity = {"id": rng.randrange(1 << 31), "accountId": 1}
    return {
        "e": "props",
        "d": {"entityType": rng.choice(TYPES), "eventType": rng.choice(["Created", "Updated"]), "entity": entity},
    }


def _lose(talk: Talk, life: Life, how: str) -> None:
    t, conn = life.end, life.conn
    talk.told.append(r.Fault(t=t, requested=t, name=how, conn=conn))
    if how.isdigit():
        talk.told.append(r.Frame(t=t, conn=conn, sender="broker", ordinal=0, opcode=8, text="", code=int(how)))
    talk.told.append(r.Ended(t=t, conn=conn, by="broker", how="rst" if how == "rst" else "fin"))
    talk.drop(lambda x: isinstance(x, r.Frame) and x.conn == conn and x.t > t)


# By hand, step by step.


def opened(talk: Talk, t: int, conn: int, *, opens: bool = True) -> None:
    """A connection up to `o`."""
    talk.told += upgrade(t, conn)
    if opens:
        talk.frame(t, conn, "o")


def alone(until: float, *, opens: bool = True) -> Talk:
    """One connection that nothing has come of yet, watched for so many seconds."""
    talk = Talk(ends=round(until * S))
    talk.told.append(r.SubjectStarted(t=0))
    opened(talk, S, 1, opens=opens)
    return talk


def authorize(talk: Talk, at: float, *, conn: int = 1, ident: int = 0, token: str = OLD, **answer: object) -> None:
    """Sent at that second, and answered 10 ms later where `s` (and `d`) are given."""
    t = round(at * S)
    talk.client(t, conn, f"authorize\n{ident}\n\n{token}")
    if answer:
        talk.broker(t + 10_000, conn, {"i": ident, **answer})


def sync(
    talk: Talk, at: float, *, conn: int = 1, ident: int = 1, ticket: str | None = None, body: Any = None, **answer: Any
) -> None:
    """A sync request at that second, which may bring a ticket back; answered 10 ms later where `d` is given."""
    t = round(at * S)
    asked = {"splitResponses": True} | (body if body is not None else {"entityTypes": TYPES})
    asked |= {"p-ticket": ticket} if ticket else {}
    talk.client(t, conn, f"user/syncrequest\n{ident}\n\n{json.dumps(asked)}")
    if answer:
        talk.broker(t + 10_000, conn, {"s": 200, "i": ident, **answer})


def healthy(talk: Talk, until: float, since: float = 1, conn: int = 1) -> None:
    """The broker's `h`, from one second to another: of a silent broker nobody says that it was left without a cause."""
    for at in range(round(since * S), round(until * S), 5 * S // 2):
        talk.frame(at, conn, "h")


def attempts(talk: Talk, since: int, count: int, every: float, first: int = 100) -> None:
    """So many upgrades that are refused, one after the other."""
    for number in range(count):
        t, conn = since + round(number * every * S), first + number
        talk.told += upgrade(t, conn, status=503, took=1000)
        talk.end(t + 2000, conn)
