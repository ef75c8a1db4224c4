"""Whole scenarios of the set in virtual time, for clients of this process; and makes `arrow_talks.py` importable."""

from __future__ import annotations

import sys
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any

import pytest
from brokercert.engine.client.subject import SubjectSpec
from brokercert.engine.play.scenario import load_dialect
from brokercert.engine.run.run import Quiet, RunRequest, run_certification
from brokercert.verdict import RunRecord

sys.path.insert(0, str(Path(__file__).parent))

SET = "arrow-orders"
Certify = Callable[..., RunRecord]


@pytest.fixture
def certify(tmp_path: Path) -> Certify:
    """certify(factory, scenarios=(), offers=None): what the judge says of a client in these scenarios (none: all)."""

    def run(factory: Any = None, scenarios: Sequence[str] = (), offers: frozenset[str] | None = None) -> RunRecord:
        reference = load_dialect(SET).reference
        spec = SubjectSpec(
            name="here",
            factory=factory or reference.factory(),
            level="in process",
            offers=reference.offers if offers is None else offers,
        )
        request = RunRequest(set_id=SET, subject=spec, tier="virtual", out=tmp_path / "out", scenarios=tuple(scenarios))
        return run_certification(request, Quiet())

    return run
