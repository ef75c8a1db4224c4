"""However a client may be asked to stop, a correct one is certified: but for its log-off, where it cannot be asked."""

from __future__ import annotations

from dataclasses import replace
from functools import cache
from pathlib import Path

import pytest
from brokercert.engine.ask.config import STOPS
from brokercert.engine.client.subject import Stop
from brokercert.engine.play.scenario import load_suite
from brokercert.engine.run.run import Quiet, RunRequest, run_certification
from brokercert.matrix.subjects import REFERENCE, outside, subject_named
from brokercert.requirements import load_set
from brokercert.verdict import RunRecord, Verdict

SETS = ("tradovate-stage2", "arrow-orders")


@cache
def unasked(set_id: str) -> frozenset[str]:
    """The rows that are about being asked to stop."""
    return frozenset(row.id for row in load_set(set_id).rows if "stop" in row.needs)


def played(set_id: str, stop: Stop, out: Path) -> RunRecord:
    """The reference client through every scenario of the set that is no cell of its grid, in virtual time."""
    subject = subject_named(set_id, REFERENCE)
    offers = subject.offers - ({"stop"} if stop == "none" else set())
    names = tuple(scenario.name for scenario in load_suite(set_id).scenarios if scenario.cell is None)
    request = RunRequest(set_id, replace(subject, stop=stop, offers=offers), scenarios=names, tier="virtual", out=out)
    return run_certification(request, Quiet())


@pytest.mark.long
@pytest.mark.parametrize("stop", STOPS)
@pytest.mark.parametrize("set_id", SETS)
def test_the_reference_client_passes_all_but_its_log_off(set_id: str, stop: Stop, tmp_path: Path) -> None:
    run = played(set_id, stop, tmp_path)
    shown = {row for scenario in load_suite(set_id).scenarios if scenario.cell is None for row in scenario.exercises}
    open_rows = {row.id: row.verdict for row in run.rows if row.id in shown and row.verdict is not Verdict.PASS}
    lacking = unasked(set_id) if stop == "none" else frozenset()
    assert open_rows == dict.fromkeys(outside(set_id) | lacking, Verdict.NOT_OBSERVED)
    ends = {scenario.exit for scenario in run.scenarios if scenario.exit}
    ours = {"ended by the harness without asking it to stop"}
    assert ends == (ours if stop == "none" else {"exit 0 (asked to stop)"})
