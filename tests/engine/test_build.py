"""Which build of a client was played: said, or found beside it without executing anything of it."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import subprocess
from pathlib import Path

import pytest
from brokercert.engine.client.build import build_of
from brokercert.engine.client.subject import SubjectSpec
from brokercert.verdict import Build

GIT = {"GIT_CONFIG_GLOBAL": os.devnull, "GIT_CONFIG_SYSTEM": os.devnull}


@pytest.fixture
def project(tmp_path: Path) -> Path:
    """A client in a folder of its own, below which git looks no further."""
    folder = tmp_path / "project"
    (folder / "src").mkdir(parents=True)
    (folder / "src" / "bot.py").write_text("print()")
    return folder


def spec(project: Path, *command: str) -> SubjectSpec:
    return SubjectSpec(name="bot.py", command=command or ("python3", "src/bot.py"), cwd=project)


def git(project: Path, *words: str) -> str:
    who = ("-c", "user.name=a", "-c", "user.email=a@example.com", "-c", "commit.gpgsign=false")
    done = subprocess.run(
        ["git", *who, *words], cwd=project, env=os.environ | GIT, capture_output=True, text=True, check=True, timeout=30
    )
    return done.stdout.strip()


def test_its_files_are_named_without_folders_and_hashed(project: Path) -> None:
    digest = hashlib.sha256(b"print()").hexdigest()
    for command in (("python3", "src/bot.py"), ("python3", str(project / "src" / "bot.py"), "--fast")):
        assert build_of(spec(project, *command)).files == {"bot.py": digest}
    assert build_of(spec(project, "python3", "-m", "bot")).files == {}


@pytest.mark.parametrize(
    ("name", "text", "version"),
    [
        ("package.json", json.dumps({"version": "1.2.3"}), "1.2.3 (package.json)"),
        ("pyproject.toml", '[project]\nversion = "0.9"', "0.9 (pyproject.toml)"),
        ("Cargo.toml", '[package]\nversion = "4"', "4 (Cargo.toml)"),
        ("package.json", "[" * 100_000, ""),
        ("package.json", '{"version": 3}', ""),
        ("package.json", "[]", ""),
        ("pyproject.toml", "no toml", ""),
        ("pyproject.toml", 'project = "none"', ""),
    ],
)
def test_its_version_is_that_of_the_manifest_above_it(project: Path, name: str, text: str, version: str) -> None:
    (project / name).write_text(text)
    assert build_of(spec(project)).version == version
    assert build_of(spec(project), "7 beta").version == "7 beta", "what its user says goes first"


@pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")
def test_its_commit_is_told_and_whether_files_differ(project: Path) -> None:
    git(project, "init", "-q")
    git(project, "add", "-A")
    git(project, "commit", "-q", "-m", "one")
    head = git(project, "rev-parse", "HEAD")
    assert build_of(spec(project)).commit == head
    (project / "src" / "bot.py").write_text("print(1)")
    assert build_of(spec(project)).commit == f"{head}, with changes"


@pytest.mark.skipif(shutil.which("git") is None, reason="git is not installed")
def test_nothing_of_its_folder_is_executed(project: Path) -> None:
    git(project, "init", "-q")
    git(project, "add", "-A")
    git(project, "commit", "-q", "-m", "one")
    trap = project / "trap"
    trap.write_text(f"#!/bin/sh\ntouch {project / 'sprung'}\n")
    trap.chmod(0o755)
    git(project, "config", "core.fsmonitor", str(trap))
    build_of(spec(project))
    assert not (project / "sprung").exists()


def test_where_nothing_is_found_nothing_is_told(project: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PATH", "")
    assert build_of(spec(project, "bot")) == Build()
    factory = SubjectSpec(name="a class", factory=lambda env, out: None)  # type: ignore[arg-type,return-value]
    assert build_of(factory) == Build()
    assert build_of(SubjectSpec(name="reference", command=("python3", "src/bot.py"), reference=True)) == Build()
