"""How a run comes about that is packed: in virtual time, of the reference client."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from brokercert.engine.run.run import Quiet, RunRequest, run_certification
from brokercert.matrix.subjects import subject_named
from brokercert.verdict import Outcome
from brokercert_reports.write import write_reports

SET = "tradovate-stage2"
FEW = ("LOG-030", "HBT-010")  # rows that four traces are enough for


def saved(out: Path, **more: Any) -> Path:
    """The folder of a run of the reference client."""
    request = RunRequest(SET, subject_named(SET, "reference"), out=out, tier="virtual", **more)
    run = run_certification(request, Quiet())
    folder = out / run.run_id
    write_reports(run, folder)
    assert run.outcome in (Outcome.CERTIFIED, Outcome.INCOMPLETE), run.sentence
    return folder
