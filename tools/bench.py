"""How fast fuzzing and cleaning are, as ratios to something bare: figures of one machine say little alone.

    python3 dev.py bench

In process: the message level's generator alone, and with the reference client's handlers behind it. Over a socket: the
same frames written to a client of ten lines that reads and forgets, and to the reference client, which reports.

Then secrets: a text of the client, in which disguises are looked for, and the same text as the broker's, in which they
are not, each beside decoding it as JSON. Exit status 1 where a target of docs/fuzzing.md or
`CLEANING` is missed.
"""

from __future__ import annotations

import asyncio
import json
import statistics
import sys
import time
from collections.abc import Awaitable, Callable
from functools import partial
from pathlib import Path
from random import Random
from string import ascii_letters, digits

from brokercert.engine.ask.config import Config
from brokercert.fuzz import inprocess, wire
from brokercert.fuzz.client import draw
from brokercert.fuzz.targets import known_targets
from brokercert.hostile import generate
from brokercert.requirements import load_set
from brokercert.trace import Labels
from brokercert_mock import TradovateBroker
from websockets.asyncio.client import connect

sys.path.insert(0, str(Path(__file__).parents[1] / "tests" / "fuzz"))
from planted import PLANTED
from test_fuzz import until_found

ROUNDS = 5
SECONDS = 2.0
CLEANING = (
    12  # times decoding, for a client's text: twice what was measured, so that a doubling fails and noise does not
)
IN_PROCESS, OVER_SOCKET, PLANTED_WITHIN = 20_000, 2_500, 10.0  # frames a second, frames a second, seconds


async def bare_mutator() -> float:
    rng = Random(1)
    began = time.perf_counter()
    for _ in range(60_000):
        generate(rng, "message")
    return 60_000 / (time.perf_counter() - began)


async def handlers() -> float:
    return (await inprocess.feed(known_targets()["client"], level="message", seconds=SECONDS, seed=1)).rate


async def bare_socket() -> float:
    """Batches of 32 and a pong, to a client in this process that reads and forgets."""
    broker = TradovateBroker()
    await broker.start()
    rng = Random(1)
    frames = [draw(rng, "message") for _ in range(32 * 40)]
    async with connect(broker.url, proxy=None, ping_interval=None, compression=None, max_size=None) as ws:

        async def read() -> None:
            async for _ in ws:
                pass

        reading = asyncio.create_task(read())
        await broker.wait(lambda b: bool(b.connections and b.connections[0].is_open), 5)
        conn = broker.connections[0]
        count, began = 0, time.perf_counter()
        while time.perf_counter() - began < SECONDS:
            start = count % len(frames)
            for frame in frames[start : start + 32]:
                conn.send_text(frame.text)
            await conn.ping(10)
            count += 32
        rate = count / (time.perf_counter() - began)
        reading.cancel()
    await broker.close()
    return rate


async def over_socket() -> float:
    spec = Config().subject(load_set("tradovate-stage2"))
    assert "report" in spec.offers
    outcome = await wire.fuzz(spec, level="message", seconds=SECONDS, seed=1)
    assert not outcome.finds, outcome.finds
    return outcome.rate


def cleaning() -> float:
    """CPU time to clean a text with twelve secrets known, as a multiple of decoding it, for three sizes. The worst of a
    client's.
    """
    worst = 0.0
    draw = Random(3)
    labels = Labels()
    for _ in range(12):
        labels.add("access-token", "".join(draw.choices(ascii_letters + digits + "-_", k=65)))
    order = {"id": 1, "price": 4512.25, "timestamp": "2026-11-29T10:00:00.000Z", "text": "working"}
    for orders in (10, 100, 10_000):
        text = json.dumps({"e": "props", "d": [order] * orders})
        times = max(1, 2_000_000 // len(text))
        ways = partial(json.loads, text), partial(labels.redact, text, parts=False), partial(labels.redact, text)
        taken: list[list[float]] = [[], [], []]
        for _ in range(ROUNDS):
            for place, way in enumerate(ways):
                began = time.process_time()
                for _ in range(times):
                    way()
                taken[place].append(time.process_time() - began)
        bare, broker, client = (statistics.median(one) / times / len(text) * 1e9 for one in taken)
        print(
            f"cleaning {len(text):9,} characters: {bare:5.1f} ns each to decode, "
            f"broker's {broker / bare:.2f} of it, client's {client / bare:.2f} of it"
        )
        worst = max(worst, client / bare)
    return worst


async def main() -> int:
    measured: dict[str, list[float]] = {}
    rounds: tuple[Callable[[], Awaitable[float]], ...] = (bare_mutator, handlers, bare_socket, over_socket)
    for _ in range(ROUNDS):  # in turns, so that a busy moment meets all of them
        for one in rounds:
            measured.setdefault(one.__name__, []).append(await one())
    middle = {name: statistics.median(rates) for name, rates in measured.items()}
    for name, rates in measured.items():
        spread = f"{min(rates):10,.0f} {middle[name]:10,.0f} {max(rates):10,.0f}"
        print(f"{name:13} {spread}  frames a second: min, median, max")
    print(f"handlers / bare mutator:      {middle['handlers'] / middle['bare_mutator']:.2f}")
    print(f"over a socket / bare socket:  {middle['over_socket'] / middle['bare_socket']:.2f}")
    cleaned = cleaning()
    late = []
    for planted in PLANTED:
        from brokercert.fuzz.client import target_of

        found = await until_found(target_of(planted.__name__, planted().on_text))
        print(f"{planted.__name__:22} {'not found' if found is None else f'{found[0] * 1000:8.1f} ms  {found[1]}'}")
        late += [] if found else [planted.__name__]
    missed = [
        *([f"in process: below {IN_PROCESS:,}/s"] if middle["handlers"] < IN_PROCESS else []),
        *([f"over a socket: below {OVER_SOCKET:,}/s"] if middle["over_socket"] < OVER_SOCKET else []),
        *([f"cleaning: above {CLEANING} times decoding"] if cleaned > CLEANING else []),
        *([f"not found in {PLANTED_WITHIN:g} s: {', '.join(late)}"] if late else []),
    ]
    print("missed: " + "; ".join(missed) if missed else "all targets met")
    return 1 if missed else 0


if __name__ == "__main__":
    sys.exit(asyncio.run(main()))
