"""Correct clients that a naive judge would fail, and wrong ones that it would pass: all as processes, in real time.

Each file `odd_*` and `wrong_*` says in its first line which judging rule it is about, in SCENARIOS what shows it,
and in EXPECT the verdicts that are no plain pass. They all run at once, in one loop: they mostly sleep. The correct
ones share their scenarios out among the ways in which a client may be asked to stop: none of these convicts.
"""

from __future__ import annotations

import ast
import asyncio
import gc
import os
import re
import runpy
import shutil
import sys
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from brokercert.engine.ask.config import LEVELS, STOPS
from brokercert.engine.client.subject import Level, Stop, SubjectSpec
from brokercert.engine.play.gate import StartGate
from brokercert.engine.play.scenario import load_suite
from brokercert.engine.run.run import Quiet, RunRequest, certify
from brokercert.verdict import SEVERITY, RunRecord, Verdict

HERE = Path(__file__).resolve().parent
EXAMPLES = HERE.parents[1] / "examples"
SET = "tradovate-stage2"
SUITE = load_suite(SET)
PLAIN = "answer-in-batch"  # for a client all of whose own scenarios ask it to stop
STAGGER = 0.3  # seconds between two clients' beginnings: a Python that starts takes about as much of one of two cores
OWN_LATENESS = 0.1  # seconds that a Python that sleeps may wake late, and its socket take: no error of the harness's
SHOWS = {  # the scenario that shows a broken copy's row soonest; or the one that shows this copy's defect
    "REC-010": "loss-fin",
    "LOG-070": "answer-in-batch",
    "HBT-050": "silent-application",
    "RLP-020": "sync-ticket",
    "ticket_misnamed": "sync-ticket",
    "OFF-010": "stop-open",
    "MSG-010": "malformed-json",
    "REC-030": "loss-rst",
    "EVT-030": "steady",
    "LOG-040": "token-refused",
    "wall_clock": "clock-steps-in-penalty",
}

# The first test waits for all of them: three minutes on a calm machine, and for what is played again on a busy one.
pytestmark = pytest.mark.timeout(1800)


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
    stops: tuple[Stop, ...] = ("signal",)
    shaped: bool = False  # its healthy shape is learnt first, by the preflight


@dataclass(frozen=True)
class Share:
    """A client's scenarios that it plays with one value of `stop`."""

    case: Case
    stop: Stop
    scenarios: tuple[str, ...]

    @property
    def lasts(self) -> float:
        return max(SUITE.by_name(name).lasts for name in self.scenarios)

    @property
    def offers(self) -> frozenset[str]:
        return frozenset({"wire", "process", *self.case.offers}) | ({"stop"} if self.stop != "none" else set())


def _shares(case: Case) -> list[Share]:
    """One for each value of `stop` that it is to be played with. Who has fewer scenarios than these plays its shortest
    again; a scenario that asks a client to stop is not for one that cannot be asked.
    """
    if len(case.stops) == 1:
        return [Share(case, case.stops[0], case.scenarios)]
    quickest = sorted(case.scenarios, key=lambda name: SUITE.by_name(name).lasts)
    free = [name for name in case.scenarios if "stop" not in SUITE.by_name(name).needs]
    none = tuple(free[::3]) if len(free) >= 3 else tuple(name for name in quickest if name in free)[:1] or (PLAIN,)
    rest = [name for name in case.scenarios if name not in none] or quickest[:1]
    return [
        Share(case, "none", none),
        Share(case, "signal", tuple(rest[::2])),
        Share(case, "command", tuple(rest[1::2]) or (quickest[0],)),
    ]


Records = dict[str, list[tuple[Share, RunRecord]]]  # by the client's name


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


def _strange(pattern: str, stops: tuple[Stop, ...] = ("signal",)) -> list[Case]:
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
                shaped=told.get("SHAPED", False),
                stops=stops,
            )
        )
    return cases


def _command(path: Path) -> tuple[str, ...]:
    return ("node", str(path)) if path.suffix == ".mjs" else (sys.executable, str(path))


