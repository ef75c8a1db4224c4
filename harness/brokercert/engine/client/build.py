"""Which build of a client was played: its version, its commit, and the SHA-256 of its files, as far as they are found.

The law: it is told, and decides nothing. What cannot be found is left out, and nothing of the client is executed for
it. Files are named without their folders: a page that is sent away says nothing of the tester's machine.
"""

from __future__ import annotations

import hashlib
import json
import os
import subprocess
import tomllib
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

from brokercert.engine.ask.given import is_file
from brokercert.engine.client.subject import SubjectSpec
from brokercert.verdict import Build

MOST_FILES = 20  # of a command: a program and what it is given
LARGEST = 2**28  # bytes of a file that is hashed
UPWARDS = 8  # folders that are looked at for a manifest
GIT_TAKES = 5.0  # seconds that git is given: it answers from the disk
MANIFESTS = {"package.json": (), "pyproject.toml": ("project",), "Cargo.toml": ("package",)}  # where `version` stands


def build_of(spec: SubjectSpec, version: str = "") -> Build:
    """What is known of the client's build. `version` is what its user says; else that of the nearest manifest.

    Of brokercert's own client, and of a class in this process, nothing is looked for.
    """
    if spec.command is None or spec.reference:
        return Build(version=version)
    files = list(_files(spec.command, spec.cwd))
    folder = files[-1].parent if files else spec.cwd
    return Build(version=version or _version(folder), commit=_commit(folder), files=dict(_digests(files)))


def _files(command: Sequence[str], cwd: Path) -> Iterator[Path]:
    """The files that the command names: its program, where that is named by a path, and its arguments."""
    for number, word in enumerate(command):
        path = cwd / word
        if (number or os.sep in word) and word and is_file(path) and path.stat().st_size <= LARGEST:
            yield path


def _digests(files: Sequence[Path]) -> Iterator[tuple[str, str]]:
    for path in files[:MOST_FILES]:
        try:
            with path.open("rb") as file:
                yield path.name, hashlib.file_digest(file, "sha256").hexdigest()
        except OSError:  # it may be executed, but not read
            continue


def _version(folder: Path) -> str:
    for place in (folder, *folder.parents[:UPWARDS]):
        for name, keys in MANIFESTS.items():
            told = _manifest(place / name)
            for key in keys:
                told = told.get(key) if isinstance(told, dict) else None
            if isinstance(told, dict) and isinstance(told.get("version"), str):
                return f"{told['version']} ({name})"
    return ""


def _manifest(path: Path) -> Any:
    """Its content; None where there is none that can be read."""
    if not is_file(path):
        return None
    try:
        text = path.read_text("utf-8")
        return json.loads(text) if path.suffix == ".json" else tomllib.loads(text)
    except (OSError, ValueError, RecursionError):
        return None


def _commit(folder: Path) -> str:
    """The commit that is checked out there, and whether files differ from it; empty where git tells none."""
    commit = _git(folder, "rev-parse", "HEAD")
    if not commit:
        return ""
    return f"{commit}, with changes" if _git(folder, "status", "--porcelain", "--untracked-files=no") else commit


def _git(folder: Path, *words: str) -> str:
    """What git says. Its hooks and monitors are of the client's folder, and not started."""
    still: Mapping[str, str] = {**os.environ, "GIT_OPTIONAL_LOCKS": "0", "GIT_TERMINAL_PROMPT": "0"}
    try:
        done = subprocess.run(
            ["git", "-c", "core.fsmonitor=false", "-C", str(folder), *words],
            capture_output=True,
            text=True,
            errors="replace",
            timeout=GIT_TAKES,
            env=still,
        )
    except (OSError, subprocess.SubprocessError):
        return ""
    return done.stdout.strip() if done.returncode == 0 else ""
