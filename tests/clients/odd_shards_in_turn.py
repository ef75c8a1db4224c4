"""Connections, lanes, attempts: shards that open two at a time, 3 s apart, are lanes: none is another's sequel."""

import asyncio
from typing import Any

from common import Client, main

SCENARIOS = ("open-held", "authorize-unanswered", "sync-ticket-nested", "loss-fin")
SHAPED = True
EXPECT: dict[str, str] = {}
OFFERS = ("shards",)
APART = 3.0


class Shard(Client):
    remainder = 0

    def sync_body(self) -> dict[str, Any]:
        share = {"divisor": 3, "remainder": self.remainder, "expressionType": "modAccountId"}
        return super().sync_body() | {"shardingExpression": share}


class Odd(Client):
    async def run(self) -> None:
        shards = [Shard() for _ in range(3)]
        for number, shard in enumerate(shards):
            shard.remainder = number
        await asyncio.gather(*(self._later(number // 2 * APART, shard) for number, shard in enumerate(shards)))

    async def _later(self, pause: float, shard: Shard) -> None:
        await asyncio.sleep(pause)
        await shard.run()


if __name__ == "__main__":
    main(Odd)
