"""Waivers: what the file may say, and what becomes of a waiver in each kind of run. They work both ways."""

from __future__ import annotations

import datetime
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest
from brokercert.cli import main
from brokercert.engine.ask.waivers import Waivers, read_waivers, waivers_asked
from brokercert.engine.errors import UsageError
from brokercert.engine.machine import priority
from brokercert.engine.run import run as engine
from brokercert.engine.run.offline import judge_traces
from brokercert.engine.run.run import RunRequest
from brokercert.judge import judge_rows
from brokercert.matrix.subjects import subject_named
from brokercert.requirements import load_set
from brokercert.verdict import (
    ExitCode,
    Finding,
    Level,
    Outcome,
    RowResult,
    Verdict,
    Waiver,
    WaiverState,
    outcome_of,
    sentence_of,
    waiver_state,
)
from saved_runs import saved_run

SET = load_set("tradovate-stage2")
CORE = SET.part("core")
MUST = tuple(row for row in CORE if SET.by_id[row].level == Level.MUST)
SHOULD = next(row for row in CORE if SET.by_id[row].level == Level.SHOULD)
ON = "2026-11-30"
GOOD = """
[[waiver]]
row = "rec-010"
reason = "the library  reconnects after 12 s"
who = "Ana Lima"
expiry = 2026-12-31
"""


def waiver(row: str, expiry: str = "2026-12-31") -> Waiver:
    return Waiver(row=row, reason="it is due in March", who="Ana Lima", expiry=expiry)


def rows_with(verdicts: dict[str, Verdict], selected: tuple[str, ...] = ()) -> list[RowResult]:
    """All rows pass in part core, but for these."""
    listed = {row: ("one",) for row in SET.by_id}
    findings = [
        Finding(requirement=row, scenario="one", verdict=verdicts.get(row, Verdict.PASS), observed="seen")
        for row in SET.by_id
        if not selected or row in selected
    ]
    return judge_rows(SET, findings, listed=listed, in_part=CORE, selected=selected)


def told(rows: list[RowResult], *waivers: Waiver, strict: bool = False) -> tuple[Outcome, str]:
    outcome = outcome_of(rows, strict=strict, waivers=waivers, waived_on=ON)
    said = sentence_of(
        outcome, rows, subject="bot", set_id=SET.id, part="core", strict=strict, waivers=waivers, waived_on=ON
    )
    return outcome, said.removeprefix("bot: ")


# What becomes of one.


@pytest.mark.parametrize("row", MUST)
def test_a_waived_failure_is_never_certified_without_these_words(row: str) -> None:
    rows = rows_with({row: Verdict.FAIL})
    assert told(rows)[0] is Outcome.FAILED
    outcome, said = told(rows, waiver(row))
    assert outcome is Outcome.CERTIFIED
    assert said == (
        f"certified with 1 waiver for part core ({len(CORE)} of {len(SET.rows)} rows; waived: {row}), not a "
        "certificate of the set"
    )


def test_two_failures_need_two_waivers() -> None:
    rows = rows_with({MUST[0]: Verdict.FAIL, MUST[1]: Verdict.FAIL})
    outcome, said = told(rows, waiver(MUST[0]))
    assert outcome is Outcome.FAILED and said == f"failed for part core: {MUST[1]}; waived: {MUST[0]}"
    outcome, said = told(rows, waiver(MUST[0]), waiver(MUST[1]))
    assert outcome is Outcome.CERTIFIED and said.startswith("certified with 2 waivers for part core")


@pytest.mark.parametrize(
    ("one", "verdicts", "why"),
    [
        (waiver(MUST[0]), {}, f"the waiver of {MUST[0]} is not needed, since the row does not fail"),
        (waiver(MUST[0]), {MUST[0]: Verdict.NOT_APPLICABLE}, "is not needed, since the row does not fail"),
        (waiver(SHOULD), {SHOULD: Verdict.WARNING}, f"the waiver of {SHOULD} is not needed"),
        (waiver("XYZ-999"), {}, "the waiver of XYZ-999 matches no row of this set"),
        (waiver(MUST[0], "2026-11-29"), {}, f"the waiver of {MUST[0]} expired on 2026-11-29"),
        (waiver(MUST[0], "2026-11-29"), {MUST[0]: Verdict.FAIL}, f"expired on 2026-11-29; fails of {MUST[0]}"),
    ],
)
def test_a_waiver_that_is_not_needed_or_is_over_withholds_the_certificate(
    one: Waiver, verdicts: dict[str, Verdict], why: str
) -> None:
    outcome, said = told(rows_with(verdicts), one)
    assert outcome is Outcome.INCOMPLETE and said.startswith("incomplete for part core: ") and why in said


