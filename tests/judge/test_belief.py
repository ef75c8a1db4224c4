"""EVT-040, EVT-060 and REC-080 from traces made by hand: what is a breach, what is none, and what cannot be said."""

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
from brokercert.judge.tradovate.events.subscribing import check_subscribes_to_what_it_relies_on
from brokercert.judge.tradovate.model.conversation import Conversation
from brokercert.judge.tradovate.reconnection.processed import check_nothing_processed_twice
from brokercert.judge.tradovate.reconnection.state import synced_anew
from brokercert.requirements import load_set
from brokercert.trace import Header
from brokercert.trace import records as r
from brokercert.verdict import Finding, Level, Verdict

LIMITS = {limit.name: limit.value for limit in load_set("tradovate-stage2").limits.values()}
S = 1_000_000


class Story:
    """Sockets that sync, events, reports: a second apart."""

    def __init__(self) -> None:
        self.records: list[r.Body] = []
        self.conn = 0

    @property
    def t(self) -> int:
        return len(self.records) * S

    def frame(self, sender: r.Side, text: str) -> None:
        self.records.append(r.Frame(t=self.t, conn=self.conn, sender=sender, ordinal=1, opcode=1, text=text))

    def sync(self, *, answered: bool = True, **body: Any) -> None:
        """A new socket, from the upgrade to its sync answer."""
        self.conn += 1
        self.records += [
            r.Accepted(t=self.t, conn=self.conn),
            r.UpgradeAnswer(t=self.t + S, conn=self.conn, status=101),
        ]
        self.frame("client", "authorize\n0\n\ntoken")
        self.frame("broker", 'a[{"s":200,"i":0}]')
        self.frame("client", f"user/syncrequest\n1\n\n{json.dumps(body)}")
        if answered:
            self.frame("broker", 'a[{"s":200,"i":1,"d":{}}]')

    def event(self, kind: str, change: str, ident: int, **more: Any) -> None:
        data = {"entityType": kind, "eventType": change, "entity": {"id": ident, **more}}
        self.frame("broker", f"a[{json.dumps({'e': 'props', 'd': data})}]")

    def lose(self) -> None:
        self.records.append(r.Ended(t=self.t, conn=self.conn, by="broker", how="fin"))

    def processed(self, **body: Any) -> None:
        self.records.append(r.SubjectReport(t=self.t, event="processed", body={"event": "processed", **body}))

    def bench(self, *declared: str, readings: dict[str, str] | None = None) -> Bench:
        talk = Conversation()
        for record in self.records:
            talk.feed(record)
        header = Header(
            format=1, tool="test", tier="virtual", clock="virtual", source="mock", set_id="tradovate-stage2",
            set_version="1", set_hash="", scenario="s", exercises=(), path="direct", exclusive=False, seed=1,
            subject="test", level="commands", offers=(), absent={}, readings=readings or {}, entity_types=declared,
            limits=LIMITS,
        )  # fmt: skip
        return Bench("X", Level.MUST, header, talk)


def verdicts(findings: Any) -> list[Verdict]:
    return [finding.verdict for finding in findings]


def only(findings: Any) -> Finding:
    (found,) = findings
    assert isinstance(found, Finding)
    return found


def test_declared_types_count_in_any_form_on_any_socket_before_a_loss_and_after_it() -> None:
    story = Story()
    story.sync(entityTypes=["Orders", "accountRiskStatuses"])
    story.sync(entityTypes=["fill"])
    assert verdicts(check_subscribes_to_what_it_relies_on(story.bench("order", "fills", "AccountRiskStatus"))) == [
        "pass"
    ]
    assert "not subscribed: position," in only(check_subscribes_to_what_it_relies_on(story.bench("position"))).observed
    story.lose()
    story.sync(entityTypes=["order"])
    before, after = check_subscribes_to_what_it_relies_on(story.bench("order", "fill"))
    assert (before.verdict, after.verdict) == (Verdict.PASS, Verdict.FAIL)
    assert "not subscribed after the loss: fill," in after.observed


