"""Imports point one way (docs/design.md, The rooms), and what must stay light or pure does."""

import ast
import subprocess
import sys
from collections.abc import Iterator
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
    "brokercert_reports": ("brokercert.trace", "brokercert.verdict"),
    "brokercert_scenarios": ("brokercert", "brokercert_mock"),
    "brokercert": ("brokercert",),
    "brokercert.engine": ("brokercert", "brokercert_mock"),
    "brokercert.live": ("brokercert", "brokercert_mock"),
    "brokercert.fuzz": ("brokercert", "brokercert_mock"),
    "brokercert.hostile": (),
    "brokercert.simulation": ("brokercert", "brokercert_mock"),
    "brokercert.cli": ("brokercert", "brokercert_mock", "brokercert_reports"),
    "brokercert.door": ("brokercert", "brokercert_reports"),
    "brokercert.door.process": ("brokercert.door.wire", "brokercert.ownprocess"),
    "brokercert.door.wire": (),
    "brokercert.ownprocess": (),
    "brokercert.pytest_plugin": ("brokercert.pytest_items", "brokercert.pytest_status"),
    "brokercert.pytest_items": ("brokercert.door.process", "brokercert.door.wire", "brokercert.pytest_status"),
    "brokercert.pytest_status": ("brokercert.door.wire", "brokercert.pytest_items", "brokercert.sets"),
    "brokercert.sets": (),
    "brokercert.trace": (),
    "brokercert.verdict": (),
    "brokercert.requirements": ("brokercert.verdict",),
    "brokercert.sources": ("brokercert.requirements",),
    "brokercert.judge": ("brokercert.trace", "brokercert.verdict", "brokercert.requirements"),
    "brokercert.reference": (),
    "brokercert.reference.tradovate": SHARED_BY_REFERENCES,
    "brokercert.reference.arrow": SHARED_BY_REFERENCES,
}
PURE = ("brokercert.trace", "brokercert.verdict", "brokercert.requirements", "brokercert.sources", "brokercert.judge")
IMPURE = ("asyncio", "websockets", "pytest", "time", "random", "socket", "requests", "subprocess", "threading")
IN_PYTEST = ("pytest_plugin", "pytest_items", "pytest_status", "door.process", "door.wire", "ownprocess", "sets")
SANS_IO = ("wire", "states", "session", "requests", "store", "state")


def modules() -> Iterator[tuple[str, Path]]:
    for package, root in ROOMS.items():
        for path in sorted((root / package).rglob("*.py")):
            name = ".".join(path.relative_to(root).with_suffix("").parts).removesuffix(".__init__")
            yield name, path


def imports_of(path: Path) -> set[str]:
    found: set[str] = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {alias.name for alias in node.names}
        elif isinstance(node, ast.ImportFrom):
            assert node.level == 0, f"{path}: relative import"
            found.add(node.module or "")
    return found


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
