"""How a run comes about that is packed: in virtual time, of the reference client."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from brokercert.engine.run.run import Quiet, RunRequest, run_certification
from brokercert.matrix.subjects import subject_named
from brokercert.verdict import Outcome, Waiver
from brokercert_reports.write import write_reports

SET = "tradovate-stage2"
FEW = ("LOG-030", "HBT-010")  # rows that four traces are enough for


WAIVER = Waiver(row="LOG-030", reason="due in March", who="Ana Lima", expiry="2099-12-31")
WAIVED = "slow-authorize"  # a client that fails that row alone


def saved(out: Path, client: str = "reference", **more: Any) -> Path:
    """The folder of a run of the reference client, or of a mutant."""
    request = RunRequest(SET, subject_named(SET, client), out=out, tier="virtual", **more)
    run = run_certification(request, Quiet())
    folder = out / run.run_id
    write_reports(run, folder)
    expected = (Outcome.CERTIFIED, Outcome.INCOMPLETE) if client == "reference" or run.waivers else (Outcome.FAILED,)
    assert run.outcome in expected, run.sentence
    return folder
