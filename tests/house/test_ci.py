"""The templates for CI systems: what a job runs, run in a clean folder with words that no shell may read."""

from __future__ import annotations

import json
import os
import re
import stat
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest
from brokercert.engine.ask.variables import VARIABLES

ROOT = Path(__file__).parents[2]
CI = ROOT / "ci"
FOUL = ["a b", "$(touch broken)", "`touch broken`", "'; touch broken; '", '"', "--help", "*", "\\"]
STUB = """#!{python}
import json, os, sys
from pathlib import Path
told = {name: text for name, text in os.environ.items() if name.startswith("BROKERCERT_")}
Path("called.json").write_text(json.dumps([sys.argv[1:], told]))
sys.exit(int(os.environ.get("STUB_EXITS", "0")))
"""
ROW: dict[str, Any] = {
    "id": "LOG-010",
    "title": "Login",
    "level": "MUST",
    "in_part": True,
    "verdict": "fail",
    "reason": "x",
}
RUN: dict[str, Any] = {
    "outcome": "failed",
    "sentence": "bot: failed",
    "selected": [],
    "waivers": [],
    "waived_on": "",
    "rows": [],
}


@pytest.fixture
def place(tmp_path: Path) -> Path:
    """A folder with nothing in it, in which `brokercert` only tells with what it was called."""
    stub = tmp_path / "bin" / "brokercert"
    stub.parent.mkdir()
    stub.write_text(STUB.replace("{python}", sys.executable))
    stub.chmod(0o755)
    (tmp_path / "work").mkdir()
    return tmp_path / "work"


def ran(place: Path, *command: str, **more: str) -> subprocess.CompletedProcess[str]:
    env = {"PATH": f"{place.parent / 'bin'}{os.pathsep}{os.environ['PATH']}", "HOME": str(place), **more}
    return subprocess.run(command, cwd=place, env=env, capture_output=True, text=True, timeout=50)


def called(place: Path) -> tuple[list[str], dict[str, str]]:
    words, told = json.loads((place / "called.json").read_text())
    return words, told


def step(file: str, pattern: str) -> str:
    """The one command of a template that certifies."""
    (line,) = re.findall(pattern, (CI / file).read_text(), re.MULTILINE)
    return str(line)


COMMANDS = {
    "GitHub": (
        "bash",
        "--noprofile",
        "--norc",
        "-eo",
        "pipefail",
        "-c",
        step("github/action.yml", "run: (brokercert.*)$"),
    ),
    "GitLab": ("bash", "-eo", "pipefail", "-c", step("gitlab.yml", r"^  script:\n    - (.*)$")),
    "Jenkins": ("sh", "-xe", "-c", step("Jenkinsfile", "^ *sh '(.*)'$")),
}
TELL = step("github/action.yml", """run: '(".*")'$""")


@pytest.mark.parametrize("word", FOUL)
@pytest.mark.parametrize("name", COMMANDS)
def test_no_word_of_a_user_is_read_as_a_command(place: Path, name: str, word: str) -> None:
    of = {f"BROKERCERT_{name}": word for name in ("OUT", "SET", "PART", "COMMAND")}
    done = ran(place, *COMMANDS[name], **of)
    assert done.returncode == 0, done.stderr
    assert called(place) == (["certify"], of) and not list(place.rglob("broken"))


@pytest.mark.parametrize("name", COMMANDS)
@pytest.mark.parametrize("status", [0, 1, 2, 3, 4, 130])
def test_the_status_is_brokercerts_own(place: Path, name: str, status: int) -> None:
    assert ran(place, *COMMANDS[name], STUB_EXITS=str(status)).returncode == status


@pytest.mark.parametrize("file", ["github/action.yml", "gitlab.yml", "Jenkinsfile", "tell.sh"])
def test_brokercert_reads_each_variable_that_is_named(file: str) -> None:
    named = set(re.findall("BROKERCERT_[A-Z]+", (CI / file).read_text()))
    assert named and named <= set(VARIABLES)


def told(place: Path, run: dict[str, Any], **more: str) -> list[str]:
    (place / "out" / "latest").mkdir(parents=True, exist_ok=True)
    (place / "out" / "latest" / "run.json").write_text(json.dumps(run))
    done = ran(place, *COMMANDS["GitHub"][:-1], TELL, GITHUB_ACTION_PATH=str(CI / "github"), **more)
    assert (done.returncode, done.stderr) == (0, "")
    return done.stdout.splitlines()


