"""The preflight: one start before all, tried again where the harness stood still, told while one waits."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path

import pytest
from brokercert.engine.client.subject import SubjectSpec
from brokercert.engine.machine.standstill import StallMonitor
from brokercert.engine.play.gate import StartGate
from brokercert.engine.play.paths import Paths
from brokercert.engine.play.play import Played, Props, play
from brokercert.engine.play.scenario import load_suite
from brokercert.engine.play.virtual import CALENDAR, VirtualLoop
from brokercert.engine.run.judgements import Judgements
from brokercert.engine.run.plan import Wanted, listed, plan_of, unplayed
from brokercert.engine.run.preflight import PATIENCE, Preflight, shape_in, start_of
from brokercert.engine.run.request import RunRequest, header_of, limits_of
from brokercert.judge.plays import MOST
from brokercert.judge.shapes import is_clear
from brokercert.requirements import load_set
from brokercert.sets import own_sets
from brokercert.trace import Shape
from brokercert.trace import records as r
from brokercert.verdict import ScenarioResult
from msgspec import structs
from shaped_clients import FarApart
from silent import silent
from talks import Talk, authorize, opened, sync

WITHIN = {"tradovate-stage2": "window_first_authorize"}
WITHIN |= dict.fromkeys(("arrow-orders", "arrow-orders@2026"), "window_connect")
SECOND = 1_000_000


class Case:
    """A preflight in virtual time, in real time's words."""

    def __init__(self, set_id: str, folder: Path) -> None:
        self.rows, self.suite, self.folder = load_set(set_id), load_suite(set_id), folder
        self.remarks: list[str] = []
        self.took = 0.0

    def play(self, spec: SubjectSpec, number: int = 1) -> Played:
        scenario = self.suite.preflight
        assert scenario is not None
        request = RunRequest(self.rows.id, spec, tier="virtual", out=self.folder)
        played: list[Played] = []

        async def alone() -> None:
            loop = asyncio.get_running_loop()
            async with Paths("a-run", virtual=True) as paths:
                props = Props(
                    dialect=self.suite.dialect, spec=spec, folder=self.folder, paths=paths, gate=StartGate(),
                    stalls=StallMonitor(), limits=limits_of(self.rows), seed=1, calendar=CALENDAR,
                    remark=self.remarks.append,
                )  # fmt: skip
                header = structs.replace(header_of(scenario, request, self.rows, "a-run", None), play=number)
                await play(scenario, header, props, played.append)
            self.took = loop.time()

        with asyncio.Runner(loop_factory=VirtualLoop) as runner:
            runner.run(alone())
        return played[0]

    def silent(self, leaves: bool, *, connects: bool = False) -> Played:
        return self.play(silent(leaves, connects=connects))

    def reference(self, number: int = 1) -> Played:
        ours = self.suite.dialect.reference
        return self.play(SubjectSpec("ours", factory=ours.factory(), offers=ours.offers, level="in process"), number)


@pytest.fixture(params=own_sets())
def case(request: pytest.FixtureRequest, tmp_path: Path) -> Case:
    return Case(request.param, tmp_path)


def test_a_client_that_lives_and_never_comes_is_told_of_after_ten_seconds_and_awaited_for_the_sets_time(
    case: Case,
) -> None:
    played = case.silent(leaves=False)
    limit = case.rows.limits[WITHIN[case.rows.id]].value
    assert limit < case.took < limit + 4 and played.result.exit.endswith("(asked to stop)")
    (remark,) = case.remarks
    assert "has not connected to 127.0.0.1:" in remark and f"within {PATIENCE:g} s" in remark
    assert remark.endswith("\n  dialing the production server")


def test_one_that_connects_and_asks_for_nothing_is_not_said_not_to_have_connected(case: Case) -> None:
    case.silent(leaves=False, connects=True)
    (remark,) = case.remarks
    assert "sent no upgrade request by its connection to 127.0.0.1:" in remark and "not connected" not in remark


