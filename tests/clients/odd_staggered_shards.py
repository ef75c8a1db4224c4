"""Connections, lanes, tickets: three shards that open one after the other, each with its own share, tickets, retries.
Another shard's first sync is nobody's retry.
"""

import asyncio
from typing import Any

from common import Client, main

SCENARIOS = (
    "open-held",
    "token-refused",
    "answer-in-batch",
    "authorize-ticket",
    "sync-ticket",
    "sync-ticket-nested",
    "sync-ticket-long",
    "sync-captcha",
    "sync-429",
)
EXPECT: dict[str, str] = {}
OFFERS = ("shards",)
SHAPED = True
APART = 0.7  # seconds between two shards' first connections


class Shard(Client):
    def __init__(self, remainder: int) -> None:
        super().__init__()
        self.remainder = remainder

    def sync_body(self) -> dict[str, Any]:
        share = {"divisor": 3, "remainder": self.remainder, "expressionType": "modAccountId"}
        return super().sync_body() | {"shardingExpression": share}

    async def run(self) -> None:
        await asyncio.sleep(APART * self.remainder)
        await super().run()


class Odd(Client):
    async def run(self) -> None:
        await asyncio.gather(*(Shard(remainder).run() for remainder in range(3)))


if __name__ == "__main__":
    main(Odd)
