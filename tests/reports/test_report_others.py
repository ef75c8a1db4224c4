"""Of a row that failed, reports tell to whom that happened before; of a row that passed, none does."""

from __future__ import annotations

import io
from collections.abc import Callable

import pytest
from brokercert.requirements import load_set
from brokercert.verdict import Finding, RunRecord, Verdict
from brokercert_reports.console import render_console
from brokercert_reports.html import render_html
from brokercert_reports.summary import render_summary
from rich.console import Console

ROW = load_set("tradovate-stage2").by_id["REC-010"]


def printed(run: RunRecord) -> str:
    file = io.StringIO()
    render_console(run, Console(file=file, width=4000))
    return file.getvalue()


@pytest.mark.parametrize("render", [printed, render_html, render_summary])
@pytest.mark.parametrize("verdict", [Verdict.FAIL, Verdict.PASS])
def test_a_failed_row_tells_of_others(
    build: Callable[..., RunRecord], render: Callable[[RunRecord], str], verdict: Verdict
) -> None:
    assert len(ROW.others) > 1
    found = Finding(requirement=ROW.id, scenario="login", verdict=verdict, observed="no attempt", evidence=(3,))
    told = render(build({ROW.id: (found,)})).replace("\\", "")  # Markdown's marks are escaped
    text = " ".join(told.split())
    failed = verdict is Verdict.FAIL
    assert [one.address in text for one in ROW.others[:2]] == [failed, failed]
    assert ("This happened to others" in text) is failed
