"""The reference client passes whatever a seed brings; clients with a defect do not, and what fails becomes short."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import msgspec
import pytest
from brokercert.engine.client.subject import SubjectSpec
from brokercert.engine.errors import UsageError
from brokercert.engine.play.virtual import wall
from brokercert.reference.tradovate import ReferenceClient
from brokercert.reference.tradovate.requests import Outcome
from brokercert.sets import default_set
from brokercert.simulation.play import Played, play
from brokercert.simulation.run import OFFERS, Seed, client_named, play_recorded, play_seed, shrink_seed
from brokercert.simulation.schedule import CHECK, FLOW, MILD, ROUGH, Event, Schedule, load
from brokercert.trace import read_trace
from brokercert.trace import records as r

SET = default_set()
MINUTES = 60.0


def seed_of(client: str, number: int, minutes: float = 2.5) -> Seed:
    return Seed(SET, client, number, minutes * MINUTES)


def played(client: type[ReferenceClient], *events: Event) -> Played:
    """A client of the test's own, through these events."""

    def factory(env: Mapping[str, str], output: Callable[[str], None]) -> ReferenceClient:
        return client(env, output, wall=wall, seed=1)

    spec = SubjectSpec("odd", factory=factory, level="in process", offers=OFFERS | {"tokens"})
    return play(Schedule(seed=1, events=events), spec, SET)


@pytest.mark.parametrize("number", [2, 3, 6])
def test_the_reference_client_passes(number: int) -> None:
    done = play_seed(seed_of("reference", number, 4))
    assert done.breach is None
    assert done.checks >= 2 and done.faults > 5 and done.requests > 5


@pytest.mark.parametrize(("shards", "kinds"), [(1, FLOW), (1, MILD), (1, ROUGH), (3, ROUGH)])
def test_everything_that_can_happen_breaks_nothing(shards: int, kinds: Mapping[str, int]) -> None:
    """Each kind of event, with orders before and after it, and a check."""
    before = [Event(10, "place", n, n) for n in range(3)]
    events = [event for do in kinds for event in (*before, Event(7, do, 1, 4), Event(30, "fill"), Event(130, CHECK))]
    schedule = Schedule(seed=1, events=tuple(events), shards=shards)
    done = play(schedule, client_named(SET, "reference", 1), SET)
    assert done.breach is None
    assert done.checks == len(kinds) + 2


def test_a_seed_gives_the_same_frames_each_time() -> None:
    assert play_seed(seed_of("reference", 5)) == play_seed(seed_of("reference", 5))


@pytest.mark.parametrize(
    ("client", "invariant"),
    [
        ("syncs-twice", "one-sync"),
        ("resyncs-twice", "one-sync"),
        ("does-not-resync", "comes-back"),
        ("counts-a-repeated-fill", "state-is-ledger"),
        ("knows-only-its-snapshot", "state-is-ledger"),
        ("dies-of-a-second-creation", "alive"),
    ],
)
def test_a_defect_is_found_within_three_seeds(client: str, invariant: str) -> None:
    breaches = [play_seed(seed_of(client, number)).breach for number in (1, 2, 3)]
    assert invariant in {breach.invariant for breach in breaches if breach is not None}


@pytest.mark.parametrize(
    ("client", "invariant", "events"),
    [
        ("pipelines-the-sync", "authorized-first", [Event(0, "authorize late"), Event(500, "wait")]),
        ("takes-a-ticket-for-success", "request-once", [Event(0, "order ticket"), Event(500, "wait")]),
        ("never-reconnects", "comes-back", [Event(0, "fin")]),
        ("no-watchdog", "comes-back", [Event(0, "dead")]),
        ("a-timer-for-every-socket", "bounded", [Event(1200, "reset") for _ in range(12)]),
    ],
)
def test_a_defect_is_found_by_what_it_is_about(client: str, invariant: str, events: list[Event]) -> None:
    schedule = Schedule(seed=1, events=tuple(events))
    breach = play(schedule, client_named(SET, client, 1), SET).breach
    assert breach is not None and breach.invariant == invariant
    assert play(schedule, client_named(SET, "reference", 1), SET).breach is None


@pytest.mark.parametrize("client", ["waits-12-s-before-reconnecting", "minds-1000"])
def test_what_breaks_no_invariant_is_left_to_the_requirements(client: str) -> None:
    assert play_seed(seed_of(client, 3)).breach is None


