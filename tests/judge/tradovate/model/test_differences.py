"""What a client says that it holds against the ledger: odd but right snapshots pass, wrong ones name what is wrong."""

from __future__ import annotations

import copy
from typing import Any

import pytest
from brokercert.judge.tradovate.model.differences import COMPARED, compared_fields, same
from brokercert.trace import records as r
from brokercert.verdict import Verdict
from stories import LEDGER, TYPES, S, Story, judged, only, right


def texts(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: texts(x) for key, x in value.items()}
    if isinstance(value, list):
        return [texts(x) for x in value]
    return f"{value}" if isinstance(value, int | float) else value


def odd(change: str) -> Any:
    state: Any = right()
    match change:
        case "as it is":
            pass
        case "numbers as texts":
            state = texts(state)
            state["order"][0]["price"] = " 4500.2500 "
        case "ids as keys":
            state = {kind: {str(x["id"]): x for x in entities} for kind, entities in state.items()}
        case "ids as keys only":
            state = {kind: {str(x.pop("id")): x for x in entities} for kind, entities in state.items()}
        case "plural names in any case":
            state = {f"{kind}s".upper(): entities for kind, entities in state.items()}
        case "finished orders left out":
            del state["order"][1]
        case "finished orders kept without detail":
            state["order"][1] = {"id": 12, "ordStatus": "Filled"}
        case "flat positions left out":
            del state["position"][1]
        case "flat positions at another price":
            state["position"][1]["netPrice"] = 4499
        case "further fields and types":
            state["order"][0]["mine"] = {"deep": [1]}
            state |= {"product": [{"id": 3}], "notes": "text"}
        case "a price that is not there":
            state["order"][2]["price"] = None
        case "a price of 0 where there is none":
            state["order"][2]["price"] = 0
        case "words in small letters":
            state["order"][0] |= {"action": "buy", "ordStatus": "working"}
        case "an account twice":
            state["account"].append({"id": 1})
        case "a position twice, word for word":
            state["position"] *= 2
        case "an order in two forms that agree":
            state["order"].append(texts(state["order"][0]))
        case "a part of an order beside the whole":
            state["order"].insert(0, {"id": 11, "ordStatus": "Working"})
        case "a finished order beside its mere status":
            state["order"].append({"id": 12, "ordStatus": "Filled"})
        case "under both names":
            state |= {f"{kind}s": copy.deepcopy(entities) for kind, entities in state.items()}
    return state


@pytest.mark.parametrize(
    "change",
    [
        "as it is",
        "numbers as texts",
        "ids as keys",
        "ids as keys only",
        "plural names in any case",
        "finished orders left out",
        "finished orders kept without detail",
        "flat positions left out",
        "flat positions at another price",
        "further fields and types",
        "a price that is not there",
        "a price of 0 where there is none",
        "words in small letters",
        "an account twice",
        "a position twice, word for word",
        "an order in two forms that agree",
        "a part of an order beside the whole",
        "a finished order beside its mere status",
        "under both names",
    ],
)
def test_an_odd_but_right_snapshot_passes(change: str) -> None:
    assert only(judged(odd(change))).verdict is Verdict.PASS


@pytest.mark.parametrize(("kind", "name"), [(kind, name) for kind, names in COMPARED.items() for name in names])
def test_every_compared_field_is_compared(kind: str, name: str) -> None:
    state = right()
    held = state[kind][0]
    held[name] = "Sell" if name == "action" else "PendingCancel" if name == "ordStatus" else held[name] + 0.01
    found = only(judged(state))
    assert found.verdict is Verdict.FAIL and found.clause == f"{kind}.{name}"
    assert f"{kind} {held['id']} has {name} {held[name]} with the client" in found.observed
    assert str(LEDGER[kind][str(held["id"])][name]) in found.expected


@pytest.mark.parametrize(("kind", "name"), [("order", "ordStatus"), ("fill", "price"), ("cashBalance", "amount")])
def test_a_value_that_is_not_known_is_a_wrong_one(kind: str, name: str) -> None:
    state = right()
    state[kind][0][name] = None
    found = only(judged(state))
    assert found.verdict is Verdict.FAIL and found.clause == f"{kind}.{name}"


