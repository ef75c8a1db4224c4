"""OFF-010: this one ignores SIGTERM and is right in everything else; nothing of it may be left running."""

import asyncio

from common import Client, main

SCENARIOS = ("stop-open", "answer-in-batch", "loss-fin")
EXPECT: dict[str, str] = {"OFF-010": "fail"}


class Wrong(Client):
    def stop(self, work: asyncio.Task[None]) -> None:
        print("not now", flush=True)


if __name__ == "__main__":
    main(Wrong)
