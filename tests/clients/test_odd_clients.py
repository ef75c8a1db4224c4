"""Correct clients that a naive judge would fail, and wrong ones that it would pass: all as processes, in real time.

Each file `odd_*` and `wrong_*` says in its first line which judging rule it is about, in SCENARIOS what shows it,
and in EXPECT the verdicts that are no plain pass. They all run at once, in one loop: they mostly sleep.
"""

from __future__ import annotations

import ast
import asyncio
import os
import re
import runpy
import shutil
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from brokercert.engine.config import LEVELS
from brokercert.engine.gate import StartGate
from brokercert.engine.run import Quiet, RunRequest, certify
from brokercert.engine.scenario import load_suite
from brokercert.engine.subject import Level, SubjectSpec
from brokercert.verdict import RunRecord, Verdict

HERE = Path(__file__).resolve().parent
EXAMPLES = HERE.parents[1] / "examples"
SET = "tradovate-stage2"
STAGGER = 0.3  # seconds between two clients' beginnings: a Python that starts takes about as much of one of two cores
OWN_LATENESS = 0.1  # seconds that a Python that sleeps may wake late, and its socket take: no error of the harness's
SHOWS = {  # the scenario that shows a broken copy's row soonest
    "REC-010": "loss-fin",
    "LOG-070": "answer-in-batch",
    "HBT-050": "silent-application",
    "RLP-020": "sync-ticket",
    "RLP-030": "sync-ticket",
    "OFF-010": "stop-open",
    "MSG-010": "malformed-json",
    "REC-030": "loss-rst",
    "EVT-030": "steady",
    "LOG-040": "token-refused",
}

pytestmark = pytest.mark.timeout(300)  # the first test waits for the slowest of them all, twice on a busy machine


@dataclass(frozen=True)
class Case:
    """One client to run."""

    name: str
    command: tuple[str, ...]
    scenarios: tuple[str, ...]
    expect: Mapping[str, str] = field(default_factory=dict)
    offers: tuple[str, ...] = ()
    limits: Mapping[str, float] = field(default_factory=dict)
    others: str = "pass"  # the verdict of the rows that `expect` does not name
    level: Level = "wire"
    figures: Mapping[str, float] = field(default_factory=dict)  # what a row measures, by the client's own clock

    @property
    def lasts(self) -> float:
        suite = load_suite(SET)
        return max(suite.by_name(name).lasts for name in self.scenarios)


def _constants(path: Path) -> dict[str, Any]:
    """The module's literal constants, read without running it; of other languages, those in its comments."""
    found: dict[str, Any] = {}
    text = path.read_text("utf-8")
    if path.suffix != ".py":
        text = "\n".join(re.findall(r"^// ([A-Z]+ = .*)$", text, re.MULTILINE))
    for node in ast.parse(text).body:
        match node:
            case ast.Assign(targets=[ast.Name(id=name)], value=value) if name.isupper():
                found[name] = ast.literal_eval(value)
            case ast.AnnAssign(target=ast.Name(id=name), value=ast.expr() as value) if name.isupper():
                found[name] = ast.literal_eval(value)
    return found


def _strange(pattern: str) -> list[Case]:
    cases = []
    for path in sorted(HERE.glob(pattern)):
        told = _constants(path)
        cases.append(
            Case(
                name=path.stem if path.suffix == ".py" else path.name,
                command=_command(path),
                scenarios=tuple(told["SCENARIOS"]),
                expect=told["EXPECT"],
                offers=tuple(told.get("OFFERS", ())),
                limits=told.get("LIMITS", {}),
                others=told.get("OTHERS", "pass"),
                figures=told.get("FIGURES", {}),
            )
        )
    return cases


def _command(path: Path) -> tuple[str, ...]:
    return ("node", str(path)) if path.suffix == ".mjs" else (sys.executable, str(path))


MADE = runpy.run_path(str(EXAMPLES / "make_broken.py"))
NODE = shutil.which("node") is not None and (EXAMPLES / "node" / "node_modules" / "ws").is_dir()
ODD, WRONG = _strange("odd_*.*"), _strange("wrong_*.py")
BROKEN = [
    Case(entry.file, _command(EXAMPLES / entry.file), (SHOWS[entry.row],), {entry.row: "fail"})
    for entry in MADE["TABLE"]
]
WHOLE = [
    Case(
        str(source),
        _command(EXAMPLES / source),
        tuple(dict.fromkeys(SHOWS[entry.row] for entry in MADE["TABLE"] if Path(entry.source).parent == source.parent)),
    )
    for source in (Path("node/client.mjs"), Path("python/client.py"))
]
BELIEVING = [  # at the level commands: what they believe after a flow, a batch, arrays and an outage
    Case(
        f"state of {source}",
        _command(EXAMPLES / source),
        ("order-flow", "events-in-one-frame", "arrays-and-deletions", "away-proxied"),
        offers=LEVELS["commands"],
        level="commands",
    )
    for source in ("node/client.mjs", "python/client.py")
]
LATE = [case for case in WRONG if case.figures]
ALL = [case for case in (*ODD, *WRONG, *BROKEN, *WHOLE, *BELIEVING) if NODE or not case.name.endswith(".mjs")]


