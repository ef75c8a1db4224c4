"""A run in which the harness stood still or broke, live and judged again from its traces: the same in every word."""

from __future__ import annotations

import asyncio
import hashlib
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import msgspec
import pytest
from asleep import Still, played
from brokercert.engine.ask.config import Config
from brokercert.engine.client.subject import SubjectSpec
from brokercert.engine.play.play import Played, trace_name
from brokercert.engine.play.scenario import Scenario
from brokercert.engine.run import again, crew
from brokercert.engine.run.offline import judge_traces
from brokercert.engine.run.plan import NEVER_CAME
from brokercert.engine.run.run import Quiet, RunRequest, certify
from brokercert.matrix.subjects import subject_named
from brokercert.requirements import load_set
from brokercert.trace import Header, trace_of
from brokercert.trace import records as r
from brokercert.verdict import Outcome, RunRecord, ScenarioResult, Verdict, worst
from brokercert_reports.write import write_reports
from msgspec.structs import replace
from saved_runs import copied, unvouched
from silent import silent

SET = "tradovate-stage2"
ONLY = ("LOG-055", "HBT-040")
LONG = (Still(6, 12),)  # the client's watchdog runs out, and it comes back

Records = Callable[[Header, Sequence[r.Body]], Sequence[r.Body]]


def as_it_was(header: Header, records: Sequence[r.Body]) -> Sequence[r.Body]:
    return records


def broke(header: Header, records: Sequence[r.Body]) -> Sequence[r.Body]:
    """In its second playing."""
    return (
        [*records[:-1], replace(records[-1], state="harness error", note="KeyError")] if header.play == 2 else records
    )


def was_cut(header: Header, records: Sequence[r.Body]) -> Sequence[r.Body]:
    """In its second playing."""
    return [*records[:20], r.Finished(t=records[20].t, state="interrupted")] if header.play == 2 else records


def told_run(
    out: Path, monkeypatch: pytest.MonkeyPatch, client: SubjectSpec, still_in: set[int], change: Records = as_it_was
) -> tuple[Path, RunRecord]:
    """A run whose harness stood still in these playings of each scenario, and its folder."""
    monkeypatch.setattr(again, "SPARE", 3600.0)  # the first round took no time: that must not keep the next away

    async def play(scenario: Scenario, header: Header, props: Any, done: Callable[[Played], None]) -> None:
        stills = LONG if header.play in still_in else ()
        records = (await asyncio.to_thread(played, SET, client, scenario.name, stills)).records
        trace = trace_of(header, change(header, records))
        path = props.folder / "traces" / trace_name(scenario.name, header.play)
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(b"".join(msgspec.json.encode(x) + b"\n" for x in (header, *trace.records)))
        last = trace.records[-1]
        assert isinstance(last, r.Finished)
        done(
            Played(
                ScenarioResult(
                    name=scenario.name,
                    title=scenario.title,
                    path=scenario.path,
                    exclusive=scenario.exclusive,
                    state=last.state,
                    note=last.note,
                    trace=f"traces/{path.name}",
                    sha256=hashlib.sha256(path.read_bytes()).hexdigest(),
                    tier=header.tier,
                    play=header.play,
                ),
                trace,
            )
        )
        if last.state == "interrupted":
            ours.cancel()
            await asyncio.sleep(3600)

    async def whole() -> RunRecord:
        nonlocal ours
        task = ours = asyncio.current_task()  # type: ignore[assignment]
        assert task is not None
        return await certify(request, Quiet())

    ours: asyncio.Task[Any]
    monkeypatch.setattr(crew, "play", play)
    request = RunRequest(SET, Config().subject(load_set(SET), reference=True), only=ONLY, out=out)
    record = asyncio.run(whole())
    folder = out / record.run_id
    write_reports(record, folder)
    return folder, record


def said(record: RunRecord) -> dict[str, Any]:
    """All that a reader is told of the client and of the harness. What an interruption kept from being played, nobody
    can tell from traces alone.
    """
    unplayed = [x for x in record.scenarios if not x.trace]
    return {
        "rows": [(x.id, x.verdict, x.reason, x.findings, x.excerpts) for x in record.rows],
        "outcome": record.outcome,
        "sentence": record.sentence,
        "stood still": [x for x in record.notes if "stood still" in x],
        "played": [(x.name, x.play, x.state) for x in record.scenarios if x.trace],
        "start": record.start,
        "telling": record.telling,
        **({"not played": unplayed} if record.outcome is not Outcome.INTERRUPTED else {}),
    }


