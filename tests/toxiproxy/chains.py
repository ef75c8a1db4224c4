"""Random chains of toxics on one connection, and what each of its two sides sees: for two servers side by side."""

from __future__ import annotations

import asyncio
import random
from collections.abc import Iterator
from contextlib import suppress
from dataclasses import dataclass, field

from brokercert.toxiproxy.driver import Driver

TYPES: dict[str, dict[str, tuple[int, int]]] = {  # the attributes, each with its range
    "latency": {"latency": (0, 300)},
    "bandwidth": {"rate": (5, 50)},
    "slow_close": {"delay": (0, 300)},
    "timeout": {"timeout": (50, 300)},
    "reset_peer": {"timeout": (0, 200)},
    "slicer": {"average_size": (100, 2000)},
    "limit_data": {"bytes": (0, 2000)},
}
STREAMS = ("upstream", "downstream")
MOST = 3  # toxics of a chain
BYTES = (0, 1, 100, 1000, 3000)
ENDS = ("client shuts down", "upstream shuts down", "client resets", "upstream resets", "nobody ends")
PATIENCE = 1.5  # seconds for all of a connection: the longest chain takes 3 * 0.3 s and 3000 bytes at 5 kB/s
NEAR = 0.08  # seconds between the same end on both


Ends = tuple[asyncio.StreamReader, asyncio.StreamWriter]


@dataclass(frozen=True)
class Chain:
    """Toxics (type, stream, attributes), the bytes that each side writes at once, and who ends when."""

    name: str
    toxics: tuple[tuple[str, str, dict[str, int]], ...]
    up: int
    down: int
    end: str
    after: float  # seconds


@dataclass
class Seen:
    """By one side: how many bytes, how its stream ended, and after how long."""

    count: int = 0
    end: str = "nothing"
    at: float = 0.0

    def like(self, other: Seen) -> bool:
        """Whether both saw the same; an end as near in time as two servers on a busy machine are."""
        return (self.count, self.end) == (other.count, other.end) and (
            self.end == "nothing" or abs(self.at - other.at) < NEAR
        )


@dataclass
class Outcome:
    client: Seen = field(default_factory=Seen)
    upstream: Seen = field(default_factory=Seen)

    def like(self, other: Outcome) -> bool:
        return self.client.like(other.client) and self.upstream.like(other.upstream)


def chains(seed: int, count: int) -> Iterator[Chain]:
    """The same for the same seed. Never two latencies on one stream: the two servers differ there on purpose."""
    draw = random.Random(f"chains {seed}")
    for number in range(count):
        toxics = []
        for _ in range(draw.randint(0, MOST)):
            kind = draw.choice(sorted(TYPES))
            stream = draw.choice(STREAMS)
            values = {name: draw.randint(*bounds) for name, bounds in TYPES[kind].items()}
            if kind != "latency" or not any(toxic[:2] == (kind, stream) for toxic in toxics):
                toxics.append((kind, stream, values))
        written = draw.choice(BYTES), draw.choice(BYTES)
        yield Chain(
            f"chain-{seed}-{number}", tuple(toxics), *written, draw.choice(ENDS), draw.choice((0.05, 0.15, 0.4))
        )


async def played(driver: Driver, name: str, chain: Chain) -> Outcome:
    """What both sides of a connection see, through a new proxy of that name that has the toxics before it is made."""
    accepted: asyncio.Queue[tuple[asyncio.StreamReader, asyncio.StreamWriter]] = asyncio.Queue()
    server = await asyncio.start_server(lambda *ends: accepted.put_nowait(ends), "127.0.0.1", 0)
    proxy = None
    writers = []
    try:
        proxy = await driver.create(name, f"127.0.0.1:{server.sockets[0].getsockname()[1]}")
        for place, (kind, stream, values) in enumerate(chain.toxics):
            await proxy.add(kind, stream, values, name=f"t{place}")
        client = await asyncio.open_connection(*proxy.listen)
        writers.append(client[1])
        async with asyncio.timeout(PATIENCE):
            upstream = await accepted.get()
        writers.append(upstream[1])
        return await _used(client, upstream, chain)
    finally:
        for writer in writers:
            writer.transport.abort()
        server.close()
        if proxy is not None:
            await proxy.destroy()


async def _used(client: Ends, upstream: Ends, chain: Chain) -> Outcome:
    began = asyncio.get_running_loop().time()
    client[1].write(b"u" * chain.up)
    upstream[1].write(b"d" * chain.down)
    outcome = Outcome()
    watching = [
        asyncio.create_task(_watch(client[0], outcome.client, began)),
        asyncio.create_task(_watch(upstream[0], outcome.upstream, began)),
    ]
    await asyncio.sleep(chain.after)
    side = client[1] if chain.end.startswith("client") else upstream[1]
    if chain.end.endswith("shuts down"):
        with suppress(OSError):  # it was reset meanwhile: that is what its watcher sees
            side.write_eof()
    elif chain.end.endswith("resets"):
        side.transport.abort()
    await asyncio.wait(watching, timeout=PATIENCE)
    for one in watching:
        one.cancel()
    await asyncio.gather(*watching, return_exceptions=True)
    return outcome


async def _watch(reader: asyncio.StreamReader, seen: Seen, began: float) -> None:
    loop = asyncio.get_running_loop()
    try:
        while data := await reader.read(65536):
            seen.count += len(data)
        seen.end = "FIN"
    except ConnectionError:
        seen.end = "RST"
    seen.at = loop.time() - began
