"""The console: failures first, no colour needed, the run's sentence last."""

from __future__ import annotations

import io
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest
from brokercert.verdict import Finding, Level, Outcome, RunRecord, ScenarioResult, Timing, Verdict, sentence_of
from brokercert_reports.console import render_console
from brokercert_reports.html import render_html
from brokercert_reports.summary import render_summary
from rich.console import Console
from rich.text import Text


def printed(run: RunRecord, *, width: int = 80, reports: dict[str, Path] | None = None, colour: bool = False) -> str:
    file = io.StringIO()
    system = "truecolor" if colour else None
    console = Console(file=file, width=width, force_terminal=colour, color_system=system, no_color=not colour)  # type: ignore[arg-type]
    render_console(run, console, reports=reports)
    return file.getvalue()


def test_failures_come_first_and_the_sentence_last(failed: RunRecord) -> None:
    text = printed(failed)
    lines = text.splitlines()
    assert lines[0] == "Client: node client.mjs; tradovate-stage2, part core" and lines[2].startswith("HBT-010 fail")
    assert lines[-1] == failed.sentence
    assert text.index("REC-030 fail") < text.index("LOG-030 inconclusive") < text.index("LOG-025 warning")


def test_a_failure_says_observed_expected_measured_and_where(failed: RunRecord) -> None:
    text = " ".join(printed(failed).split())
    for part in (
        "Observed no heartbeat for 41.3 s after record 24",
        "Expected a heartbeat `[]` at least every 33 s",
        "Measured longest gap between heartbeats: 41.27 s, limit 33 s",
        "Evidence traces/steady.jsonl, records 24, 61",
        "Blocks 3 rows: EVT-030, RLP-010, RLP-020",
    ):
        assert part in text


def test_every_row_is_named_and_the_wall_time_is_a_sum(failed: RunRecord) -> None:
    text = printed(failed)
    assert all(row.id in text for row in failed.rows)
    assert "longest waiting 92.1 s + exclusive 9.3 s + rest 4.2 s = 105.6 s" in text
    must = [row.verdict for row in failed.rows if row.in_part and row.level is Level.MUST]
    passed = must.count(Verdict.PASS)
    assert f"{len(must)} MUST rows of part core: {passed} pass, 3 fail, 3 blocked" in text
    assert outside(failed) in text


def outside(run: RunRecord) -> str:
    return f"{sum(not row.in_part for row in run.rows)} rows outside the part, which decide nothing"


@pytest.mark.parametrize("width", [40, 80, 200])
def test_no_line_is_wider_than_the_terminal(failed: RunRecord, width: int) -> None:
    for line in printed(failed, width=width).splitlines()[:-1]:  # the sentence stays on one line, for scripts
        assert len(line) <= width


def test_what_was_not_asked_for_is_no_alarm(build: Callable[..., RunRecord]) -> None:
    some = build(part="", default=Verdict.UNTESTED, selected=("LOG-010",))
    lines = [line for line in printed(some, colour=True).splitlines() if "untested: " in line]
    red = [line for line in lines if "\x1b[31m" in line]
    assert len(lines) > 2 and len(red) == 1 and "untested: LOG-010\x1b" in red[0]


def test_colour_adds_nothing_but_colour(failed: RunRecord) -> None:
    assert "\x1b[" not in printed(failed)
    coloured = printed(failed, colour=True)
    assert "\x1b[" in coloured
    assert Text.from_ansi(coloured).plain.split() == printed(failed).split()


def test_report_files_are_named(failed: RunRecord) -> None:
    text = printed(failed, reports={"HTML": Path("out/x/report.html")})
    assert "HTML: out/x/report.html" in text


