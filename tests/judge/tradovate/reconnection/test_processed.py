"""REC-080: how often an event and a message may be reported."""

from __future__ import annotations

from typing import Any

from brokercert.judge.tradovate.reconnection.processed import check_nothing_processed_twice
from brokercert.verdict import Finding, Verdict
from sockets import Sockets, only, verdicts


def reconnected() -> Sockets:
    story = Sockets()
    story.sync(entityTypes=["order"])
    story.event("order", "Created", 1)
    story.processed(entityType="order", id=1, eventType="Created")
    story.lose()
    story.sync(entityTypes=["order"])
    story.event("order", "Created", 2)
    story.event("order", "Updated", 2)
    story.event("order", "Updated", 2)
    return story


def report(story: Sockets, *lines: dict[str, Any]) -> list[Finding]:
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
    story = Sockets()
    story.sync()
    story.lose()
    assert report(story) == []
