"""Imports point one way (docs/design.md, The rooms), and what must stay light or pure does."""

import ast
import subprocess
import sys
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ROOMS = {
    "brokercert_mock": ROOT / "mock_server",
    "brokercert": ROOT / "harness",
    "brokercert_scenarios": ROOT / "scenarios",
    "brokercert_reports": ROOT / "reports",
}
OURS = tuple(ROOMS)

SHARED_BY_REFERENCES = tuple(f"brokercert.reference.{name}" for name in ("program", "resolve", "rest", "stdio"))

# package or module (longest prefix wins) -> what of ours it may import besides itself
ALLOWED: dict[str, tuple[str, ...]] = {
    "brokercert_mock": (),
    "brokercert_reports": (
        "brokercert.seal",
        "brokercert.trace",
        "brokercert.verdict",
        "brokercert.requirements",
        "brokercert.sources",
    ),
    "brokercert_scenarios": ("brokercert", "brokercert_mock"),
    "brokercert": ("brokercert",),
    "brokercert.engine": ("brokercert", "brokercert_mock"),
    "brokercert.live": ("brokercert", "brokercert_mock"),
    "brokercert.fuzz": ("brokercert", "brokercert_mock"),
    "brokercert.toxiproxy": ("brokercert", "brokercert_mock.port.addresses"),
    "brokercert.hostile": (),
    "brokercert.simulation": ("brokercert", "brokercert_mock"),
    "brokercert.cli": ("brokercert", "brokercert_mock", "brokercert_reports"),
    "brokercert.parcel": ("brokercert", "brokercert_reports"),
    "brokercert.door": ("brokercert", "brokercert_reports"),
    "brokercert.door.process": ("brokercert.door.wire", "brokercert.ownprocess"),
    "brokercert.door.wire": (),
    "brokercert.ownprocess": (),
    "brokercert.pytest_plugin": ("brokercert.pytest_items", "brokercert.pytest_status"),
    "brokercert.pytest_items": ("brokercert.door.process", "brokercert.door.wire", "brokercert.pytest_status"),
    "brokercert.pytest_status": ("brokercert.door.wire", "brokercert.pytest_items", "brokercert.sets"),
    "brokercert.near": (),
    "brokercert.sets": (),
    "brokercert.trace": (),
    "brokercert.verdict": (),
    "brokercert.seal": ("brokercert.verdict",),
    "brokercert.requirements": ("brokercert.verdict", "brokercert.sets"),
    "brokercert.sources": ("brokercert.requirements", "brokercert.sets"),
    "brokercert.judge": ("brokercert.trace", "brokercert.verdict", "brokercert.requirements"),
    "brokercert.reference": (),
    "brokercert.reference.tradovate": SHARED_BY_REFERENCES,
    "brokercert.reference.arrow": SHARED_BY_REFERENCES,
}
PURE = (
    "brokercert.trace",
    "brokercert.verdict",
    "brokercert.seal",
    "brokercert.requirements",
    "brokercert.sources",
    "brokercert.judge",
)
IMPURE = ("asyncio", "websockets", "pytest", "time", "random", "socket", "requests", "subprocess", "threading")
IN_PYTEST = ("pytest_plugin", "pytest_items", "pytest_status", "door.process", "door.wire", "ownprocess", "sets")
SANS_IO = ("wire", "states", "session", "requests", "store", "state")


# A room of one broker is a folder of such a name. What lies in one may import what is shared, and its own broker's.
DIALECTS = {
    "tradovate": ("tradovate", "tradovate_stage2"),
    "arrow": ("arrow", "arrow_2026", "arrow_orders", "arrow_orders_2026"),
}

# Shared module -> the broker whose room it imports all the same, and the reason.
EXCEPTIONS = {
    "brokercert_mock": ("tradovate", "its users write `from brokercert_mock import TradovateBroker`"),
    "brokercert.fuzz.client": ("tradovate", "the client that is fuzzed is the first broker's reference client"),
    "brokercert.fuzz.from_trace": ("tradovate", "its seeds are hostile frames of recorded traces of that broker"),
    "brokercert.fuzz.own_arrow": ("arrow", "it feeds that broker's own mock, whose REST is its own"),
    "brokercert.simulation.play": ("tradovate", "sessions are simulated of that broker alone (docs/simulation.md)"),
    "brokercert.simulation.watch": ("tradovate", "it reads what is said in these sessions as that broker's judge does"),
}


def modules() -> Iterator[tuple[str, Path]]:
    for package, root in ROOMS.items():
        for path in sorted((root / package).rglob("*.py")):
            name = ".".join(path.relative_to(root).with_suffix("").parts).removesuffix(".__init__")
            yield name, path


@cache
def names() -> frozenset[str]:
    return frozenset(name for name, _ in modules())


@cache
def imports_of(path: Path) -> frozenset[str]:
    """The modules that a file imports, anywhere in it. `from package import module` is the module."""
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0 and node.module, f"{path}: relative import"
            whole = {f"{node.module}.{alias.name}" for alias in node.names}
            found |= {name if name in names() else node.module for name in whole}
    return frozenset(found)


def dialect_of(module: str) -> str:
    """The broker in whose room a module lies; empty for what is shared."""
    parts = module.split(".")
    return next((dialect for dialect, rooms in DIALECTS.items() if any(room in parts for room in rooms)), "")