def test_a_client_that_got_nowhere_shows_its_last_twenty_lines(build: Callable[..., RunRecord]) -> None:
    died = ScenarioResult(
        name="login",
        title="",
        path="direct",
        exclusive=False,
        state="completed",
        exit="exit 1 (not asked)",
        output=tuple(f"line {n}." for n in range(30)),
    )
    refused = Finding(requirement="LOG-010", scenario="login", verdict=Verdict.FAIL, observed="no connection")
    text = printed(build({"LOG-010": (refused,)}, default=Verdict.BLOCKED, scenarios=(died,)))
    assert "The client got nowhere. In login it ended with exit 1 (not asked); its last" in text
    assert "line 10." in text and "line 29." in text and "line 9." not in text
    # A client that passed other rows but died shows them too, whatever its rows say; a healthy one does not.
    assert "line 29." in printed(build({"LOG-010": (refused,)}, scenarios=(died,)))
    assert "line 29." in printed(build(scenarios=(died,)))
    assert "line 29." not in printed(build(scenarios=(msgspec.structs.replace(died, exit="exit 0 (asked to stop)"),)))
    # One whose output is buffered got somewhere, and nobody knows where.
    run = build({"LOG-010": (refused,)}, default=Verdict.BLOCKED, scenarios=(msgspec.structs.replace(died, exit=""),))
    assert "got nowhere" in printed(msgspec.structs.replace(run, telling=("login: line 3 is no report.",)))
    assert "got nowhere" not in printed(msgspec.structs.replace(run, telling=("Your output is buffered: it is late.",)))
    # Where one row alone was asked for, and failed, nothing says that the client got nowhere.
    left = msgspec.structs.replace(died, exit="exit 0 (asked to stop)")
    one = printed(build({"LOG-010": (refused,)}, default=Verdict.UNTESTED, scenarios=(left,)))
    assert "got nowhere" not in one and "line 29." not in one


def test_a_certified_part_ends_so(certified: RunRecord) -> None:
    last = printed(certified).splitlines()[-1]
    core = sum(row.in_part for row in certified.rows)
    assert 1 < core < len(certified.rows)
    assert last.startswith(f"node client.mjs: certified for part core ({core} of {len(certified.rows)} rows)")


@pytest.mark.parametrize("outcome", Outcome)
@pytest.mark.parametrize("part", ["", "core"])
def test_a_verdict_names_whom_it_is_of_whatever_it_is(
    build: Callable[..., RunRecord], outcome: Outcome, part: str
) -> None:
    """In its sentence itself, so that whatever repeats that names it: here in the first and the last line."""
    said = sentence_of(outcome, build().rows, subject="my\nbot", set_id="tradovate-stage2", part=part)
    assert said.startswith("my bot: ") and len(said.splitlines()) == 1
    run = msgspec.structs.replace(build(), outcome=outcome, sentence=said, part=part)
    lines = printed(run).splitlines()
    assert run.subject.name in lines[0] and lines[-1] == said
    assert "my bot: " in render_summary(run) and "my bot: " in render_html(run)


def test_hostile_text_moves_no_cursor_and_is_no_markup(hostile: tuple[str, RunRecord]) -> None:
    _, run = hostile
    text = printed(run, width=4000)
    assert not any((ord(c) < 32 and c != "\n") or 0x7F <= ord(c) < 0xA0 or 0xD800 <= ord(c) < 0xE000 for c in text)
    if "[bold]" in run.reproduce:
        assert "[bold]markup[/bold]" in text


def test_the_wall_time_adds_up_as_it_is_printed(build: Callable[..., RunRecord]) -> None:
    timing = Timing(predicted=1, longest_waiting=8.74, exclusive=1.14, rest=0.6, total=10.52)
    assert "longest waiting 8.7 s + exclusive 1.1 s + rest 0.7 s = 10.5 s" in printed(build(timing=timing))
    both = Timing(predicted=1, longest_waiting=8.7, exclusive=1.1, rest=0.6, total=14.5, virtual=4.1)
    assert "exclusive 1.1 s + in virtual time 4.1 s" in printed(build(timing=both))
    judged_only = Timing(predicted=0, longest_waiting=8.7, exclusive=0, rest=0, total=0)
    assert "Wall time" not in printed(build(timing=judged_only))


def test_what_is_wrong_with_the_reports_is_told_before_anything_else(failed: RunRecord) -> None:
    said = "Your output is buffered: it is read long after it was printed."
    lines = printed(msgspec.structs.replace(failed, telling=(said, "login: line 3"))).splitlines()
    assert lines[2] == f"  Reports   {said}" and lines[3] == "  Reports   login: line 3"
    assert lines[5].startswith("HBT-010 fail")


def test_notes_are_told_after_the_rows_and_before_the_sentence(failed: RunRecord) -> None:
    run = msgspec.structs.replace(failed, notes=("No trace was given of loss-rst.", "Nothing vouches for them."))
    lines = printed(run).splitlines()
    first, last = lines.index("Note: No trace was given of loss-rst."), lines.index("Note: Nothing vouches for them.")
    assert lines.index(outside(failed)) < first < last < len(lines) - 1
