"""Shards: several sockets that share the accounts among them by a remainder (TP §5.1, §6)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

from brokercert.judge.check import Breach, seconds
from brokercert.judge.tradovate.bench import Bench, check
from brokercert.judge.tradovate.model.conversation import Connection, Request, value_in
from brokercert.verdict import Finding, Form

EXPRESSIONS = ("modaccountid", "moduserid")
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
    for form, text, evidence in shards.wrong:
        yield bench.breach(form, text, EXPECTED, evidence)
    if not shards.wrong:
        yield _each_once(bench, synced, shards)


def _each_once(bench: Bench, synced: list[Connection], shards: _Shards) -> Finding:
    """A pass, where the sockets were watched for long enough after the last sync request."""
    settled = max(c.syncs[0].t for c in synced)
    watched = bench.end - settled
    if watched < bench.micros("window_default"):
        return bench.short(f"watched for {seconds(watched)} after the last shard's sync only")
    divisor = next(iter(shards.divisors), 0)
    return bench.ok(Form.RESTRAINT, f"{divisor} shards, each once", [c.syncs[0].record for c in synced])


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
    """The shards in the order of their syncs, and what is wrong with them: (form, text, evidence) each."""

    wrong: list[tuple[Breach, str, list[int]]] = field(default_factory=list)
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
            self._content(sync, f"connection {c.id}: expression type {kind!r}")
        divisor, remainder = shard.get("divisor"), shard.get("remainder")
        if type(divisor) is not int or type(remainder) is not int or not 0 <= remainder < divisor:
            self._content(sync, f"connection {c.id}: remainder {remainder!r} of divisor {divisor!r}")
            return
        self.divisors[divisor] = sync.record
        self.kinds[str(kind).lower()] = sync.record
        self._take(_Shard(c, sync, remainder))

    def _look_beside(self, c: Connection, sync: Request) -> None:
        """What may not stand beside the expression."""
        both = [key for key in ("users", "accounts") if value_in(sync.body, key) is not None]
        if both:
            self._content(sync, f"connection {c.id}: `shardingExpression` together with `{both[0]}`")

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
                self.wrong.append((Form.ABSENCE, text, list(self.divisors.values())))

    def _take(self, shard: _Shard) -> None:
        """It lives from its sync on, beside those that were not lost by then."""
        self.live = [other for other in self.live if other.lives(shard.sync.t)]
        twin = next((other for other in self.live if other.remainder == shard.remainder), None)
        if twin is not None:
            text = f"remainder {shard.remainder} twice at a time"
            self.wrong.append((Form.AGAIN, text, [twin.sync.record, shard.sync.record]))
        self.live.append(shard)
        self.best = max(self.best, {other.remainder for other in self.live}, key=len)

    def _content(self, sync: Request, text: str) -> None:
        self.wrong.append((Form.CONTENT, text, [sync.record]))

    def _differ(self, what: str, values: dict[Any, int]) -> None:
        self.wrong.append((Form.CONTENT, f"different {what}: {sorted(values)}", list(values.values())))


def _shards_of(synced: list[Connection]) -> _Shards:
    """Those of these sockets, compared."""
    shards = _Shards()
    for c in sorted(synced, key=lambda c: c.syncs[0].t):
        shards.add(c)
    shards.compare()
    return shards
