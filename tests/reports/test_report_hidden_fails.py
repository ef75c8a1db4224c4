"""Fails are named whatever the outcome: a client that can break our machinery, or be cut short, does not hide them."""

from __future__ import annotations

import io
import xml.etree.ElementTree as ET
from collections.abc import Callable

import pytest
from brokercert.door.told import judged_from
from brokercert.verdict import Finding, Outcome, RunRecord, Verdict
from brokercert_reports.console import render_console
from brokercert_reports.html import render_html
from brokercert_reports.junit import render_junit
from brokercert_reports.summary import render_summary
from rich.console import Console

Build = Callable[..., RunRecord]
BROKE = tuple(
    Finding(requirement="HBT-010", scenario=f"broken-{n}", verdict=Verdict.HARNESS_ERROR, observed="our proxy broke")
    for n in range(5)
)
FAILED = Finding(
    requirement="HBT-010", scenario="steady", verdict=Verdict.FAIL, observed="no heartbeat for 41 s", evidence=(24,)
)
ALONE = Finding(requirement="REC-030", scenario="outage", verdict=Verdict.FAIL, observed="11 attempts within 5 s")


@pytest.fixture(params=["harness error", "interrupted"])
def run(request: pytest.FixtureRequest, build: Build) -> RunRecord:
    """Two rows fail: in one of them other scenarios broke."""
    made = build({"HBT-010": (*BROKE, FAILED), "REC-030": (ALONE,)}, interrupted=request.param == "interrupted")
    assert made.outcome == request.param
    return made


def console(run: RunRecord) -> str:
    file = io.StringIO()
    render_console(run, Console(file=file, width=200))
    return file.getvalue()


def test_the_last_line_names_them(run: RunRecord) -> None:
    assert console(run).splitlines()[-1] == run.sentence
    assert run.sentence.endswith("fails of HBT-010, REC-030")


def test_every_report_names_them_and_says_what_was_seen(run: RunRecord) -> None:
    texts = {
        "console": console(run),
        "HTML": render_html(run),
        "JUnit": render_junit(run).decode(),
        "Markdown": render_summary(run).replace("\\", ""),
    }
    for name, text in texts.items():
        for part in ("fails of HBT-010, REC-030", "harness error, and fail in steady", "no heartbeat for 41 s"):
            assert part.lower() in text.lower(), f"{part!r} is not in {name}"
        assert text.lower().index("no heartbeat for 41 s") < text.lower().rindex("our proxy broke"), (
            f"{name}: fails first"
        )


def test_what_is_said_on_mending_is_said_there_too(run: RunRecord) -> None:
    mend = next(row.mend for row in run.rows if row.id == "HBT-010").split()[:5]
    assert " ".join(mend) in " ".join(console(run).split())


def test_in_junit_the_certificate_and_the_row_say_so(run: RunRecord) -> None:
    cases = {case.get("name", ""): case for case in ET.fromstring(render_junit(run)).iter("testcase")}
    (certificate,) = [case for name, case in cases.items() if name.startswith("certificate")]
    refused = certificate.find("error")
    assert refused is not None and "HBT-010, REC-030" in (refused.get("message") or "")
    (row,) = [case for name, case in cases.items() if name.startswith("HBT-010 ")]
    error = row.find("error")
    assert error is not None and "and fail in steady" in (error.get("message") or "")


def test_a_run_without_fails_names_none(build: Build) -> None:
    broke = build({"HBT-010": BROKE})
    assert broke.outcome is Outcome.HARNESS_ERROR and "fails" not in broke.sentence
    assert "fails" not in build(interrupted=True).sentence
    assert "and fail" not in console(broke)


def test_a_breach_in_a_scenario_that_is_not_listed_for_its_row_fails_the_first_item_of_the_row(build: Build) -> None:
    """An invariant is judged everywhere; pytest has items for the scenarios that are listed alone."""
    passed = Finding(requirement="EVT-030", scenario="login", verdict=Verdict.PASS, observed="correct")
    broken = Finding(requirement="EVT-030", scenario="outage", verdict=Verdict.FAIL, observed="`users` beside it")
    run = build({"EVT-030": (passed, broken)})
    items = judged_from(run, {"EVT-030": ("login", "steady")}, {})["items"]["EVT-030"]
    assert [item["kind"] for item in items.values()] == ["fail", "error"]  # nothing was found in the second
    assert "`users` beside it" in items["login"]["message"]
