"""`judge` says of a run's folder what the run said: every row, its reason, and the exit status."""

from __future__ import annotations

import hashlib
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from brokercert.cli import main
from brokercert.engine.ask.config import load_config
from brokercert.engine.client.subject import SubjectSpec
from brokercert.engine.play.grid import sampled
from brokercert.engine.play.scenario import load_suite
from brokercert.engine.run.offline import judge_traces
from brokercert.engine.run.run import RunRequest
from brokercert.matrix.subjects import REFERENCE, subject_named
from brokercert.requirements import load_set
from brokercert.verdict import EXIT_CODES, ExitCode, Outcome, RunRecord, Verdict, encode_run
from msgspec import structs
from saved_runs import SET, copied, said, saved_run, trace_in, unvouched, with_header

EXAMPLE = Path(__file__).parents[2] / "examples" / "python" / "brokercert.toml"
ROWS = load_set(SET)
CELLS = [s for s in load_suite(SET).scenarios if s.cell]
# The rows that the Python example lacks the feature for, as its own file says.
LACKING = {"LOG-050", "LOG-055", "EVT-100", "REC-070", "CON-020"}


def declared() -> SubjectSpec:
    """A client of this process that offers, and lacks, what the Python example's file declares."""
    spec = load_config(EXAMPLE).subject(ROWS, ())
    inside = subject_named(SET, REFERENCE)
    absent = {**spec.absent, "process": "it runs in the process of this test"}
    return replace(inside, offers=inside.offers & spec.offers, absent=absent, entity_types=spec.entity_types)


def part(name: str = "core", client: str = "", **more: Any) -> Callable[[Path], RunRequest]:
    """A run of `client`, a mutant; without one, of a client that declares what the Python example does."""

    def make(out: Path) -> RunRequest:
        subject = subject_named(SET, client) if client else declared()
        return RunRequest(SET, subject, out=out, tier="virtual", part=name, **more)

    return make


# What is asked -> the outcome that it must have, by the law of outcomes.
ASKED: dict[str, tuple[Callable[[Path], RunRequest], Outcome]] = {
    "core": (part(), Outcome.CERTIFIED),
    "core, a failure": (part(client="first-message-only"), Outcome.FAILED),
    # Its only fault is a SHOULD row's warning, which decides under --strict alone.
    "core, strict": (part(strict=True, client="authorizes-at-tcp-open"), Outcome.FAILED),
    "core, not strict": (part(client="authorizes-at-tcp-open"), Outcome.CERTIFIED),
    # All other rows are deselected.
    "only": (part("", only=("REC-010", "LOG-050", "LOG-090")), Outcome.INCOMPLETE),
    "core, only": (part(only=("REC-010",)), Outcome.INCOMPLETE),
}


def no_words(header: dict[str, Any]) -> None:
    """As headers were before they said what was asked for."""
    header.pop("asked", None)


@pytest.mark.long
@pytest.mark.parametrize("name", ASKED)
def test_rows_reasons_and_status_are_those_of_the_run(
    name: str, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    make, outcome = ASKED[name]
    folder, run = saved_run(make(tmp_path / "out"))
    assert run.outcome is outcome
    again = judge_traces([folder])
    assert said(again) == said(run)
    assert (again.outcome, again.sentence) == (run.outcome, run.sentence)
    assert main(["judge", str(folder)]) == EXIT_CODES[run.outcome]
    assert capfd.readouterr().out.splitlines()[-1] == run.sentence

    alone = judge_traces([copied(folder, tmp_path / "alone", record=False)])
    assert said(alone) == said(run), "the headers say all that is needed"
    assert (alone.outcome, alone.sentence) == (unvouched(run).outcome, unvouched(run).sentence)

    older = judge_traces([_older(copied(folder, tmp_path / "older"), run)])
    assert said(older) == said(run) and older.outcome is run.outcome, "and so does run.json, for older traces"


def _older(folder: Path, run: RunRecord) -> Path:
    """As a version wrote it whose headers did not say what was asked for, its record with their hashes."""
    for path in sorted((folder / "traces").glob("*.jsonl")):
        with_header(path, no_words)
    played = [
        structs.replace(one, sha256=hashlib.sha256(trace_in(folder, one.name).read_bytes()).hexdigest())
        if one.sha256
        else one
        for one in run.scenarios
    ]
    (folder / "run.json").write_bytes(encode_run(structs.replace(run, scenarios=tuple(played))))
    return folder


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, RunRecord]:
    """The whole set, of a client that lacks what the Python example lacks."""
    return saved_run(RunRequest(SET, declared(), out=tmp_path_factory.mktemp("out"), tier="virtual"))


def test_what_the_client_lacks_is_not_applicable_again_with_its_reason(
    whole: tuple[Path, RunRecord], tmp_path: Path
) -> None:
    folder, run = whole
    again = judge_traces([copied(folder, tmp_path / "alone", record=False)])
    assert said(again) == said(run)
    assert (again.outcome, again.sentence) == (unvouched(run).outcome, unvouched(run).sentence)
    absent = declared().absent
    for row in again.rows:
        if row.id in LACKING:
            need = next(need for need in row.needs if need in absent)
            assert row.verdict is Verdict.NOT_APPLICABLE and row.reason == f"{need}: {absent[need]}"
    states = {one.name: (one.state, one.fault, one.phase, one.title) for one in run.scenarios}
    assert {one.name: (one.state, one.fault, one.phase, one.title) for one in again.scenarios} == states
    assert (again.faults, again.phases) == (run.faults, run.phases), "the grid is drawn again"


