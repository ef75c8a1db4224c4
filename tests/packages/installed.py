"""The package of examples/ferry-broker as an installed one: a folder for PYTHONPATH, with its code and its metadata.

An installer would write the same two things. None is called: to build a wheel takes a build backend, which an offline
machine need not have. The entry points are those of the package's own pyproject.toml.
"""

from __future__ import annotations

import os
import shutil
import tomllib
from pathlib import Path

FERRY = Path(__file__).parents[2] / "examples" / "ferry-broker"


def install(site: Path, *, name: str = "", points: dict[str, dict[str, str]] | None = None) -> Path:
    """Write the package into `site`, under its own name and entry points unless others are given. Returns `site`."""
    project = tomllib.loads((FERRY / "pyproject.toml").read_text("utf-8"))["project"]
    shutil.copytree(FERRY / "ferry_broker", site / "ferry_broker", ignore=shutil.ignore_patterns("__pycache__"))
    add_metadata(site, name or project["name"], project["entry-points"] if points is None else points)
    return site


def add_metadata(site: Path, name: str, points: dict[str, dict[str, str]]) -> None:
    """What an installer writes of a distribution."""
    folder = site / f"{name.replace('-', '_')}-1.0.dist-info"
    folder.mkdir(parents=True)
    (folder / "METADATA").write_text(f"Metadata-Version: 2.1\nName: {name}\nVersion: 1.0\n")
    lines = [
        line for group, names in points.items() for line in (f"[{group}]", *(f"{k} = {v}" for k, v in names.items()))
    ]
    (folder / "entry_points.txt").write_text("\n".join([*lines, ""]))


def environment(site: Path) -> dict[str, str]:
    """That of a process which finds what is in `site`."""
    path = os.pathsep.join(filter(None, [str(site), os.environ.get("PYTHONPATH", "")]))
    return {**os.environ, "PYTHONPATH": path}