class SendsAgain(ReferenceClient):
    """Sends what was lost with its connection once more on the next one."""

    def submit(self, endpoint: str, done: Callable[[Outcome, float], None], **more: Any) -> None:
        def again(outcome: Outcome, now: float) -> None:
            if outcome.status == 0:
                self._lost.append((endpoint, done, more))
            else:
                done(outcome, now)

        super().submit(endpoint, again, **more)

    _lost: list[Any]

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self._lost = []

    def on_event(self, kind: str, data: Any) -> None:
        super().on_event(kind, data)
        lost, self._lost = self._lost, []
        for endpoint, done, more in lost:
            ReferenceClient.submit(self, endpoint, done, **more)


def test_an_order_that_was_sent_again_after_a_loss_is_found() -> None:
    done = played(SendsAgain, Event(0, "reset after a request", 0, 0), Event(1500, "wait"))
    assert done.breach is not None and done.breach.invariant == "request-once"
    assert "came 2 times" in done.breach.text
    assert played(ReferenceClient, Event(0, "reset after a request", 0, 0), Event(1500, "wait")).breach is None


class Hoards(ReferenceClient):
    """Keeps every event, a hundred times over, so that minutes are enough."""

    kept: list[Any]

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.kept = []

    def on_event(self, kind: str, data: Any) -> None:
        super().on_event(kind, data)
        self.kept += [{"kind": [kind], "data": [data]} for _ in range(100)]


def test_a_client_that_keeps_everything_is_found() -> None:
    waits = [Event(12_000, "wait") for _ in range(4)]
    done = played(Hoards, *waits)
    assert done.breach is not None and done.breach.invariant == "bounded"
    assert "objects" in done.breach.text
    assert played(ReferenceClient, *waits).breach is None


def test_a_failing_seed_becomes_short_and_plays_again(tmp_path: Any) -> None:
    seed = seed_of("counts-a-repeated-fill", 2)
    first = play_seed(seed)
    short = shrink_seed(seed, first, tmp_path, tries=40)
    assert short.breach.invariant == "state-is-ledger"
    assert len(short.schedule.events) <= 2 < first.events
    saved = load(short.file)
    assert saved.schedule == short.schedule
    again = play(saved.schedule, client_named(saved.set, saved.client, saved.schedule.seed), saved.set)
    assert again.breach == short.breach
    trace = read_trace(short.trace)
    assert any(isinstance(record, r.RuleApplied) and record.name == "event-twice" for record in trace.records)


def test_a_recorded_simulation_is_the_same_and_holds_no_secret(tmp_path: Any) -> None:
    schedule = Schedule(seed=1, events=(Event(50, "reset"), Event(300, "place", 1, 1)))
    spec = client_named(SET, "reference", 1)
    path = tmp_path / "trace.jsonl"
    assert play_recorded(schedule, spec, SET, path) == play(schedule, spec, SET)
    trace = read_trace(path)
    assert trace.header.scenario == "simulation"
    texts = [record.text for record in trace.records if isinstance(record, r.Frame) and record.text]
    assert any("«access-token#1»" in text for text in texts)


def test_a_client_by_its_class() -> None:
    spec = client_named(SET, "brokercert.reference.tradovate:ReferenceClient", 1)
    assert play(Schedule(seed=3, events=(Event(100, "fin"),)), spec, SET).breach is None


@pytest.mark.parametrize("name", ["nobody", "no.such.module:Client", "brokercert.reference:Nobody", "json:__name__"])
def test_an_unknown_client_is_said_to_be_one(name: str) -> None:
    with pytest.raises(UsageError, match="expected reference, a mutant"):
        client_named(SET, name, 1)


def test_only_a_broker_with_an_exchange_and_a_client_of_this_process() -> None:
    with pytest.raises(UsageError, match="has no simulation"):
        play(Schedule(seed=1, events=()), client_named(SET, "reference", 1), "arrow-orders")
    with pytest.raises(UsageError, match="of this process"):
        play(Schedule(seed=1, events=()), SubjectSpec("x", command=("true",)), SET)


def test_schedules_of_other_shards_are_told_to_the_client() -> None:
    spec = client_named(SET, "reference", 1)
    one = play(Schedule(seed=1, events=()), spec, SET)
    three = play(msgspec.structs.replace(Schedule(seed=1, events=()), shards=3), spec, SET)
    assert one.breach is None and three.breach is None
    assert three.frames > 2 * one.frames