async def _play(cases: Sequence[Case], out: Path) -> dict[str, RunRecord]:
    gate = StartGate()

    async def one(place: int, case: Case) -> RunRecord:
        await asyncio.sleep(place * STAGGER)
        spec = SubjectSpec(
            name=case.name,
            command=case.command,
            cwd=HERE,
            env={"ODD_CLIENTS_OF": str(out)},  # by which any that is left over is recognised
            level=case.level,
            offers=frozenset({"wire", "stop", "process", *case.offers}),
        )
        request = RunRequest(
            set_id=SET,
            subject=spec,
            scenarios=case.scenarios,
            limits=case.limits,
            out=out / case.name.replace("/", "-"),
        )
        return await certify(request, Quiet(), gate)

    longest_first = sorted(cases, key=lambda case: (not case.name.startswith("wrong"), -case.lasts))
    records = await asyncio.gather(*(one(place, case) for place, case in enumerate(longest_first)))
    return {case.name: record for case, record in zip(longest_first, records, strict=True)}


@pytest.fixture(scope="module")
def out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("runs")


def _unsure(record: RunRecord) -> bool:
    return any(row.verdict is Verdict.INCONCLUSIVE for row in record.rows)


@pytest.fixture(scope="module")
def records(out: Path, request: pytest.FixtureRequest) -> dict[str, RunRecord]:
    """All that the chosen tests ask for, played; once more where this machine was too busy to measure a time."""
    asked = {item.callspec.id for item in request.session.items if hasattr(item, "callspec")}
    chosen = [case for case in ALL if case.name in asked]
    MADE["write"]()
    found = asyncio.run(_play(chosen, out))
    again = [case for case in chosen if _unsure(found[case.name]) and "inconclusive" not in case.expect.values()]
    return found | asyncio.run(_play(again, out / "again"))


def _verdicts(record: RunRecord, case: Case) -> dict[str, tuple[str, str]]:
    """(verdict, reason) of the rows that the played scenarios exercise, and of those that they found broken; those
    left out that need more than the client offers.
    """
    offers = {"wire", "stop", "process", *case.offers}
    shown = [row for row in record.rows if (row.scenarios or row.findings) and set(row.needs) <= offers]
    return {row.id: (str(row.verdict), row.reason) for row in shown}


def _names(cases: Sequence[Case]) -> list[str]:
    return [case.name for case in cases]


@pytest.mark.parametrize("case", [*ODD, *WRONG], ids=_names([*ODD, *WRONG]))
def test_strange_client_gets_exactly_the_verdicts_that_it_deserves(case: Case, records: dict[str, RunRecord]) -> None:
    if case.name not in records:
        pytest.skip("needs Node, and `npm ci` in examples/node")
    found = _verdicts(records[case.name], case)
    assert set(case.expect) <= set(found), "EXPECT names rows that nothing exercised"
    wrong = {row: said for row, said in found.items() if said[0] != case.expect.get(row, case.others)}
    assert not wrong


@pytest.mark.parametrize("case", LATE, ids=_names(LATE))
def test_a_miss_is_measured_within_its_stated_error(case: Case, records: dict[str, RunRecord]) -> None:
    for row in records[case.name].rows:
        if row.id in case.figures:
            failed = [f for f in row.findings if f.verdict is Verdict.FAIL]
            worst = max((m for f in failed for m in f.measured), key=lambda m: m.value)
            assert worst.error is not None
            assert abs(worst.value - case.figures[row.id]) <= worst.error + OWN_LATENESS


@pytest.mark.parametrize("case", BROKEN, ids=_names(BROKEN))
def test_broken_copy_fails_the_row_that_its_first_line_names(case: Case, records: dict[str, RunRecord]) -> None:
    if case.name not in records:
        pytest.skip("needs Node, and `npm ci` in examples/node")
    found = _verdicts(records[case.name], case)
    failed = {row: said for row, said in found.items() if said[0] == "fail"}
    assert set(case.expect) <= set(failed), found


@pytest.mark.parametrize("case", [*WHOLE, *BELIEVING], ids=_names([*WHOLE, *BELIEVING]))
def test_example_passes_all_that_it_is_played_for(case: Case, records: dict[str, RunRecord]) -> None:
    if case.name not in records:
        pytest.skip("needs Node, and `npm ci` in examples/node")
    wrong = {row: said for row, said in _verdicts(records[case.name], case).items() if said[0] != "pass"}
    assert not wrong


@pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="this system has no /proc to look in")
def test_nothing_of_any_client_is_left_running(out: Path, records: dict[str, RunRecord]) -> None:
    left = []
    for process in Path("/proc").iterdir():
        if process.name.isdecimal() and int(process.name) != os.getpid():
            try:
                if str(out).encode() in (process / "environ").read_bytes():
                    left.append((process / "cmdline").read_bytes())
            except OSError:
                continue  # gone meanwhile, or somebody else's
    assert records
    assert not left


def test_broken_copy_differs_from_its_source_in_one_line() -> None:
    """And where that line is in a part of the client, the client's own copy names that part's copy."""
    for entry in MADE["TABLE"]:
        copies = MADE["copies_of"](entry)
        clients = [f"{Path(entry.source).parent}/client{Path(entry.source).suffix}"]
        assert entry.file in copies and len(copies) == 2 - (entry.source in clients)
        for source, text in zip(dict.fromkeys([entry.source, *clients]), copies.values(), strict=True):
            first, *rest = text.splitlines()
            assert entry.row in first
            original = (EXAMPLES / source).read_text("utf-8").splitlines()
            assert sum(a != b for a, b in zip(original, rest, strict=True)) == 1


def test_lock_file_of_the_node_example_names_no_registry() -> None:
    assert "resolved" not in (EXAMPLES / "node" / "package-lock.json").read_text("utf-8")