def _shows(entry: Any) -> str:
    return SHOWS.get(Path(entry.file).stem, SHOWS.get(entry.row, ""))


CLOCKS = ("clock-steps", "clock-steps-in-penalty")  # for both examples: each runtime has a shim of its own
MADE = runpy.run_path(str(EXAMPLES / "make_broken.py"))
NODE = shutil.which("node") is not None and (EXAMPLES / "node" / "node_modules" / "ws").is_dir()


def _share(cases: list[Case]) -> list[Case]:
    """All of them, but for who asks for a share: `dev.py test` has four minutes, and the build plays the rest.

    Clients in Node are of the rest, since the build has their package and a fresh checkout has not.
    """
    third = [case for place, case in enumerate(cases) if place % 3 == 0 and not case.name.endswith(".mjs")]
    match os.environ.get("ODD_CLIENTS"):
        case "third":
            return third
        case "rest":
            return [case for case in cases if case not in third]
        case _:
            return cases


ODD, WRONG = _share(_strange("odd_*.*", STOPS)), _share(_strange("wrong_*.py"))
BROKEN = _share(
    [
        Case(entry.file, _command(EXAMPLES / entry.file), (_shows(entry),), {entry.row: "fail"})
        for entry in MADE["TABLE"]
    ]
)
WHOLE = [
    Case(
        str(source),
        _command(EXAMPLES / source),
        (
            *dict.fromkeys(_shows(entry) for entry in MADE["TABLE"] if Path(entry.source).parent == source.parent),
            *CLOCKS,
        ),
        stops=STOPS,
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
        stops=STOPS,
    )
    for source in ("node/client.mjs", "python/client.py")
]
REFERENCE = [
    Case(
        "reference",
        (sys.executable, "-m", "brokercert.reference.tradovate"),
        ("loss-rst", "order-flow", "away-direct"),
        offers=LEVELS["commands"],
        level="commands",
        stops=STOPS,
    )
]
LATE = [case for case in WRONG if case.figures]
CORRECT = [*WHOLE, *BELIEVING, *REFERENCE]
ALL = [case for case in (*ODD, *WRONG, *BROKEN, *CORRECT) if NODE or not case.name.endswith(".mjs")]


async def _play(shares: Sequence[Share], out: Path) -> list[RunRecord]:
    """Their runs, in the order in which they were given."""
    gate = StartGate()

    async def one(place: int, share: Share) -> RunRecord:
        await asyncio.sleep(place * STAGGER)
        case = share.case
        spec = SubjectSpec(
            name=case.name,
            command=case.command,
            cwd=HERE,
            env={"ODD_CLIENTS_OF": str(out)},  # by which any that is left over is recognised
            level=case.level,
            offers=share.offers,
            stop=share.stop,
        )
        request = RunRequest(
            set_id=SET,
            subject=spec,
            scenarios=(*(("preflight",) if case.shaped else ()), *share.scenarios),
            limits=case.limits,
            out=out / case.name.replace("/", "-") / share.stop,
        )
        return await certify(request, Quiet(), gate)

    longest_first = sorted(shares, key=lambda share: (not share.case.name.startswith("wrong"), -share.lasts))
    places = {id(share): place for place, share in enumerate(longest_first)}
    return await asyncio.gather(*(one(places[id(share)], share) for share in shares))