@pytest.mark.parametrize("kind", COMPARED)
def test_what_is_missing_and_what_is_left_over_fails(kind: str) -> None:
    missing, left = right(), right()
    gone = missing[kind].pop(0)
    left[kind].append({**left[kind][0], "id": 99})
    assert only(judged(missing)).clause == f"{kind}.presence"
    found = only(judged(left))
    assert found.clause == f"{kind}.absence" and found.expected == f"{kind} 99 is absent, as in the ledger"
    assert f"{kind} {gone['id']} is absent with the client" in only(judged(missing)).observed


def test_the_clauses_are_the_list_of_compared_fields() -> None:
    assert set(compared_fields()) >= {"order.price", "fill.qty", "account.presence", "position.absence"}
    assert len(compared_fields()) == len(set(compared_fields())) == sum(map(len, COMPARED.values())) + 10


def test_a_finished_order_that_is_alive_with_the_client_fails_as_does_another_end() -> None:
    for status in ("Working", "Canceled"):
        state = right()
        state["order"][1]["ordStatus"] = status
        assert only(judged(state)).clause == "order.ordStatus"


def test_a_fill_that_stands_twice_fails() -> None:
    state = right()
    state["fill"] *= 2
    assert "there twice" in only(judged(state)).observed


@pytest.mark.parametrize("last", [True, False], ids=["the right one last", "the right one first"])
@pytest.mark.parametrize(
    ("kind", "name", "other"),
    [("order", "ordStatus", "Filled"), ("position", "netPos", 99), ("cashBalance", "amount", 1), ("fill", "qty", 7)],
)
def test_entries_of_one_id_that_do_not_agree_are_a_wrong_belief(kind: str, name: str, other: Any, last: bool) -> None:
    """A client that appends updates instead of replacing them has two positions."""
    state = right()
    one = state[kind][0]
    state[kind].insert(0 if last else 1, one | {name: other})
    found = next(x for x in judged(state) if x.clause == f"{kind}.{name}")
    both = (other, one[name]) if last else (one[name], other)
    assert (
        found.verdict is Verdict.FAIL and f"{kind} {one['id']} has {name} {both[0]} and {both[1]} (it" in found.observed
    )


def test_an_entry_under_the_other_name_of_its_type_counts_as_well() -> None:
    state = right()
    state["positions"] = [state["position"][0] | {"netPos": 99}]
    assert only(judged(state)).clause == "position.netPos"


def test_of_many_entries_the_first_and_the_last_are_shown() -> None:
    state = right()
    state["position"] = [state["position"][0] | {"netPos": n} for n in range(5, -2, -1)] + state["position"][1:]
    assert "has netPos 5, 4 and -1 (it stands there 7 times) with the client" in only(judged(state)).observed


def test_the_finding_names_the_frame_that_carried_the_entity_last() -> None:
    story = Story()
    story.event("order", {"id": 11})
    version = story.event("orderVersion", {"id": 77, "orderId": 11})
    last = story.event("order", {"id": 11, "ordStatus": "Working"})
    story.event("order", {"id": 111})
    number = story.ledger()
    state = right()
    state["order"][0] |= {"orderQty": 3}
    state["order"][2] |= {"contractId": 6}
    story.shot(15.2, state)
    qty, contract = story.findings()
    assert f"frame #{last} carried it last" in qty.observed and set(qty.evidence) >= {number, last}
    assert "frame #6 carried it last" in contract.observed, "the answer to the sync request"
    story.records[last - 1] = r.Step(t=9 * S, text="")
    assert f"frame #{version} carried it last" in story.findings()[0].observed


def test_a_breach_says_which_entity_it_is_about() -> None:
    state: Any = right()
    state["position"][0]["netPos"] = 5
    assert only(judged(state)).about == ("position", "31")