def test_one_that_leaves_ends_it_at_once(case: Case) -> None:
    played = case.silent(leaves=True)
    assert case.took < 5 and case.remarks == [] and played.result.exit == "exit 7 (not asked)"
    start = start_of(played.trace)
    assert start is not None and (start.connected, start.upgraded, start.tries) == (None, None, 1)


def test_a_client_that_is_well_costs_little_and_its_start_is_measured(case: Case) -> None:
    played = case.reference(number=2)
    settle = case.rows.limits["shape_settle"].value if "shape_settle" in case.rows.limits else 0.0
    assert settle <= case.took < settle + 3 and case.remarks == []
    start = start_of(played.trace)
    assert start is not None and start.tries == 2 and start.connected is not None and start.upgraded is not None
    assert 0 <= start.connected <= start.upgraded < 2
    assert not any(isinstance(x, r.Fault | r.RuleApplied) for x in played.trace.records), "nothing is wrong in it"


def numbered(played: Played, number: int, stalled: bool) -> Played:
    """As the playing of that number, in which the harness stood still from beginning to end, or not."""
    header = structs.replace(played.trace.header, play=number)
    records = list(played.trace.records)
    if stalled:
        records.insert(-1, r.Stall(t=records[-1].t, since=records[-1].t - 20 * SECOND, waited=20.0))
    trace = structs.replace(played.trace, header=header, records=records)
    return replace(played, result=structs.replace(played.result, play=number), trace=trace)


@pytest.mark.parametrize("leaves", [True, False], ids=["leaves", "lives"])
def test_a_start_in_which_the_harness_stood_still_is_tried_again_and_blames_nobody(case: Case, leaves: bool) -> None:
    gone, well = case.silent(leaves), case.reference()
    for plays, goes_on, notes in (
        ([(well, False)], True, 0),
        ([(well, True)], True, 0),
        ([(gone, False)], False, 0),
        ([(gone, True), (well, False)], True, 1),
        ([(gone, True), (gone, False)], False, 1),
        ([(gone, True)] * MOST, True, MOST),
    ):
        left = [numbered(played, number, stalled) for number, (played, stalled) in enumerate(plays, 1)]
        numbers: list[int] = []
        said: list[str] = []

        async def once(number: int, left: list[Played] = left, numbers: list[int] = numbers) -> Played:
            numbers.append(number)
            return left.pop(0)

        judged = Judgements(case.rows, case.suite.dialect.judging)
        tried = Preflight(rows=case.rows, judged=judged, play_once=once, note=said.append)
        assert asyncio.run(tried.came()) is goes_on
        assert numbers == list(range(1, len(plays) + 1)) and len(said) == notes and not left


def test_what_is_played_again_are_the_scenarios_once_each(case: Case) -> None:
    plan = plan_of(Wanted(frozenset({"wire", "stop"}), "real", 1), case.rows, case.suite)
    names = [scenario.name for scenario in plan.played]
    assert names[0] == "preflight" and len(names) == len(set(names))


def test_every_run_in_real_time_has_it_first_whatever_is_asked_for(case: Case) -> None:
    wanted = Wanted(frozenset({"wire", "stop"}), "real", 1)
    last = case.rows.rows[-1].id
    for asked in (wanted, replace(wanted, only=(last,)), replace(wanted, offers=frozenset({"wire"}))):
        plan = plan_of(asked, case.rows, case.suite)
        assert plan.preflight is case.suite.preflight and plan.names[0] == "preflight"
        assert plan.names.count("preflight") == 1
        without = replace(plan, preflight=None)
        assert case.suite.preflight is not None
        assert plan.predicted == pytest.approx(without.predicted + case.suite.preflight.lasts), "it is predicted"
    assert plan_of(replace(wanted, tier="virtual"), case.rows, case.suite).preflight is None, "nobody waits there"


def test_a_saved_run_of_before_there_was_a_preflight_is_owed_none(case: Case) -> None:
    """Its rows have the verdicts that they had: what it could not have played is not missing."""
    wanted = Wanted(frozenset({"wire", "stop"}), "real", 1, preflight=False)
    plan = plan_of(wanted, case.rows, case.suite)
    rest = unplayed(plan, {s.name for s in plan.played}, "missing")
    assert case.suite.preflight is not None
    name = case.suite.preflight.name
    assert name not in {s.name for s in plan.played}
    assert [one.note for one in rest if one.name == name] == ["its run began without one"]
    assert all(name not in names for names in listed(case.suite, rest).values())