def rooms_entered(module: str, path: Path) -> dict[str, str]:
    """Import -> broker, for each import of a room that is not the module's own."""
    entered = {name: dialect_of(name) for name in imports_of(path) if any(is_within(name, ours) for ours in OURS)}
    return {name: dialect for name, dialect in entered.items() if dialect not in ("", dialect_of(module))}


def rule_for(module: str) -> tuple[str, tuple[str, ...]]:
    prefix = max((p for p in ALLOWED if module == p or module.startswith(f"{p}.")), key=len)
    return prefix, ALLOWED[prefix]


def is_within(name: str, package: str) -> bool:
    return name == package or name.startswith(f"{package}.")


@pytest.mark.parametrize(("module", "path"), list(modules()), ids=lambda value: value if isinstance(value, str) else "")
def test_a_module_imports_only_what_its_room_may(module: str, path: Path) -> None:
    own, allowed = rule_for(module)
    for name in imports_of(path):
        if is_within(name, "tests"):
            pytest.fail(f"{module} imports {name}")
        if any(is_within(name, package) for package in OURS):
            assert any(is_within(name, package) for package in (own, *allowed)), f"{module} imports {name}"


@pytest.mark.parametrize(("module", "path"), list(modules()), ids=lambda value: value if isinstance(value, str) else "")
def test_what_is_shared_knows_no_broker_and_no_broker_knows_another(module: str, path: Path) -> None:
    allowed = EXCEPTIONS.get(module, ("", ""))[0]
    entered = {name: dialect for name, dialect in rooms_entered(module, path).items() if dialect != allowed}
    assert not entered, f"{module} imports {entered}; move what it needs to a shared module, or hand it over"


def test_every_exception_is_of_a_shared_module_and_still_needed() -> None:
    paths = dict(modules())
    for module, (dialect, reason) in EXCEPTIONS.items():
        assert module in paths and dialect_of(module) == "" and reason, module
        assert dialect in rooms_entered(module, paths[module]).values(), f"{module} needs no exception any more"


def test_every_suite_lies_in_a_room() -> None:
    """Else a new broker's folders would count as shared."""
    found = {name for name in names() if name.startswith("brokercert_scenarios.") and name.count(".") == 1}
    assert found and not [name for name in found if not dialect_of(name)]


@pytest.mark.parametrize(
    ("line", "found"),
    [
        ("from brokercert.judge import tradovate", "brokercert.judge.tradovate"),
        ("import brokercert.mutants.arrow.mutant as m", "brokercert.mutants.arrow.mutant"),
        ("def f():\n    from brokercert.reference.arrow.client import EVENTS", "brokercert.reference.arrow.client"),
        ("if TYPE_CHECKING:\n    from brokercert_mock import tradovate", "brokercert_mock.tradovate"),
    ],
)
def test_an_import_of_a_room_is_seen_however_it_is_written(line: str, found: str, tmp_path: Path) -> None:
    path = tmp_path / "module.py"
    path.write_text(line)
    assert list(rooms_entered("brokercert.engine.loops", path)) == [found]


@pytest.mark.parametrize(("module", "path"), list(modules()), ids=lambda value: value if isinstance(value, str) else "")
def test_a_pure_module_can_do_no_io(module: str, path: Path) -> None:
    if any(is_within(module, package) for package in PURE):
        found = {name for name in imports_of(path) if name.split(".")[0] in IMPURE}
        assert not found, f"{module} imports {found}"


@pytest.mark.parametrize("name", IN_PYTEST)
def test_what_runs_in_pytest_needs_nothing_that_a_project_may_have_too(name: str) -> None:
    """A project's folders come first on the import path there. What is imported before they do cannot be mistaken."""
    path = ROOMS["brokercert"].joinpath("brokercert", *name.split(".")).with_suffix(".py")
    allowed = {*sys.stdlib_module_names, "pytest", "brokercert"}
    assert {item.split(".")[0] for item in imports_of(path)} <= allowed
    tree = ast.parse(path.read_text())
    within = [inside for node in tree.body if not is_early(node) for inside in ast.walk(node)]
    assert not [node for node in within if isinstance(node, ast.Import | ast.ImportFrom)], "imported in a function"


def is_early(node: ast.stmt) -> bool:
    """Imports at the top, or for types alone."""
    return isinstance(node, ast.Import | ast.ImportFrom | ast.If)


@pytest.mark.parametrize("name", SANS_IO)
def test_the_reference_clients_core_can_do_no_io(name: str) -> None:
    path = ROOMS["brokercert"] / "brokercert" / "reference" / "tradovate" / f"{name}.py"
    found = {item for item in imports_of(path) if item.split(".")[0] in IMPURE}
    assert not found


def test_the_client_and_the_broker_share_nothing() -> None:
    for module, path in modules():
        if any(is_within(module, f"brokercert.{name}") for name in ("reference", "judge")):
            assert not any(is_within(name, "brokercert_mock") for name in imports_of(path)), module


def test_an_ordinary_pytest_run_pays_nothing_for_the_plugin() -> None:
    heavy = "websockets, hypothesis, h11, jinja2, rich, msgspec, brokercert_mock, brokercert.engine"
    code = f"import sys, brokercert.pytest_plugin; print([m for m in '{heavy}'.split(', ') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=30)
    assert done.stdout.strip() == "[]"
