"""Clients of this process through single scenarios in virtual time: what the checks said of each row."""

from __future__ import annotations

import tempfile
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import msgspec
from brokercert.engine.client.subject import Stop, SubjectSpec
from brokercert.engine.play.scenario import load_suite
from brokercert.engine.play.virtual import wall
from brokercert.engine.run.run import RunRequest
from brokercert.engine.run.virtual_run import play_alone
from brokercert.judge import judge_trace
from brokercert.mutants.tradovate import MUTANTS
from brokercert.reference.tradovate import ReferenceClient
from brokercert.requirements import load_set
from brokercert.verdict import Finding, worst

SET = "tradovate-stage2"
ROWS, SUITE = load_set(SET), load_suite(SET)
OFFERS = SUITE.dialect.reference.offers - {"process"}


def findings_of(
    scenario: str,
    client: type[ReferenceClient] | str = ReferenceClient,
    readings: Mapping[str, str] | None = None,
    offers: frozenset[str] = OFFERS,
    stop: Stop = "signal",
) -> list[Finding]:
    """Play it and judge its trace. `client` may be a mutant's name; `stop` is how it may be asked to."""
    made: type[Any] = MUTANTS[client].client if isinstance(client, str) else client

    def factory(env: Mapping[str, str], output: Callable[[str], None]) -> Any:
        return made(env, output, wall=wall, seed=1)

    spec = SubjectSpec("inside", factory=factory, level="in process", offers=offers, readings=readings or {}, stop=stop)
    with tempfile.TemporaryDirectory() as folder:
        request = RunRequest(SET, spec, tier="virtual", out=Path(folder))
        played = play_alone(SUITE.by_name(scenario), request, ROWS, "inside", Path(folder))
    assert played.result.state == "completed", played.result.note
    return judge_trace(played.trace, ROWS, SUITE.dialect.judging)


def verdicts(findings: list[Finding]) -> dict[str, str]:
    """The worst verdict for each row; passes left out."""
    rows = {f.requirement: worst(x.verdict for x in findings if x.requirement == f.requirement) for f in findings}
    return {row: verdict.value for row, verdict in rows.items() if verdict.value != "pass"}


def told(findings: list[Finding]) -> str:
    """For a failing test's reader."""
    return msgspec.json.format(msgspec.json.encode(findings), indent=1).decode()
