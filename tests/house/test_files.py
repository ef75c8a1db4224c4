"""What no committed file may hold, and what every package must."""

import subprocess
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
# Written in pieces, so that this file does not hold what it looks for.
REGISTRIES = [
    "pypi" + ".org",
    "python" + "hosted.org",
    "registry.npm" + "js.org",
    "proxy.golang" + ".org",
    "crates" + ".io",
]
ELSEWHERE = ["/work" + "/", "../" + "shared", "shared" + "/reference", "shared" + "/seeds"]


def committed() -> list[Path]:
    listed = subprocess.run(
        ["git", "ls-files", "-z", "--cached", "--others", "--exclude-standard"],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=30,
    )
    if listed.returncode != 0:
        pytest.skip("not a git checkout: a source archive cannot say which files are committed")
    return [ROOT / name for name in listed.stdout.split("\0") if name and (ROOT / name).is_file()]


@pytest.mark.parametrize("text", [*REGISTRIES, *ELSEWHERE])
def test_no_file_names_it(text: str) -> None:
    holders = [str(path.relative_to(ROOT)) for path in committed() if text.encode() in path.read_bytes()]
    assert not holders


def test_every_package_is_typed() -> None:
    for package in (
        "harness/brokercert",
        "mock_server/brokercert_mock",
        "scenarios/brokercert_scenarios",
        "reports/brokercert_reports",
    ):
        assert (ROOT / package / "py.typed").exists()


def test_every_dependency_is_pinned() -> None:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    wanted = [*project["project"]["dependencies"], *project["dependency-groups"]["dev"]]
    names = {requirement.split(">=")[0].strip().lower() for requirement in wanted}
    lines = (ROOT / "constraints.txt").read_text().splitlines()
    pinned = {line.split("==")[0].lower() for line in lines if "==" in line}
    assert names <= pinned, "pin each in constraints.txt, with all that it brings: `.venv/bin/pip freeze` tells"


def test_npm_locks_name_no_place() -> None:
    for path in committed():
        if path.name == "package-lock.json":
            assert '"resolved"' not in path.read_text()


def test_every_dependency_has_its_reason() -> None:
    """docs/design.md, Dependencies, names exactly what pyproject.toml asks for."""
    project = tomllib.loads((ROOT / "pyproject.toml").read_text())
    wanted = {
        requirement.split(">=")[0].strip()
        for requirement in [
            *project["project"]["dependencies"],
            *project["dependency-groups"]["dev"],
            *(name for extra in project["project"]["optional-dependencies"].values() for name in extra),
        ]
    }
    section = (ROOT / "docs" / "design.md").read_text("utf-8").split("## Dependencies")[1].split("\n## ")[0]
    cells = [line.split("|")[1] for line in section.splitlines() if line.startswith("| ")]
    explained = {name.strip() for cell in cells for name in cell.split(",")} - {
        "runtime",
        "development",
        "extra",
        "---",
    }
    assert explained == wanted, "docs/design.md, Dependencies: a line for each, with its reason"
