"""The same event again changes nothing; a snapshot replaces everything; the dead stay dead."""

import copy
from typing import Any

import pytest
from brokercert.reference.tradovate.config import ENTITY_TYPES
from brokercert.reference.tradovate.store import CHANGES, TERMINAL, Store, singular
from hypothesis import given
from hypothesis import strategies as st


def props(change: str, entity: Any, kind: str = "order") -> dict[str, Any]:
    return {"entityType": kind, "eventType": change, "entity": entity}


ENTITY = st.fixed_dictionaries(
    {"id": st.integers(1, 4), "ordStatus": st.sampled_from(["Working", "PendingNew", *sorted(TERMINAL)])}
)
EVENT = st.builds(props, st.sampled_from(CHANGES), ENTITY, st.sampled_from(["order", "fill"]))


@given(st.lists(EVENT, max_size=20))
def test_every_event_may_come_twice_in_a_row(events: list[dict[str, Any]]) -> None:
    once, twice = Store(), Store()
    for event in events:
        once.apply(event)
        twice.apply(event)
        before = copy.deepcopy(twice.entities)
        assert twice.apply(copy.deepcopy(event)) == 0
        assert twice.entities == before
    assert once.entities == twice.entities


@given(st.lists(EVENT, max_size=20), st.lists(ENTITY, max_size=4))
def test_a_snapshot_replaces_whatever_was_there(events: list[dict[str, Any]], orders: list[dict[str, Any]]) -> None:
    store = Store()
    for event in events:
        store.apply(event)
    store.replace({"users": [{"id": 9}], "orders": orders})
    assert store.entities == {"user": {9: {"id": 9}}, "order": {one["id"]: one for one in orders}}


def test_created_and_updated_carry_the_whole_entity() -> None:
    store = Store()
    assert store.apply(props("Created", {"id": 1, "a": 1, "b": 2})) == 1
    assert store.apply(props("Updated", {"id": 1, "a": 3})) == 1
    assert store.entities["order"] == {1: {"id": 1, "a": 3}}
    assert store.apply(props("Updated", {"id": 2})) == 1  # an update of what was never seen is taken
    assert store.apply(props("Deleted", {"id": 1})) == 1
    assert store.entities["order"] == {2: {"id": 2}}


def test_an_entity_may_be_an_array_and_so_may_the_events_data() -> None:
    store = Store()
    assert store.apply(props("Created", [{"id": 1}, {"id": 2}])) == 2
    assert store.apply([props("Deleted", {"id": 1}), props("Created", {"id": 3})]) == 2
    assert set(store.entities["order"]) == {2, 3}


@pytest.mark.parametrize("status", sorted(TERMINAL))
def test_a_finished_order_does_not_come_back_to_life(status: str) -> None:
    store = Store()
    store.apply(props("Created", {"id": 1, "ordStatus": status}))
    assert store.apply(props("Updated", {"id": 1, "ordStatus": "Working"})) == 0
    assert store.entities["order"][1]["ordStatus"] == status
    assert store.apply(props("Updated", {"id": 1, "ordStatus": status, "text": "corrected"})) == 1
    assert store.apply(props("Deleted", {"id": 1})) == 1


def test_only_orders_have_a_life_that_ends() -> None:
    store = Store()
    store.apply(props("Created", {"id": 1, "ordStatus": "Filled"}, "executionReport"))
    assert store.apply(props("Updated", {"id": 1, "ordStatus": "Working"}, "executionReport")) == 1


@pytest.mark.parametrize(
    "data",
    [
        *(None, 1, "x", [], {}, [None], [[]]),
        props("Created", None),
        props("Created", 1),
        props("Created", [None, 1, {}]),
        props("Created", {"id": "1"}),
        props("Created", {"id": True}),
        props("Created", {"id": None}),
        props("Vanished", {"id": 2}),
        {"entityType": 5, "eventType": "Created", "entity": {"id": 2}},
        {"entityType": "order", "entity": {"id": 2}},
    ],
    ids=repr,
)
def test_what_it_cannot_read_it_leaves_alone(data: Any) -> None:
    store = Store()
    store.apply(props("Created", {"id": 1}))
    assert store.apply(data) == 0
    assert store.entities == {"order": {1: {"id": 1}}}


def test_it_is_bounded(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("brokercert.reference.tradovate.store.MOST_ENTITIES", 3)
    store = Store()
    assert store.apply(props("Created", [{"id": n} for n in range(10)])) == 3
    assert store.apply(props("Updated", {"id": 2, "new": 1})) == 1  # what is held is still kept up to date


@pytest.mark.parametrize(
    ("plural", "kind"),
    [
        ("orders", "order"),
        ("properties", "property"),
        ("currencies", "currency"),
        ("contractMaturities", "contractMaturity"),
        ("orderStrategies", "orderStrategy"),
        ("accountRiskStatuses", "accountRiskStatus"),
        ("userReadStatuses", "userReadStatus"),
        ("cashBalances", "cashBalance"),
        ("exchanges", "exchange"),
        ("fillFees", "fillFee"),
    ],
)
def test_collections_are_filed_under_the_name_that_events_use(plural: str, kind: str) -> None:
    assert singular(plural) == kind


def test_the_types_asked_for_are_singular_and_each_stands_once() -> None:
    assert len(set(ENTITY_TYPES)) == len(ENTITY_TYPES)
    assert all(kind == "accountRiskStatus" or singular(kind) == kind for kind in ENTITY_TYPES)
