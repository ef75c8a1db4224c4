"""Whatever happens at the broker, and whenever the sockets die: what the reference client believes is the ledger."""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping

import msgspec
import pytest
from brokercert.judge.check import Bench
from brokercert.judge.state import compare_at
from brokercert.reference import ReferenceClient
from brokercert.verdict import Finding, Level, Verdict
from brokercert_scenarios.tradovate_stage2.stage import Stage
from command_stage import HEADER, LIMITS, virtually

ACTIONS = "place place modify cancel fill fill reject expire delete pause resume refuse flat".split()


def act(rng: random.Random, stage: Stage) -> bool:
    """One thing that may happen to an order. False where it cannot happen to the one that the dice chose."""
    exchange, db = stage.broker.exchange, stage.broker.db
    price = 5000 + rng.randrange(400) / 100
    live = [order["id"] for order in db.of("order") if not exchange.is_over(order["id"])] or [0]
    try:
        match rng.choice(ACTIONS):
            case "place":
                account, symbol = rng.choice(db.accounts), rng.choice(["ESH6", "NQH6"])
                exchange.place(account, symbol, rng.choice(["Buy", "Sell"]), rng.randint(1, 5), price=price)
            case "modify":
                exchange.modify(rng.choice(live), orderQty=rng.randint(3, 9), price=price)
            case "cancel":
                exchange.cancel(rng.choice(live))
            case "fill":
                exchange.fill(rng.choice(live), rng.choice([1, None]), rng.choice([None, price]))
            case "reject":
                exchange.reject(rng.choice(live))
            case "expire":
                exchange.expire(rng.choice(live))
            case "delete":
                exchange.delete("order", rng.choice([order["id"] for order in db.of("order")]))
            case "pause":
                exchange.pause()
            case "resume":
                exchange.resume()
            case "refuse":
                exchange.reject_next(verb=rng.choice(["New", "Modify", "Cancel"]))
            case "flat":
                exchange.delete("position", next(x["id"] for x in db.of("position") if not x["netPos"]))
    except (ValueError, StopIteration):
        return False
    return True


@pytest.mark.parametrize(("seed", "shards"), [(2, 1), (3, 3)])
def test_after_any_flow_and_any_loss_its_state_is_the_ledger(seed: int, shards: int) -> None:
    rng = random.Random(seed)
    findings: list[Finding] = []
    happened = 0

    class Sharded(ReferenceClient):
        def __init__(self, env: Mapping[str, str], output: Callable[[str], None]) -> None:
            super().__init__({**env, "BROKERCERT_SHARDS": str(shards)}, output)

    async def play(stage: Stage) -> None:
        nonlocal happened
        assert await stage.synced() is not None
        for name in ("one", "two", "three", "four"):
            for _ in range(40):
                happened += act(rng, stage)
                await stage.hold(rng.choice([0, 0.01]))
            if name in ("two", "four"):
                since = stage.now
                for socket in stage.sockets():
                    socket.rst()
                happened += sum(act(rng, stage) for _ in range(20))
                assert await stage.recovered(since) is not None
                await stage.hold(2 * 10)  # the other shards come back by their own ladders
            stage.broker.quiet(True)
            await stage.compare(name)
            stage.broker.quiet(False)
            bench = Bench("EVT-050", Level.MUST, msgspec.structs.replace(HEADER, limits=LIMITS), stage.talk)
            findings.extend(compare_at(bench, name))

    virtually(play, Sharded)
    assert happened > 80
    assert [(x.verdict, x.clause) for x in findings] == [(Verdict.PASS, "")] * 4