# The client, the playings in which the harness stood still, what else was the matter, the worst of the rows asked for.
CASES: dict[str, tuple[str, set[int], Records, Verdict]] = {
    "calm": ("reference", set(), as_it_was, Verdict.PASS),
    "once": ("reference", {1}, as_it_was, Verdict.PASS),
    "twice": ("reference", {1, 2}, as_it_was, Verdict.PASS),
    "always": ("reference", {1, 2, 3}, as_it_was, Verdict.INCONCLUSIVE),
    "once, then it broke": ("reference", {1}, broke, Verdict.INCONCLUSIVE),
    "once, then it was cut": ("reference", {1}, was_cut, Verdict.INCONCLUSIVE),
    "wrong": ("drops-the-socket-with-its-token", {1}, as_it_was, Verdict.FAIL),
}


@pytest.mark.parametrize("case", CASES)
def test_what_was_played_again_is_judged_the_same_from_its_traces(
    case: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    client, still_in, change, expected = CASES[case]
    folder, live = told_run(tmp_path, monkeypatch, subject_named(SET, client), still_in, change)
    assert worst(row.verdict for row in live.rows if row.id in ONLY) is expected, live.sentence
    assert (live.outcome is Outcome.INTERRUPTED) is (change is was_cut)
    assert said(judge_traces([folder])) == said(live)
    alone = judge_traces([copied(folder, tmp_path / "copy", record=False)])
    assert said(alone) == said(unvouched(live))
    if change is not was_cut:  # there, another scenario was to be played again and never was
        assert not any("once more" in note for note in alone.notes), "every playing that there was is there"


@pytest.mark.parametrize("leaves", [True, False], ids=["leaves", "lives"])
@pytest.mark.parametrize(("still_in", "plays"), [(set(), 1), ({1}, 2), ({1, 2, 3}, 3)])
def test_a_client_that_never_comes_is_judged_the_same_from_its_traces(
    leaves: bool, still_in: set[int], plays: int, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The preflight ends the run, or is played again where the harness stood still, up to three times."""
    monkeypatch.setattr("test_played_again.LONG", (Still(0.0, 40),))
    folder, live = told_run(tmp_path, monkeypatch, silent(leaves), still_in)
    tried = [one for one in live.scenarios if one.name == "preflight"]
    assert len(tried) == plays and live.start is not None and live.start.tries == plays
    if plays in still_in:  # no start told anything: the run went on
        assert {one.name for one in live.scenarios if one.trace} > {"preflight"}
    else:
        assert {one.name for one in live.scenarios if one.trace} == {"preflight"}
        assert NEVER_CAME in {one.note for one in live.scenarios}
    assert said(judge_traces([folder])) == said(live)
    assert said(judge_traces([copied(folder, tmp_path / "copy", record=False)])) == said(unvouched(live))


def test_what_breaks_outside_of_a_playing_is_told_of_the_second_one_too(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def raises(header: Header, records: Sequence[r.Body]) -> Sequence[r.Body]:
        if header.play == 2:
            raise KeyError("x")
        return records

    _, live = told_run(tmp_path, monkeypatch, subject_named(SET, "reference"), {1}, raises)
    states = {one.state for one in live.scenarios if one.play == 2}
    assert states == {"harness error"}


def test_no_playing_that_is_taken_away_makes_a_certificate(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """Nor a failed row right, with or without the run's record."""
    client = subject_named(SET, "drops-the-socket-with-its-token")
    folder, live = told_run(tmp_path, monkeypatch, client, {1})
    plays = sorted((folder / "traces").glob("*.jsonl"))
    assert any(one.play == 2 for one in live.scenarios)
    for number, path in enumerate(plays):
        for record in (True, False):
            copy = copied(folder, tmp_path / f"{number}{record}", record=record)
            (copy / "traces" / path.name).unlink()
            judged = judge_traces([copy])
            assert judged.outcome is not Outcome.CERTIFIED, path.name
            noted = any("once more" in note for note in judged.notes)
            assert noted is (".play2" in path.name and not record), "the last playing is gone, and no record says so"
            failed = {row.id for row in live.rows if row.verdict is Verdict.FAIL}
            assert not failed & {row.id for row in judged.rows if row.verdict is Verdict.PASS}, path.name
