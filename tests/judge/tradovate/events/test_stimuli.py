"""Which events are the stimulus of a row, and which comparisons count after it."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator
from typing import Any

import msgspec
import pytest
from brokercert.judge.tradovate.bench import Bench
from brokercert.judge.tradovate.events.stimuli import (
    check_arrays_and_deletions,
    check_early_events_count,
    check_events_applied,
    check_finished_orders_stay_finished,
    check_repetition_changes_nothing,
    check_whole_frames_processed,
)
from brokercert.trace import records as r
from brokercert.verdict import Finding, Verdict
from sockets import Sockets, only, verdicts


def test_a_client_that_a_repetition_ends_fails_by_it_and_one_that_leaves_a_healthy_server_does_not() -> None:
    def story(again: int, *, scripted: bool) -> Sockets:
        told = Sockets()
        told.sync(entityTypes=["order"])
        told.event("order", "Created", 1)
        if scripted:
            told.records.append(r.RuleApplied(t=told.t, name="event-twice", conn=1, detail=""))
        told.event("order", "Created", again)
        told.records.append(r.Ended(t=told.t, conn=1, by="client", how="fin"))
        told.records.append(r.SubjectExited(t=told.t, code=70, asked=False))
        return told

    found = only(check_repetition_changes_nothing(story(1, scripted=True).bench()))
    assert (found.verdict, found.clause) == (Verdict.FAIL, "gone") and "exited with status 70" in found.observed
    assert list(check_repetition_changes_nothing(story(1, scripted=False).bench())) == [], "LOG-060 says that"
    assert verdicts(check_repetition_changes_nothing(story(2, scripted=True).bench())) == ["not observed"]


def test_an_event_after_the_sync_answer_is_not_an_early_one() -> None:
    story = Sockets()
    story.sync(entityTypes=["order"])
    story.event("order", "Created", 1)
    story.records.append(r.Ledger(t=story.t, name="flow", state={}))
    found = only(check_early_events_count(story.bench()))
    assert found.verdict is Verdict.NOT_OBSERVED and found.observed.startswith("no event came before the sync answer")


Tell = Callable[[Sockets], None]


def event(change: str, entity: Any, kind: str = "order") -> str:
    return json.dumps({"e": "props", "d": {"entityType": kind, "eventType": change, "entity": entity}})


def frame(*events: str) -> Tell:
    return lambda story: story.frame("broker", f"a[{','.join(events)}]")


DONE = event("Updated", {"id": 1, "ordStatus": "Filled"})


WORKS = event("Updated", {"id": 1, "ordStatus": "Working"})


@pytest.mark.parametrize(
    ("judge", "told", "shown"),
    [
        (check_whole_frames_processed, [frame(*[WORKS] * 3)], False),
        (check_whole_frames_processed, [frame(*[WORKS] * 4)], True),
        (check_arrays_and_deletions, [frame(WORKS)], False),
        (check_arrays_and_deletions, [frame(event("Deleted", {"id": 1}))], True),
        (check_arrays_and_deletions, [frame(event("Updated", [{"id": 1}]))], True),
        (check_finished_orders_stay_finished, [frame(WORKS), frame(DONE)], False),
        (check_finished_orders_stay_finished, [frame(DONE), frame(event("Deleted", {"id": 1}))], False),
        (check_finished_orders_stay_finished, [frame(DONE), frame(WORKS)], True),
    ],
)
def test_a_row_is_asked_of_a_comparison_once_its_stimulus_came_before_it(
    judge: Callable[[Bench], Iterator[Finding]], told: list[Tell], shown: bool
) -> None:
    def observed(*, ledger_first: bool) -> list[str]:
        story = Sockets()
        story.sync(entityTypes=["order"])
        if ledger_first:
            story.records.append(r.Ledger(t=story.t, name="flow", state={}))
        for tell in told:
            tell(story)
        if not ledger_first:
            story.records.append(r.Ledger(t=story.t, name="flow", state={}))
        return [finding.observed for finding in judge(story.bench())]

    if shown:
        assert [text.split(":")[0] for text in observed(ledger_first=False)] == ["flow"], "the comparison is asked for"
        assert observed(ledger_first=True) == [], "one of before says nothing of it"
    else:
        assert [text.split()[0] for text in observed(ledger_first=False)] == ["no"], "no such stimulus came"


@pytest.mark.parametrize(
    ("judge", "told"),
    [
        (check_events_applied, [frame(WORKS)]),
        (check_repetition_changes_nothing, [frame(WORKS), frame(WORKS)]),
        (check_whole_frames_processed, [frame(*[WORKS] * 4)]),
        (check_arrays_and_deletions, [frame(event("Deleted", {"id": 1}))]),
        (check_finished_orders_stay_finished, [frame(DONE), frame(WORKS)]),
    ],
)
def test_events_of_types_that_the_client_does_not_rely_on_show_nothing(
    judge: Callable[[Bench], Iterator[Finding]], told: list[Tell]
) -> None:
    """Who declares accounts alone is not praised for a flow of orders, which changes no account."""

    def observed(*declared: str, kind: str = "order") -> str:
        story = Sockets()
        story.sync(entityTypes=["orders", "account", "orderVersion", "command"])
        for tell in told:
            tell(story)
        if kind != "order":
            story.records = [
                msgspec.structs.replace(x, text=str(x.text).replace('"entityType": "order"', f'"entityType": "{kind}"'))
                if isinstance(x, r.Frame)
                else x
                for x in story.records
            ]
        story.records.append(r.Ledger(t=story.t, name="flow", state={}))
        return only(judge(story.bench(*declared))).observed

    assert observed().startswith("flow: ") and observed("order").startswith("flow: ")
    assert observed("account").startswith("no ")
    assert observed("fill").startswith("the client subscribed to no entity type that is compared and that it declares")
    assert observed("account", kind="contract").startswith("no "), "nobody compares contracts"
    if judge is not check_finished_orders_stay_finished:
        assert observed("order", kind="orderVersion").startswith("flow: "), "an order's price is in its version"
        assert observed("account", kind="orderVersion").startswith("no ")


def test_an_early_event_of_what_is_not_compared_is_none() -> None:
    def observed(*declared: str) -> str:
        story = Sockets()
        story.sync(answered=False, entityTypes=["order", "account"])
        story.event("order", "Created", 1)
        story.frame("broker", 'a[{"s":200,"i":1,"d":{}}]')
        story.records.append(r.Ledger(t=story.t, name="flow", state={}))
        return only(check_early_events_count(story.bench(*declared))).observed

    assert observed().startswith("flow: ") and observed("order").startswith("flow: ")
    assert observed("account").startswith("no event came before the sync answer")
