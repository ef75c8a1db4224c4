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
    "brokercert.pytest_items": ("brokercert", "brokercert_reports"),
    "brokercert.trace": (),
    "brokercert.verdict": (),
    "brokercert.requirements": ("brokercert.verdict",),
    "brokercert.sources": ("brokercert.requirements",),
    "brokercert.judge": ("brokercert.trace", "brokercert.verdict", "brokercert.requirements"),
    "brokercert.reference": (),
    "brokercert.reference_arrow": ("brokercert.reference.rest", "brokercert.reference.program"),
}
PURE = ("brokercert.trace", "brokercert.verdict", "brokercert.requirements", "brokercert.sources", "brokercert.judge")
IMPURE = ("asyncio", "websockets", "pytest", "time", "random", "socket", "requests", "subprocess", "threading")
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


@pytest.mark.parametrize("name", SANS_IO)
def test_the_reference_clients_core_can_do_no_io(name: str) -> None:
    path = ROOMS["brokercert"] / "brokercert" / "reference" / f"{name}.py"
    found = {item for item in imports_of(path) if item.split(".")[0] in IMPURE}
    assert not found


def test_the_client_and_the_broker_share_nothing() -> None:
    for module, path in modules():
        if any(is_within(module, f"brokercert.{name}") for name in ("reference", "reference_arrow", "judge")):
            assert not any(is_within(name, "brokercert_mock") for name in imports_of(path)), module


def test_an_ordinary_pytest_run_pays_nothing_for_the_plugin() -> None:
    heavy = "websockets, hypothesis, h11, jinja2, rich, msgspec, brokercert_mock, brokercert.engine"
    code = f"import sys, brokercert.pytest_plugin; print([m for m in '{heavy}'.split(', ') if m in sys.modules])"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=30)
    assert done.stdout.strip() == "[]"
