"""A running broker."""

from collections.abc import AsyncIterator

import pytest_asyncio
from mock_bench import Bench, running


@pytest_asyncio.fixture
async def bench() -> AsyncIterator[Bench]:
    async with running() as value:
        yield value
