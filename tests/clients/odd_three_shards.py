"""Connections, lanes, attempts: synced sockets that live together are lanes of their own; limits count per socket."""

import asyncio
from typing import Any

from common import Client, main

SCENARIOS = ("steady", "shards", "loss-fin", "outage-closed")
SHAPED = True
EXPECT: dict[str, str] = {}
OFFERS = ("shards",)


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
        await asyncio.gather(*(shard.run() for shard in shards))


if __name__ == "__main__":
    main(Odd)
