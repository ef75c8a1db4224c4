"""A folder of traces is not believed: missing, mixed, altered and strange ones never make a certificate."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest
from brokercert.cli import main
from brokercert.engine.errors import UsageError
from brokercert.engine.run.offline import judge_traces
from brokercert.engine.run.run import RunRequest
from brokercert.matrix.subjects import REFERENCE, subject_named
from brokercert.verdict import ExitCode, Outcome, RunRecord, Verdict
from saved_runs import (
    SET,
    as_before_manifests,
    as_in_real_time,
    copied,
    forged,
    saved_run,
    trace_in,
    with_header,
)

UNVOUCHED = "they are judged as they are, and nothing vouches for them"


@pytest.fixture(scope="module")
def core(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run that is certified for part core."""
    out = tmp_path_factory.mktemp("core")
    folder, run = saved_run(RunRequest(SET, subject_named(SET, REFERENCE), out=out, tier="virtual", part="core"))
    assert run.outcome is Outcome.CERTIFIED
    return folder


@pytest.fixture(scope="module")
def few(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A short run of another client."""
    out = tmp_path_factory.mktemp("few")
    subject = subject_named(SET, "waits-12-s-before-reconnecting")
    return saved_run(RunRequest(SET, subject, out=out, tier="virtual", only=("REC-010",)))[0]


def row_of(run: RunRecord, row: str) -> tuple[Verdict, str]:
    return next((one.verdict, one.reason) for one in run.rows if one.id == row)


# Missing.


@pytest.mark.parametrize("record", [True, False], ids=["with run.json", "without"])
def test_a_trace_that_is_missing_leaves_its_rows_untested(core: Path, tmp_path: Path, record: bool) -> None:
    folder = copied(core, tmp_path / "copy", record=record)
    trace_in(folder, "loss-rst").unlink()
    run = judge_traces([folder])
    assert row_of(run, "REC-010") == (Verdict.UNTESTED, "not played: loss-rst")
    assert run.outcome is Outcome.INCOMPLETE and run.sentence.endswith("; no trace of loss-rst")
    assert "No trace was given of loss-rst: the rows that each is listed for are untested." in run.notes
    gone = next(one for one in run.scenarios if one.name == "loss-rst")
    assert (gone.state, gone.note, gone.sha256) == ("not run", "no trace of it was given", "")
    assert main(["judge", str(folder)]) == ExitCode.INCOMPLETE


def test_a_failure_is_not_mended_by_taking_its_trace_away(few: Path, tmp_path: Path) -> None:
    folder = copied(few, tmp_path / "copy", record=False)
    traces = sorted((folder / "traces").glob("*.jsonl"))
    assert judge_traces([folder]).outcome is Outcome.FAILED
    for path in traces[1:]:
        path.unlink()
        assert judge_traces([folder]).outcome is not Outcome.CERTIFIED
    assert judge_traces(traces[:1]).outcome is Outcome.FAILED, "what is left of it still fails"


def test_half_of_the_traces_are_no_certificate(core: Path, tmp_path: Path) -> None:
    folder = copied(core, tmp_path / "copy", record=False)
    traces = sorted((folder / "traces").glob("*.jsonl"))
    for path in traces[::2]:
        path.unlink()
    run = judge_traces([folder])
    assert run.outcome is Outcome.INCOMPLETE
    assert {one.name for one in run.scenarios if one.state == "not run"} == {path.stem for path in traces[::2]}


def test_a_missing_trace_decides_where_no_must_row_is_left_open_by_it(tmp_path: Path) -> None:
    """`open-held` is played for LOG-025, a SHOULD row, alone: its warning fails under --strict. Without it no MUST row
    is untested, and there would be no warning any more.
    """
    subject = subject_named(SET, "authorizes-at-tcp-open")
    folder, live = saved_run(RunRequest(SET, subject, out=tmp_path, tier="virtual", part="core", strict=True))
    assert live.outcome is Outcome.FAILED and live.sentence.endswith("warnings on LOG-025")
    trace_in(folder, "open-held").unlink()
    run = judge_traces([folder])
    assert not [row for row in run.rows if row.in_part and row.level == "MUST" and row.verdict is Verdict.UNTESTED]
    assert run.outcome is Outcome.INCOMPLETE
    assert run.sentence == f"{subject.name}: incomplete for part core: no trace of open-held"


def test_one_trace_of_a_run_can_be_judged(core: Path) -> None:
    run = judge_traces([trace_in(core, "loss-rst")])
    found = {(f.requirement, f.verdict) for row in run.rows for f in row.findings}
    assert ("REC-010", Verdict.PASS) in found and run.outcome is Outcome.INCOMPLETE
    verdict, reason = row_of(run, "REC-010")
    assert verdict is Verdict.UNTESTED and "loss-fin" in reason and "loss-rst" not in reason


def test_the_record_of_the_run_tells_of_what_this_suite_has_not(core: Path, tmp_path: Path) -> None:
    """As of an older version: a scenario that does not exist any more, and one that did not exist yet."""
    folder = copied(core, tmp_path / "copy")

    def older(record: dict[str, Any]) -> None:
        for one in record["scenarios"]:
            if one["name"] == "loss-rst":
                one["name"] = "loss-by-storm"
        for row in record["rows"]:
            row["scenarios"] = ["loss-by-storm" if name == "loss-rst" else name for name in row["scenarios"]]

    forged(folder, older)
    trace_in(folder, "loss-rst").unlink()
    run = judge_traces([folder])
    assert row_of(run, "REC-010") == (Verdict.UNTESTED, "not played: loss-rst, loss-by-storm")
    assert "The run did not know these scenarios, which the suite has by now: loss-rst." in run.notes
    assert any("REC-010 (pass then, untested now)" in note for note in run.notes)


# Mixed.


def test_traces_of_two_runs_are_refused(core: Path, few: Path) -> None:
    one, other = trace_in(core, "open-held"), trace_in(few, "loss-rst")
    with pytest.raises(UsageError, match="run id") as refused:
        judge_traces([one, other])
    assert str(one) in str(refused.value) and str(other) in str(refused.value)
    assert core.name in str(refused.value) and few.name in str(refused.value)
    assert main(["judge", str(one), str(other)]) == ExitCode.USAGE


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"subject": "another"}, "subject another, but "),
        ({"seed": 2}, "seed 2, but "),
        ({"set_hash": "0"}, "set hash 0, but "),
        ({"limits": {"reconnect": 99.0}}, "limits {'reconnect': 99.0}, but "),
        ({"asked": {"part": "", "only": [], "strict": False}}, "asked Asked(part=''"),
        ({"absent": {"orders": "none"}}, "absent {'orders': 'none'}, but "),
    ],
)
def test_what_one_run_cannot_differ_in_is_named(core: Path, tmp_path: Path, change: dict[str, Any], said: str) -> None:
    folder = copied(core, tmp_path / "copy", record=False)
    first, second = sorted((folder / "traces").glob("*.jsonl"))[:2]
    with_header(second, lambda header: header.update(change))
    with pytest.raises(UsageError) as refused:
        judge_traces([folder])
    text = str(refused.value)
    assert text.startswith(f"{second}: {said}") and str(first) in text and "traces of different runs" in text


def test_cells_in_virtual_time_beside_a_run_in_real_time_are_of_one_run(tmp_path: Path) -> None:
    """As the reference client's run leaves them: the same run id, another tier and level."""
    names = ("grid-fin-steady", "loss-fin")
    request = RunRequest(SET, subject_named(SET, REFERENCE), out=tmp_path, tier="virtual", scenarios=names)
    folder, _ = saved_run(request)
    (folder / "run.json").unlink()
    with_header(trace_in(folder, "loss-fin"), as_in_real_time)
    run = judge_traces([folder])
    assert (run.tier, run.subject.level) == ("real", "commands"), "the run is the one in real time"
    assert {one.name: one.tier for one in run.scenarios if one.sha256} == {
        "grid-fin-steady": "virtual",
        "loss-fin": "real",
    }


# Altered.


def earlier(path: Path) -> None:
    """A record's time moved, so that a late attempt is in time."""
    lines = path.read_bytes().split(b"\n")
    record = json.loads(lines[-3])
    record["t"] -= 3_000_000
    path.write_bytes(b"\n".join([*lines[:-3], json.dumps(record).encode(), *lines[-2:]]))


def test_a_trace_that_was_altered_is_refused(core: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    folder = copied(core, tmp_path / "copy")
    seal = json.loads((folder / "run.json").read_bytes())["seal"]
    assert (
        judge_traces([folder]).notes[1]
        == f"The traces are those that {folder / 'run.json'} names, byte for byte (SHA-256). Its seal is {seal}."
    )
    earlier(trace_in(folder, "loss-rst"))
    with_header(trace_in(folder, "open-held"), lambda header: header.update(tool="brokercert 0.0.0"))
    for paths in ([folder], [folder / "traces"], [trace_in(folder, "loss-rst"), trace_in(folder, "open-held")]):
        assert main(["judge", *map(str, paths)]) == ExitCode.USAGE
        out, err = capfd.readouterr()
        assert out == "" and "SHA-256" in err and "open-held.jsonl" in err and "loss-rst.jsonl" in err
        assert str(folder / "run.json") in err and "move run.json away" in err
    (folder / "run.json").unlink()
    assert UNVOUCHED in judge_traces([folder]).notes[1]


def test_a_trace_that_the_record_does_not_know_is_refused(core: Path, few: Path, tmp_path: Path) -> None:
    folder = copied(core, tmp_path / "copy")
    trace_in(folder, "loss-rst").rename(tmp_path / "kept.jsonl")
    trace_in(folder, "loss-rst").write_bytes((tmp_path / "kept.jsonl").read_bytes())
    for name in (path.stem for path in (folder / "traces").iterdir()):
        with_header(trace_in(folder, name), as_before_manifests)
    forged(folder, lambda record: record.update(manifest=""))
    with_header(trace_in(folder, "loss-rst"), lambda header: header.update(scenario="loss-by-storm"))
    with pytest.raises(UsageError, match=r"loss-rst\.jsonl: .*run\.json knows of no trace of scenario 'loss-by-storm'"):
        judge_traces([folder])
    (folder / "run.json").write_bytes((few / "run.json").read_bytes())
    with pytest.raises(UsageError, match=f"run id {few.name}, but .* the record of another run"):
        judge_traces([folder])


def test_the_record_cannot_ask_for_less_than_the_traces_say(core: Path, tmp_path: Path) -> None:
    folder = copied(core, tmp_path / "copy")
    forged(folder, lambda record: record.update(strict=True))
    with pytest.raises(UsageError, match=r"asked Asked.*strict=True.* the record of another run"):
        judge_traces([folder])


@pytest.mark.parametrize("content", ["", "{", '{"format": 1}'])
def test_a_broken_record_is_named_and_what_to_do(core: Path, tmp_path: Path, content: str) -> None:
    folder = copied(core, tmp_path / "copy")
    (folder / "run.json").write_text(content)
    with pytest.raises(UsageError, match=r"run\.json: .*move run\.json away"):
        judge_traces([folder])


def test_what_an_earlier_judging_wrote_vouches_for_nothing(
    core: Path, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    folder = copied(core, tmp_path / "copy")
    assert main(["judge", "--out", str(folder), str(folder)]) == ExitCode.USAGE
    assert "is the record of the run itself" in capfd.readouterr().err
    (folder / "run.json").unlink()
    for _ in range(2):  # its own report it may write anew
        assert main(["judge", "--out", str(folder), str(folder)]) == ExitCode.INCOMPLETE
        assert UNVOUCHED in capfd.readouterr().out or UNVOUCHED in judge_traces([folder]).notes[1]


# Sets, and runs that were killed.


def test_another_set_is_refused_by_its_option_and_an_unknown_one_by_its_file(core: Path, tmp_path: Path) -> None:
    held = trace_in(core, "open-held")
    with pytest.raises(UsageError, match=f"^--set arrow-orders: {held} is a trace of {SET}"):
        judge_traces([held], "arrow-orders")
    strange = tmp_path / "strange.jsonl"
    strange.write_bytes(held.read_bytes())
    with_header(strange, as_before_manifests)
    with_header(strange, lambda header: header.update(set_id="moon-stage9"))
    with pytest.raises(UsageError, match=f"^{strange}: set_id: no requirement set 'moon-stage9'; known: "):
        judge_traces([strange])
    with_header(strange, lambda header: header.update(set_id=SET, asked={"part": "moon"}))
    with pytest.raises(UsageError, match=f"^{strange}: what its run was asked for: .* no part 'moon'"):
        judge_traces([strange])
    with_header(strange, lambda header: header.update(asked=None, limits={"connect": -1.0}))
    with pytest.raises(UsageError, match=f"^{strange}: limits.connect: -1.0; expected a positive number"):
        judge_traces([strange])


def test_a_set_that_has_changed_since_is_told(core: Path, tmp_path: Path) -> None:
    folder = copied(core, tmp_path / "copy", record=False)
    for path in (folder / "traces").glob("*.jsonl"):
        with_header(path, lambda header: header.update(set_hash="0123456789abcdef", manifest="fedcba9876543210"))
    notes = judge_traces([folder]).notes
    assert any(note.startswith(f"This version knows no manifest fedcba987654 of {SET}, ") for note in notes)
    assert any("has changed since the traces were recorded (hash 0123456789ab then, " in note for note in notes)


def test_a_killed_run_can_be_judged_and_is_no_certificate(core: Path, tmp_path: Path) -> None:
    """Killed in its last moments: every trace is there and every row was shown, but one trace has no end."""
    folder = copied(core, tmp_path / "copy", record=False)
    path = trace_in(folder, "loss-rst")
    path.write_bytes(path.read_bytes().rstrip(b"\n").rpartition(b"\n")[0] + b'\n{"kind": "fin')
    run = judge_traces([folder])
    assert run.outcome is Outcome.INTERRUPTED
    assert row_of(run, "LOG-010")[0] is Verdict.PASS
    assert "Their run was interrupted or killed, these traces end early: loss-rst.jsonl." in run.notes
    assert main(["judge", str(folder)]) == ExitCode.INTERRUPTED


def test_an_interrupted_run_stays_interrupted(core: Path, tmp_path: Path) -> None:
    """Between two scenarios: no trace ends early, and only its record says so."""
    folder = copied(core, tmp_path / "copy")
    forged(folder, lambda record: record.update(outcome="interrupted"))
    assert judge_traces([folder]).outcome is Outcome.INTERRUPTED