def test_without_a_declaration_nothing_is_said_of_the_types_and_without_a_list_evt_030_says_it() -> None:
    story = Story()
    assert list(check_subscribes_to_what_it_relies_on(story.bench("order"))) == []
    story.sync(users=[7])
    assert verdicts(check_subscribes_to_what_it_relies_on(story.bench())) == ["not observed"]
    assert only(check_subscribes_to_what_it_relies_on(story.bench("order"))).blocked_by == "EVT-030"
    retail = story.bench("order", readings={"sync-filter": "retail"})
    assert verdicts(check_subscribes_to_what_it_relies_on(retail)) == ["pass"]


def reconnected() -> Story:
    story = Story()
    story.sync(entityTypes=["order"])
    story.event("order", "Created", 1)
    story.processed(entityType="order", id=1, eventType="Created")
    story.lose()
    story.sync(entityTypes=["order"])
    story.event("order", "Created", 2)
    story.event("order", "Updated", 2)
    story.event("order", "Updated", 2)
    return story


def report(story: Story, *lines: dict[str, Any]) -> list[Finding]:
    for line in lines:
        story.processed(**line)
    return list(check_nothing_processed_twice(story.bench()))


def about(ident: int, change: str) -> dict[str, Any]:
    return {"entityType": "Order", "id": ident, "eventType": change}


def test_an_event_may_be_reported_as_often_as_it_was_sent_and_no_more() -> None:
    updated = about(2, "Updated")
    assert verdicts(report(reconnected(), about(2, "Created"), updated, updated)) == ["pass"]
    assert verdicts(report(reconnected(), updated)) == ["pass"], "repetitions may be dropped"
    found = only(report(reconnected(), about(2, "Created"), about(2, "Created")))
    assert found.verdict is Verdict.FAIL and "order 2 created was sent once after the reconnect and" in found.observed


def test_what_was_known_before_the_reconnect_may_be_told_again_with_the_snapshot() -> None:
    assert verdicts(report(reconnected(), about(1, "Created"), about(2, "Created"))) == ["pass"]


def test_a_message_is_reported_once_by_its_numbers() -> None:
    lines = [{"connection": 2, "message": number} for number in (4, 5, 6)]
    assert verdicts(report(reconnected(), *lines)) == ["pass"]
    assert "message 5 of connection 2 was processed 2 times" in only(report(reconnected(), *lines, lines[1])).observed


def test_lines_about_entities_may_name_their_message_too_and_a_message_may_have_many() -> None:
    place = {"connection": 2, "message": 4}
    lines = [about(2, "Created") | place, about(2, "Updated") | place, about(3, "Created") | place]
    assert verdicts(report(reconnected(), *lines)) == ["pass"], (
        "an order, its command and its version come in one frame"
    )
    found = only(report(reconnected(), *lines, lines[0]))
    assert found.verdict is Verdict.FAIL and "order 2 created was sent once" in found.observed
    silent = only(report(reconnected(), about(9, "Created") | place))
    assert silent.verdict is Verdict.NOT_OBSERVED, "nothing that came after the reconnect is among them"


def test_who_reports_nothing_or_does_not_come_back_is_not_passed() -> None:
    assert verdicts(report(reconnected())) == ["not observed"]
    story = Story()
    story.sync()
    story.lose()
    assert report(story) == []


def test_two_sockets_that_live_together_are_no_reconnect() -> None:
    story = Story()
    story.sync()
    story.sync()
    assert synced_anew(story.bench()) == []


def test_a_client_that_a_repetition_ends_fails_by_it_and_one_that_leaves_a_healthy_server_does_not() -> None:
    def story(again: int, *, scripted: bool) -> Story:
        told = Story()
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
    story = Story()
    story.sync(entityTypes=["order"])
    story.event("order", "Created", 1)
    story.records.append(r.Ledger(t=story.t, name="flow", state={}))
    found = only(check_early_events_count(story.bench()))
    assert found.verdict is Verdict.NOT_OBSERVED and found.observed.startswith("no event came before the sync answer")


Tell = Callable[[Story], None]


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
        story = Story()
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
        story = Story()
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
        story = Story()
        story.sync(answered=False, entityTypes=["order", "account"])
        story.event("order", "Created", 1)
        story.frame("broker", 'a[{"s":200,"i":1,"d":{}}]')
        story.records.append(r.Ledger(t=story.t, name="flow", state={}))
        return only(check_early_events_count(story.bench(*declared))).observed

    assert observed().startswith("flow: ") and observed("order").startswith("flow: ")
    assert observed("account").startswith("no event came before the sync answer")