def test_it_holds_on_its_last_day() -> None:
    assert told(rows_with({MUST[0]: Verdict.FAIL}), waiver(MUST[0], ON))[0] is Outcome.CERTIFIED


@pytest.mark.parametrize(
    "verdict", [Verdict.BLOCKED, Verdict.UNTESTED, Verdict.INCONCLUSIVE, Verdict.NOT_OBSERVED, Verdict.HARNESS_ERROR]
)
def test_what_was_not_shown_is_no_failure_and_cannot_be_waived(verdict: Verdict) -> None:
    rows = rows_with({MUST[0]: verdict})
    assert told(rows, waiver(MUST[0]))[0] is outcome_of(rows)
    assert waiver_state(waiver(MUST[0]), rows, strict=False, on=ON) is WaiverState.OPEN


def test_a_row_that_nobody_asked_for_leaves_its_waiver_open() -> None:
    rows = rows_with({}, selected=(MUST[0],))
    assert waiver_state(waiver(MUST[1]), rows, strict=False, on=ON) is WaiverState.OPEN
    outside = next(row for row in SET.by_id if row not in CORE)
    assert waiver_state(waiver(outside), rows_with({}), strict=False, on=ON) is WaiverState.OPEN
    assert told(rows_with({}), waiver(outside))[0] is Outcome.CERTIFIED


def test_under_strict_a_warning_is_waived_and_another_is_not() -> None:
    rows = rows_with({SHOULD: Verdict.WARNING})
    assert told(rows, strict=True)[0] is Outcome.FAILED
    outcome, said = told(rows, waiver(SHOULD), strict=True)
    assert outcome is Outcome.CERTIFIED and "certified with 1 waiver" in said
    both = rows_with({SHOULD: Verdict.WARNING, MUST[0]: Verdict.WARNING})
    outcome, said = told(both, waiver(SHOULD), strict=True)
    assert outcome is Outcome.FAILED and f"warnings on {MUST[0]}; waived: {SHOULD}" in said


def test_a_client_of_which_every_row_is_waived_was_asked_all_the_same() -> None:
    rows = rows_with(dict.fromkeys(MUST, Verdict.FAIL))
    assert told(rows, *map(waiver, MUST))[0] is Outcome.CERTIFIED


# The file.


def test_a_file_is_read_with_its_dates_as_days_or_as_texts(tmp_path: Path) -> None:
    path = tmp_path / "waivers.toml"
    for day in ("2026-12-31", '"2026-12-31"', "2026-12-31T10:00:00Z"):
        path.write_text(GOOD.replace("2026-12-31", day))
        (one,) = read_waivers(path)
        assert one == Waiver(
            row="REC-010", reason="the library reconnects after 12 s", who="Ana Lima", expiry="2026-12-31"
        )


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("row = ", "rwo = ", "waiver 1: rwo is not known; did you mean row?"),
        ("who = ", "owner = ", "waiver 1: owner is not known; expected one of row, reason, who, expiry"),
        ('who = "Ana Lima"\n', "", "waiver 1: who is missing; expected the name of whoever decided it"),
        ('"Ana Lima"', '" "', "waiver 1: who = ' '; expected the name of whoever decided it"),
        ('"Ana Lima"', "7", "waiver 1: who = 7; expected the name of whoever decided it"),
        ('"rec-010"', "[]", "waiver 1: row is no text; expected the id of a row"),
        ("expiry = 2026-12-31\n", "", "waiver 1 (rec-010): expiry is missing; expected the last day on which it holds"),
        ("2026-12-31", '"soon"', "waiver 1 (rec-010): expiry = 'soon'; expected the last day on which it holds"),
        ("2026-12-31", "5", "waiver 1 (rec-010): expiry = 5; expected the last day on which it holds"),
        ("[[waiver]]", "[[waivers]]", "waivers is not known; did you mean waiver?"),
        ("[[waiver]]", "[waiver]", "waiver: expected tables, each under a line [[waiver]]"),
        ("[[waiver]]", GOOD + "[[waiver]]", "waiver 2: row = 'REC-010' is waived twice; leave one out"),
        ("[[waiver]]", "[[waiver", "expected TOML"),
    ],
)
def test_what_is_wrong_with_it_is_told_in_a_sentence(tmp_path: Path, old: str, new: str, said: str) -> None:
    path = tmp_path / "waivers.toml"
    path.write_text(GOOD.replace(old, new, 1))
    with pytest.raises(UsageError) as refused:
        read_waivers(path)
    assert str(refused.value).startswith(f"{path}: ") and said in str(refused.value)


