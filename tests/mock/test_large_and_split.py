"""Snapshots of a given size, and in parts: schema-true, bounded, and nothing lost (TP §5)."""

from __future__ import annotations

import random

import pytest
from brokercert_mock.tradovate import wire as frames
from brokercert_mock.tradovate.exchange.bulk import EVERYTHING, HISTORY, MOST_ENTRIES, grow
from brokercert_mock.tradovate.seed import seeded
from brokercert_mock.tradovate.settings import Settings
from brokercert_mock.tradovate.state import State
from brokercert_mock.tradovate.sync import snapshot, split, subscription_of

STAMP = "2026-01-05T14:30:00.000Z"
SIZE = 300_000  # bytes: a few hundred orders


def state() -> State:
    return seeded(random.Random(1), lambda: STAMP, STAMP)


@pytest.mark.parametrize("types", [["order", "fill"], ["account"], ["orderVersions", "commands", "users"]])
def test_a_snapshot_grows_to_its_size_whatever_is_subscribed(types: list[str]) -> None:
    found = grow(state(), subscription_of({"entityTypes": types}, Settings()), SIZE, STAMP)
    assert len(frames.pack([found])) >= SIZE
    assert max(map(len, found.values())) <= MOST_ENTRIES


@pytest.mark.parametrize("types", [["order", "fill"], ["account", "cashBalance"], ["account"], ["executionReport"], []])
def test_it_is_no_larger_than_it_was_to_be_but_for_one_entity(types: list[str]) -> None:
    """The row asks for 5 MiB, and a client may be bounded by little more. Ids grow by a digit on the way."""
    db, size = state(), 5 * 1024 * 1024
    subscription = subscription_of({"entityTypes": types}, Settings()) if types else EVERYTHING
    assert size <= len(frames.pack([grow(db, subscription, size, STAMP)])) < size + 4096


@pytest.mark.parametrize("types", [["order", "fill"], ["account", "cashBalance"], ["account"], ["executionReport"]])
def test_what_others_have_had_made_makes_it_no_larger(types: list[str]) -> None:
    """A client may bound its messages a little above what EVT-090 asks for, and may sync on several sockets."""
    db, size = state(), 5 * 1024 * 1024
    for subscription in (EVERYTHING, subscription_of({"entityTypes": types}, Settings())):
        found = grow(db, subscription, size, STAMP)
        assert size <= len(frames.pack([found])) < 1.2 * size


@pytest.mark.parametrize("left_out", ["account", "executionReport", "contract", "user"])
def test_what_all_types_have_had_made_is_filled_up_by_what_is_missing(left_out: str) -> None:
    """The broker makes a whole history before it starts, and each client subscribes to some of it."""
    db, size = state(), 5 * 1024 * 1024
    grow(db, EVERYTHING, size, STAMP)
    types = [kind for kind in ("user", "account", "contract", *HISTORY) if kind != left_out]
    found = grow(db, subscription_of({"entityTypes": types}, Settings()), size, STAMP)
    assert size <= len(frames.pack([found])) < size + 4096


def test_a_subscription_that_tells_of_nothing_that_can_be_added_is_left_as_it_is() -> None:
    found = grow(state(), subscription_of({"entityTypes": ["contract"]}, Settings()), SIZE, STAMP)
    assert len(frames.pack([found])) < SIZE


def test_history_hangs_together() -> None:
    db = state()
    grow(db, EVERYTHING, SIZE, STAMP)
    for order in db.of("order"):
        assert order["accountId"] in db.accounts and order["ordStatus"] == "Filled"
        assert len(db.of_order("orderVersion", order["id"])) == len(db.of_order("fill", order["id"])) == 1


def test_a_size_that_no_collection_allows_ends_at_the_bound() -> None:
    subscription = subscription_of({"entityTypes": ["account"]}, Settings())
    db = state()
    first = db.of("account")[0]
    for number in range(MOST_ENTRIES - 300):
        db.put("account", {"id": 1_000_000 + number, "name": first["name"]})
    found = grow(db, subscription, 1 << 40, STAMP)
    assert MOST_ENTRIES - 300 < len(found["accounts"]) <= MOST_ENTRIES


def test_parts_hold_each_entity_once_and_what_the_schema_requires() -> None:
    db = state()
    whole = snapshot(db, EVERYTHING)
    parts = split(whole, 3)
    assert all({"users", "contractGroups"} <= set(part) for part in parts)
    for name, entities in whole.items():
        assert [entity for part in parts for entity in part.get(name, [])] == entities