def test_there_are_ten_annotations_at_most_and_the_rest_is_counted(place: Path) -> None:
    for count in (0, 1, 8, 9, 10, 300):
        lines = told(place, {**RUN, "rows": [{**ROW, "id": f"ROW-{n}"} for n in range(count)]})
        assert len(lines) == min(10, count + 1) and lines[0] == "::error title=brokercert::bot: failed"
        named = sum("::error title=ROW-" in line for line in lines)
        assert lines[-1].endswith(f"{count - named} more rows are in the report.") or named == count


@pytest.mark.parametrize(
    "text", ["a\n::add-mask::b", "a\r\n::stop-commands::x", "100% :: , ,title=x::", "\ud800", "a" * 10**5]
)
def test_what_a_client_said_begins_no_command(place: Path, text: str) -> None:
    row = {**ROW, "reason": text, "title": text}
    lines = told(place, {**RUN, "sentence": text, "rows": [row]})
    assert len(lines) == 2 and max(map(len, lines)) < 1500
    for line in lines:
        title, _, rest = line.removeprefix("::error title=").partition("::")
        assert not set(title) & set(":,") and not re.search("%(?!25|0D|0A|3A|2C)", line) and rest


def test_a_row_is_told_as_what_it_is(place: Path) -> None:
    waiver = {"row": "W-1", "expiry": "2026-12-31"}
    over = {"row": "W-2", "expiry": "2026-01-01"}
    rows = [
        {**ROW, "id": "S-1", "level": "SHOULD", "verdict": "untested"},
        {**ROW, "id": "S-2", "level": "SHOULD", "verdict": "warning"},
        {**ROW, "id": "P-1", "verdict": "pass"},
        {**ROW, "id": "O-1", "in_part": False},
        {**ROW, "id": "B-1", "verdict": "blocked"},
        {**ROW, "id": "W-1"},
        {**ROW, "id": "W-2"},
    ]
    lines = told(place, {**RUN, "rows": rows, "waivers": [waiver, over], "waived_on": "2026-11-30"})
    assert [re.split("[= ]", line)[0] + line.split("=")[1].split()[0] for line in lines[1:]] == [
        "::warningW-1",
        "::errorW-2",
        "::errorB-1",
        "::warningS-2",
    ]
    lines = told(place, {**RUN, "rows": rows, "selected": ["P-1"], "outcome": "certified"})
    assert lines == ["::notice title=brokercert::bot: failed"]


def test_the_summary_is_added_and_a_run_that_never_was_is_told(place: Path) -> None:
    done = ran(place, str(CI / "tell.sh"))
    assert done.returncode == 0 and done.stdout.startswith("::error title=brokercert::There is no run")
    summary = place / "summary"
    summary.write_text("before\n")
    (place / "out" / "latest").mkdir(parents=True)
    (place / "out" / "latest" / "summary.md").write_text("# Certified\n")
    told(place, RUN, GITHUB_STEP_SUMMARY=str(summary))
    assert summary.read_text() == "before\n# Certified\n"


def test_no_input_of_the_action_stands_in_a_script() -> None:
    text = (CI / "github" / "action.yml").read_text()
    inputs = re.findall(r"^  (\w+):\n    description:", text, re.MULTILINE)
    for name in inputs:
        assert f"${{{{ inputs.{name} }}}}" in text, name
    for line in text.splitlines():
        assert "${{" not in line or re.fullmatch(
            r" +(BROKERCERT_[A-Z]+|name|path): \$\{\{ inputs\.\w+ \}\}(/latest/)?", line
        ), line


def test_the_script_can_be_executed() -> None:
    assert (CI / "tell.sh").stat().st_mode & stat.S_IXUSR


@pytest.mark.parametrize("name", ["github/action.yml", "gitlab.yml"])
def test_a_template_is_yaml(name: str) -> None:
    yaml = pytest.importorskip("yaml", reason="PyYAML comes with brokercert[cluster] only")
    assert isinstance(yaml.safe_load((CI / name).read_text()), dict)