def test_the_file_beside_is_taken_where_none_is_named(tmp_path: Path) -> None:
    today = datetime.date(2026, 11, 30)
    assert waivers_asked(None, tmp_path, today) == Waivers()
    (tmp_path / "waivers.toml").write_text(GOOD)
    found = waivers_asked(None, tmp_path, today)
    assert [one.row for one in found.listed] == ["REC-010"] and found.on == "2026-11-30"
    other = tmp_path / "other.toml"
    other.write_text("")
    assert waivers_asked(other, tmp_path, today) == Waivers((), "2026-11-30")
    with pytest.raises(UsageError, match="No such file"):
        waivers_asked(tmp_path / "none.toml", tmp_path, today)


# Judged again, and told again.


class NewYear(datetime.datetime):
    """A clock that stands at the beginning of 2020."""

    @classmethod
    def now(cls, tz: datetime.tzinfo | None = None) -> NewYear:
        return cls(2020, 1, 1, 12, tzinfo=tz)


def test_judge_and_report_hold_the_waivers_of_the_run_by_its_own_day(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    subject = subject_named(SET.id, "first-message-only")
    request = RunRequest(SET.id, subject, out=tmp_path, scenarios=("answer-in-batch",), tier="virtual")
    _, bare = saved_run(request)
    failed = tuple(row.id for row in bare.rows if row.verdict is Verdict.FAIL)
    assert failed and bare.outcome is Outcome.FAILED
    waivers = Waivers(tuple(waiver(row, "2020-01-02") for row in failed), "2020-01-01")  # over by now, not by then
    with monkeypatch.context() as then:
        then.setattr("brokercert.engine.run.request.datetime", SimpleNamespace(datetime=NewYear, UTC=datetime.UTC))
        folder, run = saved_run(replace(request, waivers=waivers))
    assert run.outcome is Outcome.INCOMPLETE, "one scenario certifies nothing, and nothing fails any more"
    assert run.waivers == waivers.listed and run.waived_on == "2020-01-01"
    again = judge_traces([folder])
    assert again.outcome is run.outcome and again.waivers == run.waivers
    assert run.sentence.endswith(f"; waived: {failed[0]}") and again.sentence.endswith(f"; waived: {failed[0]}")
    assert main(["judge", str(folder)]) == ExitCode.INCOMPLETE
    assert main(["report", str(folder)]) == ExitCode.INCOMPLETE
    assert f"Waiver: {failed[0]} (used), until 2020-01-02, by Ana Lima" in capfd.readouterr().out
    (folder / "run.json").unlink()
    alone = judge_traces([folder])
    assert alone.outcome is Outcome.FAILED and alone.waivers == (), "no trace vouches for a waiver"


def test_certify_takes_the_file_beside_and_the_option(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    asked: list[RunRequest] = []

    def run(request: RunRequest, progress: object) -> None:
        asked.append(request)
        raise UsageError("enough")

    monkeypatch.chdir(tmp_path)
    monkeypatch.setattr(engine, "run_certification", run)
    monkeypatch.setattr(priority, "raise_priority", lambda: None)
    (tmp_path / "brokercert.toml").write_text("[subject]\ncommand = ['sh']\n")
    (tmp_path / "waivers.toml").write_text(GOOD)
    (tmp_path / "none.toml").write_text("")
    main(["certify"])
    main(["certify", "--waivers", "none.toml"])
    assert [[one.row for one in request.waivers.listed] for request in asked] == [["REC-010"], []]
    (tmp_path / "waivers.toml").write_text(GOOD.replace("who", "whom"))
    assert main(["certify"]) == ExitCode.USAGE and len(asked) == 2
    assert "waivers.toml: waiver 1: whom is not known; did you mean who?" in capfd.readouterr().err
