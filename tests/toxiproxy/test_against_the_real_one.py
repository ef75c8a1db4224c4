"""Random chains of toxics, each on one connection, through the embedded server and through a real one beside it."""

from __future__ import annotations

import asyncio
import itertools
import os
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from brokercert.toxiproxy.choose import Chosen, choose, find_binary
from brokercert.toxiproxy.driver import Driver
from chains import Chain, Outcome, chains, played

COUNT = int(os.environ.get("CHAINS", "60"))
SEED = int(os.environ.get("CHAINS_SEED", "1"))
AT_ONCE = 6  # connections of each server: they mostly wait
TRIES = 5  # on a machine that is busy for a moment, one of the two is late
NAMES = itertools.count()


@asynccontextmanager
async def both() -> AsyncIterator[tuple[Driver, Driver]]:
    real, own = await choose(real_allowed=True), await choose(real_allowed=False)
    try:
        assert (real.kind, own.kind) == ("real", "embedded")
        yield real.driver, Driver("127.0.0.1", _port(own))
    finally:
        await real.close()
        await own.close()


def _port(own: Chosen) -> int:
    assert own.server is not None
    return own.server.port


async def differs(real: Driver, own: Driver, chain: Chain) -> tuple[Outcome, Outcome] | None:
    """What the two show where they differ every time that it is played."""
    shown = None
    for _ in range(TRIES):
        one, other = await asyncio.gather(
            *(played(driver, f"{chain.name}-{next(NAMES)}", chain) for driver in (real, own))
        )
        if one.like(other):
            return None
        shown = one, other
    return shown


@pytest.mark.asyncio
@pytest.mark.timeout(600)
@pytest.mark.skipif(
    not os.environ.get("TOXIPROXY_URL") and find_binary() is None,
    reason="no real toxiproxy-server: neither TOXIPROXY_URL nor a binary on PATH or in .tools/",
)
async def test_random_chains_show_the_same_with_both() -> None:
    places = asyncio.Semaphore(AT_ONCE)
    async with both() as (real, own):

        async def one(chain: Chain) -> tuple[Chain, tuple[Outcome, Outcome]] | None:
            async with places:
                shown = await differs(real, own, chain)
            return (chain, shown) if shown is not None else None

        async with asyncio.TaskGroup() as group:  # what one raises ends the others while both servers still answer
            tasks = [group.create_task(one(chain)) for chain in chains(SEED, COUNT)]
    assert [different for different in (task.result() for task in tasks) if different is not None] == []
