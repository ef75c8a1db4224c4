"""What is otherwise between two runs: each kind of it is told, and only rows and outcome make it worse."""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from brokercert.cli import main
from brokercert.engine.errors import UsageError
from brokercert.parcel.differ import changes, is_worse
from brokercert.parcel.pack import pack
from brokercert.parcel.status import Status
from brokercert.verdict import Absent, Level, Outcome, RowResult, RunRecord, Verdict, decode_run
from msgspec import structs


@pytest.fixture(scope="module")
def run(certified: Path) -> RunRecord:
    return decode_run((certified / "run.json").read_bytes())


def with_row(run: RunRecord, name: str, **more: Any) -> RunRecord:
    rows = tuple(structs.replace(row, **more) if row.id == name else row for row in run.rows)
    return structs.replace(run, rows=rows)


def with_figure(run: RunRecord, name: str, **more: Any) -> RunRecord:
    def changed(row: RowResult) -> RowResult:
        findings = tuple(
            structs.replace(f, measured=tuple(structs.replace(m, **more) for m in f.measured)) for f in row.findings
        )
        return structs.replace(row, findings=findings)

    return structs.replace(run, rows=tuple(changed(row) if row.id == name else row for row in run.rows))


def test_a_run_differs_from_itself_in_nothing(run: RunRecord) -> None:
    assert changes(run, run) == ()


VERDICTS: list[tuple[Level, Verdict, Verdict, bool]] = [
    (Level.MUST, Verdict.PASS, Verdict.FAIL, True),
    (Level.MUST, Verdict.FAIL, Verdict.PASS, False),
    (Level.MUST, Verdict.PASS, Verdict.WARNING, True),
    (Level.MUST, Verdict.PASS, Verdict.UNTESTED, True),
    (Level.MUST, Verdict.PASS, Verdict.HARNESS_ERROR, True),
    (Level.MUST, Verdict.PASS, Verdict.NOT_APPLICABLE, True),
    (Level.MUST, Verdict.NOT_APPLICABLE, Verdict.PASS, False),
    (Level.MUST, Verdict.NOT_APPLICABLE, Verdict.FAIL, False),
    (Level.MUST, Verdict.BLOCKED, Verdict.UNTESTED, False),
    (Level.MUST, Verdict.UNTESTED, Verdict.BLOCKED, True),
    (Level.SHOULD, Verdict.PASS, Verdict.WARNING, True),
    (Level.SHOULD, Verdict.NOT_OBSERVED, Verdict.WARNING, True),
    (Level.SHOULD, Verdict.WARNING, Verdict.NOT_OBSERVED, False),
]


@pytest.mark.parametrize(("level", "old", "new", "worse"), VERDICTS)
def test_a_row_is_worse_or_not(run: RunRecord, level: Level, old: Verdict, new: Verdict, worse: bool) -> None:
    before, after = (with_row(run, "LOG-030", verdict=verdict, level=level) for verdict in (old, new))
    (found,) = changes(before, after)
    assert (found.area, found.name, found.old, found.new, found.worse) == ("row", "LOG-030", old, new, worse)


def test_a_row_that_neither_run_certifies_decides_nothing(run: RunRecord) -> None:
    before, after = (with_row(run, "LOG-030", verdict=v, in_part=False) for v in (Verdict.PASS, Verdict.FAIL))
    assert changes(before, after) and not is_worse(changes(before, after))


def test_a_row_that_is_certified_no_more_is_worse(run: RunRecord) -> None:
    assert is_worse(changes(run, with_row(run, "LOG-030", in_part=False)))
    assert not is_worse(changes(with_row(run, "LOG-030", in_part=False), run))


@pytest.mark.parametrize("outcome", [one for one in Outcome if one is not Outcome.CERTIFIED])
def test_an_outcome_that_certifies_nothing_is_worse(run: RunRecord, outcome: Outcome) -> None:
    other = structs.replace(run, outcome=outcome)
    assert is_worse(changes(run, other)) and not is_worse(changes(other, run))


OTHERWISE: dict[str, tuple[Callable[[RunRecord], RunRecord], str]] = {
    "a figure": (lambda r: with_figure(r, "LOG-030", value=1.25), "figure"),
    "a limit": (
        lambda r: structs.replace(r, limits=(structs.replace(r.limits[0], value=99.0), *r.limits[1:])),
        "limit",
    ),
    "a capability": (
        lambda r: structs.replace(r, subject=structs.replace(r.subject, absent=(Absent(name="tls", reason="none"),))),
        "declared absent",
    ),
    "a reading": (
        lambda r: structs.replace(r, subject=structs.replace(r.subject, readings={"token-life": "90"})),
        "reading",
    ),
    "the client": (lambda r: structs.replace(r, subject=structs.replace(r.subject, name="v2")), "client"),
    "the tool": (lambda r: structs.replace(r, tool="brokercert 9.0.0"), "tool and set"),
    "the set": (lambda r: structs.replace(r, set_version="9"), "tool and set"),
    "the challenge": (lambda r: structs.replace(r, challenge="other"), "asked"),
    "the machine": (lambda r: structs.replace(r, environment={"cpus": "64"}), "machine"),
    "a row's words": (lambda r: with_row(r, "LOG-030", text="otherwise"), "what a row asks"),
}


@pytest.mark.parametrize("name", OTHERWISE)
def test_all_else_is_told_and_makes_nothing_worse(run: RunRecord, name: str) -> None:
    change, area = OTHERWISE[name]
    found = changes(run, change(run))
    assert area in {one.area for one in found} and not is_worse(found)


def test_a_row_that_is_new_or_gone_is_told(run: RunRecord) -> None:
    less = structs.replace(run, rows=run.rows[1:])
    told = [(one.name, one.old, one.new) for one in changes(run, less) if one.area == "row"]
    assert told == [(run.rows[0].id, run.rows[0].verdict.value, "no such row")]
    assert not is_worse(changes(less, run))


def test_the_command_takes_folders_records_and_bundles(
    certified: Path, few: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    bundle, _ = pack(certified, tmp_path / "b.zip", None, False)
    for old in (certified, certified / "run.json", bundle):
        assert main(["diff", str(old), str(bundle)]) == 0
        assert capsys.readouterr().out.splitlines()[-1].startswith("0 row(s) with another verdict, 0 other")
    assert main(["diff", str(bundle), str(few)]) == Status.WORSE
    told = capsys.readouterr().out
    assert "worse: LOG-010: pass -> untested" in told and told.rstrip().endswith("worse")
    assert main(["diff", str(few), str(bundle)]) == 0


def test_runs_of_two_sets_have_nothing_to_compare(run: RunRecord) -> None:
    with pytest.raises(UsageError, match="expected two runs of one set"):
        changes(run, structs.replace(run, set_id="arrow-orders"))


@pytest.mark.parametrize("what", ["no run", "a broken bundle", "an edited record"])
def test_what_cannot_be_compared_is_wrong_usage(
    certified: Path, tmp_path: Path, what: str, capsys: pytest.CaptureFixture[str]
) -> None:
    other = tmp_path / "other"
    data = (certified / "run.json").read_bytes()
    match what:
        case "no run":
            other.mkdir()
        case "a broken bundle":
            other.write_bytes(b"PK\3\4 and no more")
        case _:
            shutil.copyfile(certified / "run.json", other)
            other.write_bytes(data.replace(b'"outcome": "certified"', b'"outcome": "failed"'))
    assert main(["diff", str(certified), str(other)]) == 2
    told = capsys.readouterr().err
    assert told.count("\n") == 1 and str(other) in told
