"""One client through one scenario in virtual time, judged."""

from __future__ import annotations

import tempfile
from pathlib import Path

from brokercert.engine.client.subject import SubjectSpec
from brokercert.engine.play.scenario import load_suite
from brokercert.engine.run.run import RunRequest
from brokercert.engine.run.virtual_run import play_alone
from brokercert.judge import judge_trace
from brokercert.requirements import load_set
from brokercert.verdict import Finding

SET = "tradovate-stage2"
ROWS = load_set(SET)
SUITE = load_suite(SET)
STATE_ROWS = "EVT-040 EVT-050 EVT-060 EVT-070 EVT-080 EVT-120 EVT-130 REC-040 REC-080".split()
LISTED = SUITE.listed()
SCENARIOS = tuple(dict.fromkeys(name for row in STATE_ROWS for name in LISTED[row]))


def findings_of(spec: SubjectSpec, scenario: str) -> list[Finding]:
    """What is said of it. The scenario itself must have come to its end."""
    with tempfile.TemporaryDirectory() as folder:
        request = RunRequest(SET, spec, tier="virtual")
        played = play_alone(SUITE.by_name(scenario), request, ROWS, "test", Path(folder))
    assert played.result.state == "completed", played.result.note
    return judge_trace(played.trace, ROWS, SUITE.dialect.judging)