# What it shows of the client's healthy shape.

SET = "tradovate-stage2"
TRADOVATE = load_suite(SET).dialect.judging


def start(sockets: int, *, bare: bool = False, stalled: bool = False, number: int = 1) -> Played:
    """A preflight's trace by hand: so many sockets, 0.7 s apart, each of which syncs."""
    talk = Talk(ends=12 * SECOND)
    talk.told.append(r.SubjectStarted(t=0))
    for conn in range(1, sockets + 1):
        at = 1 + conn * 0.7
        opened(talk, round(at * SECOND), conn)
        authorize(talk, at + 0.1, conn=conn, s=200)
        sync(talk, at + 0.2, conn=conn, d={})
    if bare:
        talk.told.append(r.Accepted(t=SECOND, conn=77))
        talk.end(SECOND + 1000, 77, "client")
    if stalled:
        talk.told.append(r.Stall(t=2 * SECOND, since=SECOND, waited=1.0))
    trace = talk.trace(before_all=True, play=number, scenario="preflight", exercises=("LOG-010",))
    result = ScenarioResult(name="preflight", title="", path="direct", exclusive=False, state="completed")
    return Played(result, trace)


async def learnt(*starts: Played) -> tuple[Shape | None, list[int]]:
    """What these starts show, and the numbers of the second looks that were asked for."""
    left, looks = list(starts), []

    async def once(number: int) -> Played:
        return left.pop(0)

    async def look(number: int, known: Shape) -> Played:
        looks.append(number)
        assert known.starts == 1
        return left.pop(0)

    judged = Judgements(load_set(SET), TRADOVATE)
    tried = Preflight(rows=load_set(SET), judged=judged, play_once=once, note=lambda text: None)
    assert await tried.came()
    return await tried.shape(look, TRADOVATE), looks


def test_a_client_of_one_socket_costs_one_start() -> None:
    shape, looks = asyncio.run(learnt(start(1)))
    assert shape is not None and (shape.sockets, shape.starts, looks) == (1, 1, [])


@pytest.mark.parametrize(("sockets", "bare"), [(2, False), (3, False), (1, True)])
def test_one_of_several_sockets_or_with_a_probe_is_looked_at_twice(sockets: int, bare: bool) -> None:
    shape, looks = asyncio.run(learnt(start(sockets, bare=bare), start(sockets, bare=bare, number=2)))
    assert shape is not None and (shape.sockets, shape.bare, shape.starts) == (sockets, int(bare), 2)
    assert shape.steady and looks == [2]


def test_what_changes_from_start_to_start_is_said_and_the_larger_number_counts() -> None:
    shape, _ = asyncio.run(learnt(start(2), start(3, number=2)))
    assert shape is not None and shape.sockets == 3
    assert shape.changes == ("one start opened 2 and another 3 of: authorizes with access-token and syncs",)


def test_a_second_look_in_which_the_harness_stood_still_says_nothing() -> None:
    shape, _ = asyncio.run(learnt(start(3), start(1, number=2, stalled=True)))
    assert shape is not None and (shape.sockets, shape.starts, shape.steady) == (3, 1, True)


def test_the_start_is_watched_until_nothing_new_was_opened_for_the_sets_time(tmp_path: Path) -> None:
    """A client of three sockets 3 s apart: all of them are seen, and no longer is waited than they ask for."""
    case = Case(SET, tmp_path)
    ours = case.suite.dialect.reference
    spec = SubjectSpec("shards", factory=FarApart, offers=ours.offers, level="in process")
    played = case.play(spec)
    shape = shape_in(played.trace, TRADOVATE)
    assert shape is not None and shape.sockets == 3 and not is_clear(shape)
    settle = case.rows.limits["shape_settle"].value
    assert 6 + settle <= case.took < 6 + settle + 3
