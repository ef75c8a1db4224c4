"""A correct client whose output lies in a buffer: nothing is held against it, and the run says first what to do."""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import pytest
from brokercert.engine.client.subject import SubjectSpec
from brokercert.engine.run.run import Quiet, RunRequest, certify
from brokercert.verdict import BUFFERED, Outcome, Verdict

HERE = Path(__file__).resolve().parent
TYPES = ("account", "cashBalance", "position", "order", "orderVersion", "command", "fill")


@pytest.mark.timeout(60)
def test_a_correct_client_whose_output_is_buffered_is_told_so(tmp_path: Path) -> None:
    spec = SubjectSpec(
        "buffered",
        command=(sys.executable, str(HERE / "example_buffered.py")),
        env={"PYTHONUNBUFFERED": ""},
        level="commands",
        offers=frozenset({"wire", "stop", "report", "snapshot", "request", "orders"}),
        entity_types=TYPES,
    )
    request = RunRequest("tradovate-stage2", spec, only=("EVT-050",), scenarios=("order-flow",), out=tmp_path)
    record = asyncio.run(certify(request, Quiet()))
    row = next(row for row in record.rows if row.id == "EVT-050")
    assert row.verdict is Verdict.INCONCLUSIVE, row.findings
    assert any(finding.observed.startswith(BUFFERED) for finding in row.findings)
    assert record.outcome is Outcome.INCOMPLETE
    assert record.telling[0].startswith("Your output is buffered: ") and "PYTHONUNBUFFERED" in record.telling[0]
