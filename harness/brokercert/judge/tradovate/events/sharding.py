"""Shards: several sockets that share the accounts among them by a remainder (TP §5.1, §6)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from brokercert.judge.check import Breach
from brokercert.judge.tradovate.bench import Bench, check
from brokercert.judge.tradovate.model.conversation import Connection, Request, value_in
from brokercert.verdict import Finding, Form

EXPRESSIONS = ("modaccountid", "moduserid")
EXCLUSIONS = "exclusions"  # the clause that holds on every socket, in every scenario
EXPECTED = "each remainder once, of one divisor and one expression type"


@check("EVT-100")
def check_sharding(bench: Bench) -> Iterator[Finding]:
    """N sockets with one divisor, each remainder 0..N-1 once at a time, one expression type, never together with
    `users` or `accounts`.
    """
    synced = bench.talk.synced
    if not synced:
        return
    shards = _shards_of(synced)
    for form, text, evidence, clause in shards.wrong:
        yield bench.breach(form, text, EXPECTED, evidence, clause=clause)
    if not shards.wrong:
        yield _each_once(bench, synced, shards)


def _each_once(bench: Bench, synced: list[Connection], shards: _Shards) -> Finding:
    """A pass, where the sockets were watched for long enough after the last sync request."""
    settled = max(c.syncs[0].t for c in synced)
    watch = bench.barred(settled, bench.micros("window_default"))
    short = f"watched for {watch} after the last shard's sync only"
    divisor = next(iter(shards.divisors), 0)
    return watch.kept(f"{divisor} shards, each once", [c.syncs[0].record for c in synced], short=short)


class _Wrong(NamedTuple):
    """What is wrong. `clause`: it is wrong on any socket that syncs, whichever others there are."""

    form: Breach
    text: str
    evidence: list[int]
    clause: str = ""


@dataclass(slots=True)
class _Shard:
    """A socket with its part of the accounts."""

    conn: Connection
    sync: Request
    remainder: int

    def lives(self, t: int) -> bool:
        """Whether its socket was not lost by then."""
        return self.conn.loss is None or self.conn.loss.t > t


@dataclass(slots=True)
class _Shards:
    """The shards in the order of their syncs, and what is wrong with them."""

    wrong: list[_Wrong] = field(default_factory=list)
    divisors: dict[int, int] = field(default_factory=dict)  # divisor -> record of the last sync that has it
    kinds: dict[str, int] = field(default_factory=dict)  # expression type, likewise
    live: list[_Shard] = field(default_factory=list)
    best: set[int] = field(default_factory=set)  # the most remainders that stood at a time

    def add(self, c: Connection) -> None:
        """The next socket, by its first sync request."""
        sync = c.syncs[0]
        shard = value_in(sync.body, "shardingExpression")
        if not isinstance(shard, dict):
            self._content(sync, f"connection {c.id} synced without a `shardingExpression`")
            return
        self._look_beside(c, sync)
        kind = shard.get("expressionType")
        if not isinstance(kind, str) or kind.lower() not in EXPRESSIONS:
            self._content(sync, f"connection {c.id}: expression type {kind!r}", EXCLUSIONS)
        divisor, remainder = shard.get("divisor"), shard.get("remainder")
        if type(divisor) is not int or type(remainder) is not int or not 0 <= remainder < divisor:
            self._content(sync, f"connection {c.id}: remainder {remainder!r} of divisor {divisor!r}", EXCLUSIONS)
            return
        self.divisors[divisor] = sync.record
        self.kinds[str(kind).lower()] = sync.record
        self._take(_Shard(c, sync, remainder))

    def _look_beside(self, c: Connection, sync: Request) -> None:
        """What may not stand beside the expression."""
        both = [key for key in ("users", "accounts") if value_in(sync.body, key) is not None]
        if both:
            text = f"connection {c.id}: `shardingExpression` together with `{both[0]}`"
            self._content(sync, text, EXCLUSIONS)

    def compare(self) -> None:
        """What is wrong with all of them together."""
        if len(self.divisors) > 1:
            self._differ("divisors", self.divisors)
        if len(self.kinds) > 1:
            self._differ("expression types", self.kinds)
        if len(self.divisors) == 1 and not self.wrong:
            missing = sorted(set(range(next(iter(self.divisors)))) - self.best)
            if missing:
                text = f"no socket for remainder(s) {missing}"
                self.wrong.append(_Wrong(Form.ABSENCE, text, list(self.divisors.values())))

    def _take(self, shard: _Shard) -> None:
        """It lives from its sync on, beside those that were not lost by then."""
        self.live = [other for other in self.live if other.lives(shard.sync.t)]
        twin = next((other for other in self.live if other.remainder == shard.remainder), None)
        if twin is not None:
            text = f"remainder {shard.remainder} twice at a time"
            self.wrong.append(_Wrong(Form.AGAIN, text, [twin.sync.record, shard.sync.record]))
        self.live.append(shard)
        self.best = max(self.best, {other.remainder for other in self.live}, key=len)

    def _content(self, sync: Request, text: str, clause: str = "") -> None:
        self.wrong.append(_Wrong(Form.CONTENT, text, [sync.record], clause))

    def _differ(self, what: str, values: dict[Any, int]) -> None:
        self.wrong.append(_Wrong(Form.CONTENT, f"different {what}: {sorted(values)}", list(values.values())))


def _shards_of(synced: list[Connection]) -> _Shards:
    """Those of these sockets, compared."""
    shards = _Shards()
    for c in sorted(synced, key=lambda c: c.syncs[0].t):
        shards.add(c)
    shards.compare()
    return shards
