"""CON-040: this one tries again from two handlers of a failed connect, so that its attempts double up to a bound."""

import asyncio
import random

from common import Client, Leave, main

SCENARIOS = ("unavailable-accept",)
EXPECT: dict[str, str] = {"CON-040": "fail"}
LIMITS = {"outage": 30.0}
MOST = 60  # attempts under way or arranged: without a bound it would double until it died


class Wrong(Client):
    under_way = 1

    async def run(self) -> None:
        async with asyncio.TaskGroup() as group:

            async def attempt() -> None:
                try:
                    await self.session()
                except Leave:
                    raise
                except Exception as error:  # what a client does that has an "error" and a "close" handler
                    print(type(error).__name__, flush=True)
                Wrong.under_way -= 1
                for _ in range(2):
                    if Wrong.under_way < MOST:
                        Wrong.under_way += 1
                        group.create_task(again())

            async def again() -> None:
                await asyncio.sleep(random.uniform(0.9, 1.3))
                await attempt()

            group.create_task(attempt())


if __name__ == "__main__":
    main(Wrong)
