"""A snapshot has a list of a type of which there is nothing, or has none: a setting, since no document says it."""

from __future__ import annotations

from typing import Any, Literal

import pytest
from brokercert_mock import Settings
from mock_bench import reply, running

pytestmark = pytest.mark.asyncio
ASKED = '{"entityTypes":["order","fill","account"]}'


@pytest.mark.parametrize("lists", ["there", "left out"])
async def test_what_is_not_there_has_an_empty_list_or_none(lists: Literal["there", "left out"]) -> None:
    async with running(Settings(snapshot_orders=0, empty_lists=lists)) as bench, bench.authorized() as ws:
        await ws.send(f"user/syncrequest\n2\n\n{ASKED}")
        told: dict[str, Any] = (await reply(ws, 2))["d"]
    assert told["accounts"] and "users" in told and "contractGroups" in told, "these two are required"
    assert [name in told for name in ("orders", "fills")] == [lists == "there"] * 2
    assert all(told.get(name, []) == [] for name in ("orders", "fills"))
