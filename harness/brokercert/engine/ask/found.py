"""The file that says what a client is: brokercert.toml, or a pyproject.toml with our table; and its content as TOML."""

from __future__ import annotations

import tomllib
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from brokercert.engine.ask.given import is_file, is_there, read_given
from brokercert.engine.errors import UsageError

FILE = "brokercert.toml"


def find_file(start: Path) -> Path | None:
    """The nearest brokercert.toml, or pyproject.toml with our table, of `start` and the folders above it."""
    return next((found for _, found in folders(start) if found), None)


def folders(start: Path) -> Iterator[tuple[Path, Path | None]]:
    """Each folder that is looked through, and the file that is found in it, which is the last."""
    for folder in (start, *start.parents):
        found = _file_in(folder)
        yield folder, found
        if found or is_there(folder / ".git"):
            return  # the project ends there


def _file_in(folder: Path) -> Path | None:
    if is_there(folder / FILE):  # also where it is no file: whoever made it means it, and reads what is wrong
        return folder / FILE
    project = folder / "pyproject.toml"
    return project if is_file(project) and "brokercert" in tools_of(read_toml(project)) else None


def tools_of(data: dict[str, Any]) -> dict[str, Any]:
    """The tables of tools in a pyproject.toml; none where `tool` is something else."""
    tools = data.get("tool")
    return tools if isinstance(tools, dict) else {}


def read_toml(path: Path) -> dict[str, Any]:
    """Raises `UsageError` where it is no TOML, or cannot be read."""
    data = read_given(path, "a file in TOML that may be read")
    try:
        return tomllib.loads(data.decode("utf-8-sig"))  # editors on Windows begin a file with a byte-order mark
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise UsageError(f"{path}: {error}; expected TOML") from error
