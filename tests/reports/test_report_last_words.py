"""What a client said last: shown of each end that nobody asked for, whatever its rows say, and the worst first."""

from __future__ import annotations

import io
from collections.abc import Callable

import msgspec
import pytest
from brokercert.verdict import Finding, RunRecord, ScenarioResult, Verdict
from brokercert_reports.console import render_console
from brokercert_reports.html import render_html
from brokercert_reports.summary import render_summary
from brokercert_reports.view import MOST_WORDS, ended_badly, last_words
from rich.console import Console

Build = Callable[..., RunRecord]
STOPPED, CRASHED, LEFT = "signal 15 (asked to stop)", "exit 2 (not asked)", "exit 0 (not asked)"
STAYED = "signal 9 (asked to stop), and the harness ended it, since it was still there"
BACKGROUND = "exit 0 (not asked), and the harness ended 1 process(es) that it had left running"


def played(name: str, how: str, *lines: str) -> ScenarioResult:
    return ScenarioResult(
        name=name,
        title="",
        path="direct",
        exclusive=False,
        state="completed",
        exit=how,
        output=lines or (f"in {name}",),
    )


def printed(run: RunRecord) -> str:
    file = io.StringIO()
    render_console(run, Console(file=file, width=200))
    return file.getvalue()


@pytest.mark.parametrize("render", [printed, render_html, render_summary], ids=["console", "HTML", "summary"])
def test_a_crash_is_shown_though_every_row_passed(build: Build, render: Callable[[RunRecord], str]) -> None:
    text = render(build(scenarios=(played("unknown-frames", CRASHED, "panic: index out of range"),)))
    assert "panic: index out of range" in text and "unknown" in text


def test_a_crash_comes_before_all_other_ends_and_a_death_by_the_stop_itself_is_none(build: Build) -> None:
    ends = (STOPPED, STAYED, LEFT, CRASHED)
    failed = Finding(requirement="LOG-040", scenario="s0", verdict=Verdict.FAIL, observed="it went on")
    run = build({"LOG-040": (failed,)}, scenarios=tuple(played(f"s{n}", end) for n, end in enumerate(ends)))
    assert [one.scenario.exit for one in last_words(run)] == [CRASHED, LEFT, STAYED]
    assert "s0" not in printed(run).partition("The client ended")[2].partition("Login")[0]


@pytest.mark.parametrize(
    ("how", "badly"),
    [
        ("signal 15 (asked to stop)", False),
        ("signal 2 (asked to stop)", False),
        ("signal 11 (asked to stop)", True),
        ("signal 15 (not asked)", True),
        (STAYED, True),
    ],
)
def test_dying_of_the_request_to_stop_is_no_bad_end(how: str, badly: bool) -> None:
    assert ended_badly(played("s", how)) is badly


def test_ends_of_one_kind_are_told_once_and_no_more_than_three_in_full(build: Build) -> None:
    same = [played(f"same-{n}", CRASHED, "Traceback", "KeyError: 'd'") for n in range(5)]
    others = [played(f"other-{n}", f"exit {n + 3} (not asked)") for n in range(MOST_WORDS)]
    text = printed(build(scenarios=(*same, *others)))
    assert text.count("KeyError: 'd'") == 1
    assert "In same-0, and likewise in same-1, same-2 and 2 more it ended with exit 2 (not asked)" in text
    assert "In other-2 it ended with exit 5 (not asked)." in text and "in other-2" not in text.splitlines()


def test_a_client_that_goes_to_the_background_is_told_to_stay_in_the_foreground(build: Build) -> None:
    text = printed(build(scenarios=(played("steady", BACKGROUND),)))
    assert "keep it in the foreground" in text and "The client ended, and nobody" not in text


def test_a_client_of_which_anything_passed_got_somewhere_whatever_was_asked_for(build: Build) -> None:
    """As of `judge --only`: the rows that were not asked for are untested, and what was found of them stands."""
    fails = Finding(requirement="LOG-010", scenario="login", verdict=Verdict.FAIL, observed="")
    passed = Finding(requirement="LOG-030", scenario="login", verdict=Verdict.PASS, observed="")
    quiet = (played("login", "exit 0 (asked to stop)"),)
    assert "got nowhere" in printed(build({"LOG-010": (fails,)}, default=Verdict.BLOCKED, scenarios=quiet))
    run = build({"LOG-010": (fails,), "LOG-030": (passed,)}, default=Verdict.BLOCKED, scenarios=quiet)
    rows = tuple(msgspec.structs.replace(r, verdict=Verdict.UNTESTED) if r.id == "LOG-030" else r for r in run.rows)
    assert "got nowhere" not in printed(msgspec.structs.replace(run, rows=rows))