def test_the_command_line_asks_for_something_else(
    whole: tuple[Path, RunRecord], capfd: pytest.CaptureFixture[str]
) -> None:
    folder, _ = whole
    core = judge_traces([folder], part="core")
    assert core.outcome is Outcome.CERTIFIED and ": certified for part core" in core.sentence
    assert {row.id for row in core.rows if row.in_part} == set(ROWS.part("core"))
    assert core.reproduce == f"brokercert judge --part core {folder}"
    one = judge_traces([folder], only=["REC-010"])
    assert [row.id for row in one.rows if row.reason != "deselected"] == ["REC-010"]
    assert main(["judge", "--only", "REC-999", str(folder)]) == ExitCode.USAGE
    assert "no such requirement" in capfd.readouterr().err
    assert main(["judge", "--part", "heart", str(folder)]) == ExitCode.USAGE
    assert "no part 'heart'" in capfd.readouterr().err


@pytest.mark.long
def test_a_run_of_a_part_can_be_judged_by_the_whole_set_and_without_strictness(tmp_path: Path) -> None:
    make, _ = ASKED["core, strict"]
    folder, _ = saved_run(make(tmp_path / "out"))
    assert judge_traces([folder], strict=False).outcome is Outcome.CERTIFIED
    every = judge_traces([folder], part="")
    assert every.part == "" and every.outcome is Outcome.FAILED, "still strict: the warning fails"
    lacking = judge_traces([folder], part="", strict=False)
    assert lacking.outcome is Outcome.INCOMPLETE and "no trace of " in lacking.sentence
    few = saved_run(ASKED["core, only"][0](tmp_path / "few"))[0]
    assert not [row for row in judge_traces([few], only=[""]).rows if row.reason == "deselected"]


def test_a_row_of_which_only_some_scenarios_were_played_is_untested_again(tmp_path: Path) -> None:
    """LOG-090 belongs to no scenario of part core alone: of those that are listed for it some are played."""
    folder, run = saved_run(ASKED["core"][0](tmp_path / "out"))
    row = next(row for row in judge_traces([folder]).rows if row.id == "LOG-090")
    played = {one.name for one in run.scenarios if one.state == "completed"}
    assert played & set(row.scenarios) and set(row.scenarios) - played
    assert row.verdict is Verdict.UNTESTED
    assert row.reason == f"not played: {', '.join(name for name in row.scenarios if name not in played)}"


def test_of_a_run_in_real_time_the_cells_that_the_seed_chose_are_owed(tmp_path: Path) -> None:
    names = tuple(s.name for s in sampled(CELLS, 3))
    request = RunRequest(
        SET, subject_named(SET, REFERENCE, 3), out=tmp_path, tier="virtual", scenarios=names, seed=3, only=("REC-110",)
    )
    folder, _ = saved_run(request)
    (folder / "run.json").unlink()  # it tells of virtual time
    for path in sorted((folder / "traces").glob("*.jsonl")):
        with_header(path, lambda header: header.update(tier="real"))
    run = judge_traces([folder])
    row = next(row for row in run.rows if row.id == "REC-110")
    assert row.verdict is Verdict.PASS and set(row.scenarios) == set(names)
    left = {one.name for one in run.scenarios if one.state == "not chosen" and one.fault}
    assert left == {s.name for s in CELLS} - set(names)
    trace_in(folder, names[0]).unlink()
    row = next(row for row in judge_traces([folder]).rows if row.id == "REC-110")
    assert (row.verdict, row.reason) == (Verdict.UNTESTED, f"not played: {names[0]}")


def test_where_one_cell_was_played_in_virtual_time_beside_a_run_all_others_were(
    whole: tuple[Path, RunRecord], tmp_path: Path
) -> None:
    """As the reference client's runs are: without a record too, no failing cell can be taken away."""
    folder = copied(whole[0], tmp_path / "copy", record=False)
    chosen = {s.name for s in sampled(CELLS, 1)}
    left = sorted({s.name for s in CELLS} - chosen)
    for path in (folder / "traces").glob("*.jsonl"):
        if path.stem not in left:
            with_header(path, lambda header: header.update(tier="real", level="commands"))
    run = judge_traces([folder])
    assert (run.tier, run.subject.level) == ("real", "commands"), "the run is the one in real time"
    row = next(row for row in run.rows if row.id == "REC-110")
    assert row.verdict is Verdict.PASS and set(row.scenarios) >= {*left, *chosen}
    trace_in(folder, left[0]).unlink()
    run = judge_traces([folder])
    row = next(row for row in run.rows if row.id == "REC-110")
    assert (row.verdict, row.reason) == (Verdict.UNTESTED, f"not played: {left[0]}")
    assert any(note.startswith(f"No trace was given of {left[0]}: ") for note in run.notes)