@pytest.fixture(scope="module")
def out(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("runs")


def _unsure(share: Share, record: RunRecord) -> bool:
    if "inconclusive" in share.case.expect.values():
        return False
    return any(row.verdict is Verdict.INCONCLUSIVE for row in record.rows)


@pytest.fixture(scope="module")
def records(out: Path, request: pytest.FixtureRequest) -> Records:
    """All that the chosen tests ask for, played; once more where this machine was too busy to measure a time."""
    asked = {item.callspec.id for item in request.session.items if hasattr(item, "callspec")}
    chosen = [case for case in ALL if case.name in asked]
    MADE["write"]()
    shares = [share for case in chosen for share in _shares(case)]
    gc.disable()  # of what this many runs hold, one look at all takes half a second in which each of them stands still
    played = asyncio.run(_play(shares, out))
    again = [place for place, (share, record) in enumerate(zip(shares, played, strict=True)) if _unsure(share, record)]
    second = asyncio.run(_play([shares[place] for place in again], out / "again"))
    gc.enable()
    for place, record in zip(again, second, strict=True):
        played[place] = record
    found: Records = {}
    for share, record in zip(shares, played, strict=True):
        found.setdefault(share.case.name, []).append((share, record))
    return found


def _verdicts(records: Iterable[tuple[Share, RunRecord]]) -> dict[str, tuple[str, str]]:
    """(verdict, reason) of the rows that the played scenarios exercise, and of those that they found broken, whatever
    `stop` was: the worst of them. Those are left out that need more than the client offers.
    """
    shown = [
        (row.id, row.verdict, f"{row.reason} [stop = {share.stop}]")
        for share, record in records
        for row in record.rows
        if (row.scenarios or row.findings) and set(row.needs) <= share.offers
    ]
    shown.sort(key=lambda row: SEVERITY[row[1]], reverse=True)  # the worst last
    return {row: (str(verdict), reason) for row, verdict, reason in shown}


def _names(cases: Sequence[Case]) -> list[str]:
    return [case.name for case in cases]


@pytest.mark.parametrize("case", [*ODD, *WRONG], ids=_names([*ODD, *WRONG]))
def test_strange_client_gets_exactly_the_verdicts_that_it_deserves(case: Case, records: Records) -> None:
    if case.name not in records:
        pytest.skip("needs Node, and `npm ci` in examples/node")
    found = _verdicts(records[case.name])
    assert set(case.expect) <= set(found), "EXPECT names rows that nothing exercised"
    wrong = {row: said for row, said in found.items() if said[0] != case.expect.get(row, case.others)}
    assert not wrong


@pytest.mark.parametrize("case", LATE, ids=_names(LATE))
def test_a_miss_is_measured_within_its_stated_error(case: Case, records: Records) -> None:
    for row in (row for _, record in records[case.name] for row in record.rows):
        if row.id in case.figures:
            failed = [f for f in row.findings if f.verdict is Verdict.FAIL]
            worst = max((m for f in failed for m in f.measured), key=lambda m: m.value)
            assert worst.error is not None
            assert abs(worst.value - case.figures[row.id]) <= worst.error + OWN_LATENESS


@pytest.mark.parametrize("case", BROKEN, ids=_names(BROKEN))
def test_broken_copy_fails_the_row_that_its_first_line_names(case: Case, records: Records) -> None:
    if case.name not in records:
        pytest.skip("needs Node, and `npm ci` in examples/node")
    found = _verdicts(records[case.name])
    failed = {row: said for row, said in found.items() if said[0] == "fail"}
    assert set(case.expect) <= set(failed), found


@pytest.mark.parametrize("case", CORRECT, ids=_names(CORRECT))
def test_example_passes_all_that_it_is_played_for(case: Case, records: Records) -> None:
    if case.name not in records:
        pytest.skip("needs Node, and `npm ci` in examples/node")
    wrong = {row: said for row, said in _verdicts(records[case.name]).items() if said[0] != "pass"}
    assert not wrong


def test_every_correct_client_is_played_with_every_value_of_stop() -> None:
    for case in (*ODD, *CORRECT):
        shares = _shares(case)
        assert {share.stop for share in shares} == set(STOPS), case.name
        assert {name for share in shares for name in share.scenarios} >= set(case.scenarios), case.name
        for share in shares:
            needs = {need for name in share.scenarios for need in SUITE.by_name(name).needs}
            assert share.scenarios and ("stop" in share.offers or "stop" not in needs), case.name


@pytest.mark.skipif(not Path("/proc/self/environ").exists(), reason="this system has no /proc to look in")
def test_nothing_of_any_client_is_left_running(out: Path, records: Records) -> None:
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
