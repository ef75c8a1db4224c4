"""When a client's state is compared with the ledger, and by which of its snapshots."""

from __future__ import annotations

from typing import Any

import pytest
from brokercert.trace import records as r
from brokercert.verdict import Verdict, worst
from stories import LEDGER, S, Story, judged, only, right


def test_it_may_become_right_until_5_s_after_the_last_event_or_the_last_sync_answer() -> None:
    story = Story()
    story.ledger()
    story.shot(10.1, {})
    story.shot(14.9, {"order": []})
    assert only(story.findings()).verdict is Verdict.NOT_OBSERVED, "the client had time still"
    story.shot(15.1, right())
    story.shot(17.2, right())
    assert only(story.findings()).verdict is Verdict.PASS
    late = Story()
    late.ledger()
    late.frame("client", "user/syncrequest\n2\n\n{}", 14 * S)
    late.frame("broker", 'a[{"s":200,"i":2,"d":{}}]', 14 * S)
    late.shot(16, {"order": []})
    assert only(late.findings()).verdict is Verdict.NOT_OBSERVED
    late.shot(19, {"order": []})
    assert {x.clause for x in late.findings()} == {"order.presence"}


def back(story: Story, conn: int, t: float, first: str = 'a[{"s":200,"i":1,"d":{}}]') -> None:
    """Another socket that syncs; `first` is the answer to that."""
    story.records += [r.Accepted(t=round(t * S), conn=conn), r.UpgradeAnswer(t=round(t * S), conn=conn, status=101)]
    for sender, text in (
        ("client", "authorize\n0\n\ntoken"),
        ("broker", 'a[{"s":200,"i":0}]'),
        ("client", "user/syncrequest\n1\n\n{}"),
        ("broker", first),
    ):
        story.records.append(r.Frame(t=round(t * S), conn=conn, sender=sender, ordinal=1, opcode=1, text=text))  # type: ignore[arg-type]


@pytest.mark.parametrize(("lost", "verdict"), [(15.1, Verdict.FAIL), (11, Verdict.NOT_OBSERVED)])
def test_only_a_loss_before_it_was_asked_gives_a_client_more_time(lost: float, verdict: Verdict) -> None:
    """It was wrong 5 s after the last event. That the scenario took its socket away later makes that no better."""
    story = Story()
    story.ledger()
    end = r.Ended(t=round(lost * S), conn=1, by="broker", how="fin")
    if lost < 15:
        story.records.append(end)
    story.shot(15, {"order": []})
    if lost > 15:
        story.records.append(end)
    back(story, 2, 18)
    assert worst(x.verdict for x in story.findings()) is verdict


@pytest.mark.parametrize("why", ["ticket", "silent"])
def test_a_socket_that_cannot_know_yet_is_no_socket_that_is_there(why: str) -> None:
    """It waits for the end of its ticket, or for a broker that says nothing: it is judged by its next sync answer."""
    story = Story()
    story.ledger()
    if why == "silent":
        story.records.append(r.Fault(t=11 * S, requested=11 * S, name="silent-dead", conn=1))
        story.shot(15, {"order": []})
        story.records.append(r.Ended(t=16 * S, conn=1, by="client", how="fin"))
        back(story, 2, 18)
    else:
        story.records.append(r.Ended(t=10 * S + 1, conn=1, by="broker", how="fin"))
        back(story, 2, 11, first='a[{"s":200,"i":1,"d":{"p-ticket":"t","p-time":8}}]')
        story.shot(17, {"order": []})
        story.frame("client", 'user/syncrequest\n2\n\n{"p-ticket":"t"}', 19 * S, conn=2)
        story.frame("broker", 'a[{"s":200,"i":2,"d":{}}]', 19 * S, conn=2)
    assert worst(x.verdict for x in story.findings()) is Verdict.NOT_OBSERVED


def test_it_must_be_right_still_2_s_later() -> None:
    story = Story()
    story.ledger()
    story.shot(10.1, right())
    assert "not asked for again" in only(story.findings()).observed
    wrong = right()
    wrong["order"][0]["ordStatus"] = "Canceled"
    story.shot(12.2, wrong)
    found = only(story.findings())
    assert found.verdict is Verdict.FAIL and "it had been equal" in found.observed


def test_two_points_of_comparison_have_their_own_snapshots() -> None:
    story = Story()
    story.ledger(name="before", state={**LEDGER, "fill": {}})
    for t in (10.1, 12.2):
        story.shot(t, {**right(), "fill": []})
    story.ledger(t=20, name="after")
    for t in (20.1, 22.2):
        story.shot(t, right())
    assert only(story.findings("before")).verdict is Verdict.PASS
    assert only(story.findings("after")).verdict is Verdict.PASS
    assert story.findings("never") == []


def test_answers_to_nothing_that_was_asked_answer_nothing() -> None:
    story = Story()
    story.ledger()
    story.ask(10, "whistle")
    story.ask(10)
    for ident in (True, "1", 1.0, None, 77, 0):
        story.say(10.1, "snapshot", id=ident, entities=right())
    assert "could not be read: `id` is 0; expected that of a command `snapshot`" in only(story.findings()).observed
    story.say(10.2, "snapshot", id=1, entities=[])
    found = only(story.findings())
    assert found.verdict is Verdict.NOT_OBSERVED
    assert "its snapshot could not be read: `entities` is []; expected an object" in found.observed
    assert "(line 7 of its output)" in found.observed


def test_an_entity_without_an_id_is_nobodys_and_is_named() -> None:
    state: Any = right()
    state["order"].append({"accountId": 1})
    found = only(judged(state))
    assert found.verdict is Verdict.NOT_OBSERVED
    assert "could not be read: `entities.order[3].id` is missing" in found.observed and "None" not in found.observed


def test_why_there_was_no_snapshot_is_said() -> None:
    story = Story()
    story.ledger()
    assert "was not asked" in only(story.findings()).observed
    whistle, asked = story.ask(10, "whistle"), story.ask(10)
    assert "sent no snapshot" in only(story.findings()).observed
    story.say(11, "unsupported", id=asked, command="snapshot")
    found = only(story.findings())
    assert found.verdict is Verdict.NOT_OBSERVED and "not believed" in found.observed
    story.say(11, "unsupported", id=whistle, command="whistle")
    assert only(story.findings()).observed.endswith("does not support snapshots")
