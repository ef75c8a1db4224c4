"""Builds the wheel, installs it into a project that is not ours, and tries its doors there.

    python3 dev.py wheel

Exit status 0: the command line and the pytest plugin work there, and the plugin is inert in an ordinary pytest run.
"""

from __future__ import annotations

import shutil
import subprocess
import sys
import tempfile
import textwrap
from pathlib import Path
from xml.etree import ElementTree

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))
from dev import INSTALL_HINT, ROOT, fail, makers, run, say

FOREIGN = {
    "pyproject.toml": """\
        [tool.pytest]
        strict_markers = true
        filterwarnings = ["error"]
        """,
    "test_theirs.py": """\
        def test_theirs() -> None:
            assert 1 + 1 == 2
        """,
    "conftest.py": "",
}


def wheel() -> int:
    """Build the wheel, install it into a project that is not ours, and try its doors there."""
    with tempfile.TemporaryDirectory() as folder:
        scratch = Path(folder)
        status = run(sys.executable, "-m", "pip", "wheel", "-q", "--no-deps", "-w", scratch, ROOT)
        if status:
            return status
        built = next(scratch.glob("brokercert-*.whl"))
        (ROOT / "dist").mkdir(exist_ok=True)
        shutil.copy(built, ROOT / "dist")
        project = scratch / "project"
        project.mkdir()
        for name, text in FOREIGN.items():
            (project / name).write_text(textwrap.dedent(text))
        say(f"installing {built.name} into a project of its own")
        python = foreign_venv(scratch / "venv")
        commands = (
            (python, "-m", "pip", "install", "-q", "-c", ROOT / "constraints.txt", built),
            (python, "-m", "brokercert", "list"),
            (python, "-m", "pytest", "-q"),  # inert: the project's own test, nothing more
        )
        for command in commands:
            status = run(*command, cwd=project)
            if status:
                return status
        return door_in_pytest(python, project)


def foreign_venv(folder: Path) -> Path:
    """The Python of a new environment. Ends the program where none can be made."""
    for _name, command in makers():
        if subprocess.run([*command[:-1], str(folder)], capture_output=True).returncode == 0:
            return folder / "bin" / "python"
    fail(f"no virtual environment could be made: {INSTALL_HINT}")


def door_in_pytest(python: Path, project: Path) -> int:
    """A filtered run: its rows pass, and the certificate fails, since a filter never makes a pass."""
    report = project / "TEST-stage2.xml"
    rows = ("LOG-025", "EVT-020")
    only = [text for row in rows for text in ("--brokercert-only", row)]
    status = run(
        python, "-m", "pytest", "-q", "-m", "stage2", "--brokercert-reference", *only, "--junitxml", report, cwd=project
    )
    cases = list(ElementTree.parse(report).getroot().iter("testcase")) if report.exists() else []
    bad = {place(case) for case in cases if case.find("failure") is not None or case.find("error") is not None}
    ours = {place(case) for case in cases if place(case).endswith(rows)}
    if status != 1 or len(ours) != len(rows) or ours & bad or not any("certificate" in name for name in bad):
        say(f"pytest ended with {status}; rows reported: {sorted(ours)}; not passed: {sorted(bad)}")
        return 1
    say("the filtered run's rows passed, and its certificate failed, as it must")
    return 0


def place(case: ElementTree.Element) -> str:
    """Where a test case stands: the requirement is in the class's name, the scenario in its own; as pytest groups."""
    name = case.get("classname", "")
    return name if "." in name else f"{name}.{case.get('name')}"


if __name__ == "__main__":
    sys.exit(wheel())
