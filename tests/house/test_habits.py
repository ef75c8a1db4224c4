"""The files that strangers look for are true: editors, hooks and the workflow do what the project does."""

from __future__ import annotations

import configparser
import re
import runpy
import subprocess
import tomllib
from fnmatch import fnmatch
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
FORMS = sorted((ROOT / ".github" / "ISSUE_TEMPLATE").glob("[0-9]*.yml"))


def text(name: str) -> str:
    return (ROOT / name).read_text("utf-8")


def committed() -> list[str]:
    listed = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, timeout=30)
    if listed.returncode != 0:
        pytest.skip("not a git checkout: a source archive cannot say which files are committed")
    return [name for name in listed.stdout.split("\0") if name and (ROOT / name).is_file()]


def rules() -> dict[str, dict[str, str]]:
    """Pattern -> what .editorconfig says of the files that it fits."""
    parser = configparser.ConfigParser()
    parser.read_string("[root]\n" + text(".editorconfig"))
    return {name: dict(parser[name]) for name in parser.sections() if name != "root"}


def test_every_committed_file_is_as_editors_are_told() -> None:
    exempt = [pattern for pattern, said in rules().items() if said.get("end_of_line") == "unset"]
    assert rules()["*"]["end_of_line"] == "lf" and rules()["*"]["indent_style"] == "space"
    wrong = []
    for name in committed():
        data = (ROOT / name).read_bytes()
        if not data or b"\0" in data or any(fnmatch(name, pattern) for pattern in exempt):
            continue
        if not data.endswith(b"\n"):
            wrong.append(f"{name}: no line break at its end")
        if re.search(rb"[ \t\r]+$", data, re.MULTILINE):
            wrong.append(f"{name}: blanks at the end of a line, or line breaks that are no plain newline")
        if re.search(rb"^ *\t", data, re.MULTILINE) and name != "Makefile":
            wrong.append(f"{name}: a tab where a line begins")
    assert not wrong


def test_editors_and_ruff_have_one_width() -> None:
    width = tomllib.loads(text("pyproject.toml"))["tool"]["ruff"]["line-length"]
    assert int(rules()["*"]["max_line_length"]) == width


def test_the_hook_runs_what_the_build_runs() -> None:
    entry = re.search(r"^ +entry: (.+)$", text(".pre-commit-config.yaml"), re.MULTILINE)
    assert entry and entry[1] in text(".ci/run")
    assert entry[1].split()[2] in runpy.run_path(str(ROOT / "dev.py"))["VERBS"]


def test_the_workflow_runs_the_build_with_the_oldest_python_and_time_enough() -> None:
    workflow = text(".github/workflows/ci.yml")
    assert re.findall(r"^ +- run: (.+)$", workflow, re.MULTILINE) == [".ci/run"]
    oldest = tomllib.loads(text("pyproject.toml"))["project"]["requires-python"].removeprefix(">=")
    assert f'python-version: "{oldest}"' in workflow
    minutes = re.search(r"timeout-minutes: (\d+)", workflow)
    assert minutes and int(minutes[1]) >= 45


def test_the_first_issue_form_asks_for_the_trace_and_says_what_is_in_it() -> None:
    first = FORMS[0].read_text("utf-8")
    body = re.search(r"id: trace\n.*?required: (\w+)", first, re.DOTALL)
    assert body and body[1] == "true"
    assert "**What is in a trace**" in first and "**What is not in it**" in first and "label" in first


@pytest.mark.parametrize("form", FORMS, ids=lambda path: path.name)
def test_every_form_has_what_github_asks_for(form: Path) -> None:
    words = form.read_text("utf-8")
    assert re.match(r"name: .+\ndescription: .+\n", words) and "\nbody:\n" in words
    ids = re.findall(r"^    id: (\S+)$", words, re.MULTILINE)
    fields = re.findall(r"^  - type: (?!markdown)", words, re.MULTILINE)
    assert len(ids) == len(set(ids)) == len(fields)
