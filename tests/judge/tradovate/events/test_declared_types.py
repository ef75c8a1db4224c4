"""EVT-040: a client subscribes to what it declares it relies on, and nothing is said where it declares nothing."""

from __future__ import annotations

from brokercert.judge.tradovate.events.subscribing import check_subscribes_to_what_it_relies_on
from brokercert.verdict import Verdict
from sockets import Sockets, only, verdicts


def test_declared_types_count_in_any_form_on_any_socket_before_a_loss_and_after_it() -> None:
    story = Sockets()
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
    story = Sockets()
    assert list(check_subscribes_to_what_it_relies_on(story.bench("order"))) == []
    story.sync(users=[7])
    assert verdicts(check_subscribes_to_what_it_relies_on(story.bench())) == ["not observed"]
    assert only(check_subscribes_to_what_it_relies_on(story.bench("order"))).blocked_by == "EVT-030"
    retail = story.bench("order", readings={"sync-filter": "retail"})
    assert verdicts(check_subscribes_to_what_it_relies_on(retail)) == ["pass"]