def test_only_what_was_subscribed_is_compared() -> None:
    wrong = right()
    wrong["fill"][0]["qty"] = 5
    wrong["order"][0]["price"] = 1
    assert only(judged(wrong, types=["Orders", "position"])).verdict is Verdict.PASS
    assert "no order versions are subscribed" in only(judged(wrong, types=["order"])).observed
    assert {x.clause for x in judged(wrong, types=None, users=[3])} == {"fill.qty", "order.price"}
    assert only(judged(wrong, types=["product"])).verdict is Verdict.NOT_OBSERVED
    mine = {kind: [x for x in held if 2 not in (x.get("accountId"), x["id"])] for kind, held in right().items()}
    assert only(judged(mine, types=None, accounts=[1])).verdict is Verdict.PASS
    assert {x.clause for x in judged(mine, types=None, accounts=[1, 2])} == {
        "order.presence",
        "cashBalance.presence",
        "account.presence",
    }


def test_of_what_was_subscribed_only_what_the_client_declares_is_compared_and_it_is_said() -> None:
    wrong: dict[str, Any] = right()
    wrong["position"][0]["netPos"] = 7
    del wrong["fill"]
    declared = ("Orders", "account", "contract")  # in any form; what is not known is not compared anyway
    found = only(judged(wrong, declared))
    assert (
        found.verdict is Verdict.PASS
        and "state (order, account; not fill, position, cashBalance, which" in found.observed
    )
    assert {x.clause for x in judged(wrong, (*declared, "position"))} == {"position.netPos"}
    assert {x.clause for x in judged(wrong, (*declared, "fill")) if x.verdict is Verdict.NOT_OBSERVED} == {"fill"}
    wrong["order"][0] |= {"orderQty": 3}
    assert only(judged(wrong, declared)).clause == "order.orderQty", "of its current version, which it subscribes to"


def test_a_declaration_of_nothing_that_is_compared_shows_nothing() -> None:
    for declared, types in ((("contract",), TYPES), (("fill",), ["order"])):
        found = only(judged(right(), declared, types=types))
        assert found.verdict is Verdict.NOT_OBSERVED and "that it declares it relies on" in found.observed
    assert "declares" not in only(judged(right(), types=["product"])).observed


def test_a_type_that_no_snapshot_names_is_not_observed_and_an_empty_one_is_wrong() -> None:
    state: dict[str, Any] = right()
    del state["fill"]
    unseen, passed = judged(state)
    assert (unseen.verdict, unseen.clause, passed.verdict) == (Verdict.NOT_OBSERVED, "fill", Verdict.PASS)
    assert only(judged({**state, "fill": []})).clause == "fill.presence"


@pytest.mark.parametrize(
    ("expected", "actual"),
    [
        (4500.25, "4500.250"),
        (0.1, "0.1"),
        (3, 3.0),
        ("7", 7),
        (1e-7, "0.0000001"),
        ("Buy", "BUY"),
        (None, ""),
        (-0.0, 0),
        (0.1, "0.10000000000000001"),  # the same double
        ("123456789010.81", "123456789010.8099975586"),
    ],
)
def test_one_value_in_two_forms(expected: Any, actual: Any) -> None:
    assert same(expected, actual)


@pytest.mark.parametrize(
    ("expected", "actual"),
    [
        (0.3, 0.1 + 0.2),
        (0.1, "0.1000000000000001"),
        (0.1, "0.1001"),
        (3, None),
        (1, True),
        (0, False),
        (0, ""),
        (2**53, 2**53 + 1),
        ("Buy", ["Buy"]),
        (5, "five"),
        (None, 3),
        (5, "NaN"),
        (5, [5]),
    ],
)
def test_two_values(expected: Any, actual: Any) -> None:
    assert not same(expected, actual)


def test_whatever_is_sent_as_a_snapshot_raises_nothing() -> None:
    for entities in ({}, {"order": 3}, {"order": [None, 4, {"id": []}]}, {"order": {"x": {}, "y": 4}}, {"fill": [{}]}):
        assert all(x.verdict in (Verdict.FAIL, Verdict.NOT_OBSERVED) for x in judged(entities))
