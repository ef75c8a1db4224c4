"""A run record as the engine would make it, from verdicts that a test says; judged by the real algebra.

A plain module, so that a pytest run inside a test can import it as well.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from brokercert.door import engine
from brokercert.door.child import harmless
from brokercert.door.process import UsageRefused
from brokercert.door.wire import Request
from brokercert.engine.errors import UsageError
from brokercert.engine.play.scenario import load_suite
from brokercert.engine.run.run import RunRequest
from brokercert.judge import judge_rows
from brokercert.requirements import RequirementError, load_set
from brokercert.verdict import (
    RUN_FORMAT,
    Finding,
    Measured,
    Outcome,
    RunRecord,
    ScenarioResult,
    SubjectInfo,
    Timing,
    Verdict,
    concluded,
)

HOSTILE = "<b>]]>\x1b[31m \ud800 «x»"


def ask(request: Request, folder: Path, say: Callable[[str], None]) -> tuple[dict[str, Any], bool]:
    """`process._ask`, answered in this process by what the engine's process calls."""
    assert folder == Path.cwd()
    options, root = request["options"], request["root"]
    answer: dict[str, Any]
    try:
        if request["task"] == "plan":
            answer = {"plan": engine.plan(options, root)}
        else:
            answer = {"judged": engine.report(*engine.run(options, root, request["rows"], say), say)}
    except (UsageError, RequirementError) as error:
        raise UsageRefused(harmless(str(error))) from error
    return json.loads(json.dumps(answer)), False


def fake_run(request: RunRequest, verdicts: Mapping[str, Verdict], *, interrupted: bool = False) -> RunRecord:
    """Every scenario of the request's rows said to pass, but for the rows in `verdicts`."""
    rows = load_set(request.set_id)
    listed = load_suite(request.set_id).listed()
    asked = request.only or [row.id for row in rows.rows]
    findings = [_finding(row, name, verdicts.get(row, Verdict.PASS)) for row in asked for name in listed.get(row, ())]
    part = rows.part(request.part) if request.part else tuple(rows.by_id)
    results = judge_rows(
        rows, findings, listed=listed, in_part=part, selected=request.only, reproduce="again {}".format
    )
    names = sorted({finding.scenario for finding in findings})
    run = RunRecord(
        format=RUN_FORMAT,
        run_id="20260101T000000Z-abcd",
        started="2026-01-01T00:00:00Z",
        tool="brokercert test",
        tier="real",
        set_id=rows.id,
        set_title=rows.title,
        set_version=rows.version,
        set_hash=rows.hash,
        part=request.part,
        strict=request.strict,
        selected=request.only,
        seed=request.seed,
        subject=SubjectInfo(name=request.subject.name, command=request.subject.command or (), level="wire"),
        toxiproxy="not used",
        limits=(),
        calibration=None,
        timing=Timing(predicted=1, longest_waiting=1, exclusive=0, rest=0, total=1),
        environment={},
        scenarios=tuple(
            ScenarioResult(
                name=name,
                title=name,
                path="direct",
                exclusive=False,
                state="completed",
                exit="exit 1 (not asked)",
                output=("its last words",),
            )
            for name in names
        ),
        rows=tuple(results),
        outcome=Outcome.INCOMPLETE,
        sentence="",
        reproduce="again",
        waivers=request.waivers.listed,
        waived_on=request.waivers.on,
    )
    return concluded(run, interrupted=interrupted)


def _finding(row: str, scenario: str, verdict: Verdict) -> Finding:
    return Finding(
        requirement=row,
        scenario=scenario,
        verdict=verdict,
        observed=f"saw {verdict} {HOSTILE if verdict is Verdict.FAIL else ''}",
        expected="better",
        blocked_by="LOG-010" if verdict is Verdict.BLOCKED else "",
        measured=(Measured(name="a time", value=1.5, unit="s", limit=2.0),),
    )
