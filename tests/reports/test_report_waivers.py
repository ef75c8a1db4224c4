"""Waivers in every format: the words, the count, and no failure that a certified run would contradict."""

from __future__ import annotations

import io
import xml.etree.ElementTree as ET
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from brokercert.engine.errors import UsageError
from brokercert.engine.run.believed import believed
from brokercert.verdict import (
    Finding,
    Outcome,
    RunRecord,
    Verdict,
    Waiver,
    decode_run,
    encode_run,
    outcome_of,
    sentence_of,
)
from brokercert_reports.console import render_console
from brokercert_reports.html import render_html
from brokercert_reports.junit import render_junit
from brokercert_reports.seal import record_bytes
from brokercert_reports.summary import render_summary
from msgspec import structs
from rich.console import Console

ON = "2026-11-24"  # the day of the run


Waived = Callable[..., RunRecord]


def failing(row: str) -> dict[str, tuple[Finding, ...]]:
    return {row: (Finding(requirement=row, scenario="login", verdict=Verdict.FAIL, observed="it did not"),)}


@pytest.fixture
def waived(build: Callable[..., RunRecord]) -> Waived:
    """A run in which `fails` fail, and `rows` are waived."""

    def make(*rows: str, expiry: str = "2026-12-31", fails: tuple[str, ...] = ("REC-010",)) -> RunRecord:
        run = build({name: found for row in fails for name, found in failing(row).items()})
        waivers = tuple(Waiver(row=row, reason="due in <March>", who="Ana Lima", expiry=expiry) for row in rows)
        told: dict[str, Any] = {"waivers": waivers, "waived_on": ON}
        outcome = outcome_of(run.rows, **told)
        sentence = sentence_of(outcome, run.rows, subject=run.subject.name, set_id=run.set_id, part=run.part, **told)
        return structs.replace(run, outcome=outcome, sentence=sentence, **told)

    return make


def console(run: RunRecord) -> str:
    out = io.StringIO()
    render_console(run, Console(file=out, width=200))
    return out.getvalue()


def test_a_waived_failure_is_told_everywhere_with_who_and_until_when(waived: Waived) -> None:
    run = waived("REC-010")
    assert run.outcome is Outcome.CERTIFIED
    line = "REC-010 (used), until 2026-12-31, by Ana Lima: due in "
    html = render_html(run)
    assert "Certified for part core with 1 waiver" in html or "Certified with 1 waiver" in html
    assert "1 waiver of this run:" in html and line + "&lt;March&gt;" in html and "Waived until 2026-12-31" in html
    shown = console(run)
    assert f"Waiver: {line}<March>" in shown and "certified with 1 waiver for part core" in shown.splitlines()[-1]
    summary = render_summary(run)
    assert "with 1 waiver" in summary.splitlines()[0] and f"- {line}&lt;March&gt;" in summary
    assert "### REC-010 fail: " in summary and "(MUST, waived)" in summary
    suite = ET.fromstring(render_junit(run))
    assert (suite.get("failures"), suite.get("errors")) == ("0", "0"), "a certified run has no failure"
    (skipped,) = [case.find("skipped") for case in suite.iter("testcase") if case.get("name", "").startswith("REC-010")]
    assert skipped is not None and skipped.get("message", "").startswith("waived until 2026-12-31 by Ana Lima: due in")
    properties = {one.get("name"): one.get("value") for one in suite.iter("property")}
    assert properties["waivers"] == f"{line}<March>"


@pytest.mark.parametrize(
    ("row", "given", "state"),
    [
        ("HBT-010", {"fails": ()}, "passes"),
        ("XYZ-999", {"fails": ()}, "matches nothing"),
        ("REC-010", {"expiry": "2026-01-01"}, "expired"),
    ],
)
def test_a_waiver_that_withholds_the_certificate_is_told_everywhere(
    waived: Waived, row: str, given: dict[str, Any], state: str
) -> None:
    run = waived(row, **given)
    assert run.outcome is Outcome.INCOMPLETE
    for text in (render_html(run), console(run), render_summary(run), render_junit(run).decode()):
        assert f"({state}), until " in text
    suite = ET.fromstring(render_junit(run))
    assert (suite.get("failures"), suite.get("errors")) == ("0", "1"), "the certificate alone is red"


def test_another_failure_stays_one(waived: Waived) -> None:
    run = waived("REC-010", fails=("REC-010", "LOG-010"))
    assert run.outcome is Outcome.FAILED
    suite = ET.fromstring(render_junit(run))
    assert suite.get("failures") == "2", "the row that is not waived, and the certificate"


def test_a_record_whose_waivers_were_edited_is_refused(build: Callable[..., RunRecord], waived: Waived) -> None:
    """`report` repeats what follows from the list: one more line in it makes another sentence."""
    run = build(failing("REC-010"))
    good = waived("REC-010")
    assert decode_run(encode_run(good)) == good
    forged = structs.replace(run, waivers=good.waivers, waived_on=ON)
    for record, field in ((forged, "outcome"), (structs.replace(good, waivers=()), "outcome")):
        with pytest.raises(UsageError, match=field):
            believed(Path("run.json"), record_bytes(with_reasons(record)))
    with pytest.raises(UsageError, match="knows no manifest of their set"):  # nothing else is wrong with it
        believed(Path("run.json"), record_bytes(with_reasons(good)))


def with_reasons(run: RunRecord) -> RunRecord:
    """The builder's rows with the reasons that their findings give, as a run writes them."""
    from brokercert.judge.rows import verdict_of

    rows = []
    for row in run.rows:
        verdict, reason = verdict_of(row.level, row.findings, row.scenarios, False)
        rows.append(structs.replace(row, verdict=verdict, reason=reason))
    return structs.replace(run, rows=tuple(rows))
