"""Where no client is named: what was looked for and where, what was nearly meant, and what to do.

The law: nothing is run without a client that somebody named. A verdict on brokercert's own reference client, given to
whoever meant theirs, is a certificate of nothing.
"""

from __future__ import annotations

import os
from collections.abc import Iterator, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from brokercert.engine.ask.given import is_file
from brokercert.near import likeness

REFERENCE = "brokercert's reference client"  # its name, in every record of it
COMMAND_VARIABLE, CONFIG_VARIABLE = "BROKERCERT_COMMAND", "BROKERCERT_CONFIG"
LIKE = 0.8  # how alike a misspelt name is: `brokercert.tml` is 0.97, `broker.toml` 0.85, `broker.py` 0.58
LIKE_VARIABLE = 0.85  # `BROKERCERT_CMD` is 0.88; two of our own variables are 0.80
MOST_LISTED = 20_000  # entries of a folder that are looked through for a near miss
MOST_TOLD = 6


@dataclass(frozen=True)
class Door:
    """How a front door is told which client is meant: for a message about it."""

    command: str = "a COMMAND after the options"
    example: str = "brokercert certify -- node client.mjs"
    reference: str = "--reference"


CERTIFY = Door()
CHECK = Door(example="brokercert check -- node client.mjs")
FUZZ = Door(example="brokercert fuzz -- node client.mjs")
REPLAY = Door(command="a COMMAND after FIND", example="brokercert replay FIND -- node client.mjs")
PYTEST = Door(
    command="--brokercert-command",
    example='pytest -m stage2 --brokercert-command="node client.mjs"',
    reference="--brokercert-reference",
)


def nobody(
    door: Door, path: Path | None, searched: Sequence[Path], file: str, environ: Mapping[str, str] = os.environ
) -> str:
    """The message. `path`: the file that was read, which names no client; `searched`: the folders that were looked
    through for one called `file`, innermost first.
    """
    lines = ["no client is named, so nothing was run.", f"looked for: {'; '.join(_looked(door, path, searched, file))}"]
    near = list(dict.fromkeys(near_misses(searched, file, environ)))
    if near:
        more = [f"and {len(near) - MOST_TOLD} more"] if len(near) > MOST_TOLD else []
        lines.append(f"near misses: {'; '.join([*near[:MOST_TOLD], *more])}")
    place = path or (searched[0] if searched else Path()) / file
    lines.append(
        f"what to do: name it as in `{door.example}`, or as `command` under [subject] in {place}; "
        f"`{door.reference}` asks for {REFERENCE}"
    )
    return "\n  ".join(lines)


def _looked(door: Door, path: Path | None, searched: Sequence[Path], file: str) -> Iterator[str]:
    yield f"{door.command} (none)"
    yield f"the variable {COMMAND_VARIABLE} (not set, or empty)"
    if path is not None:
        yield f"subject.command in {path} (not there)"
    elif searched:
        above = f" and above it, up to {searched[-1]}" if searched[1:] else ""
        yield f"{file}, or a pyproject.toml with [tool.brokercert], in {searched[0]}{above} (none)"


def near_misses(searched: Sequence[Path], file: str, environ: Mapping[str, str]) -> Iterator[str]:
    """What is called nearly as what was looked for. No value is told: a command may hold a token."""
    for variable in (COMMAND_VARIABLE, CONFIG_VARIABLE):
        if environ.get(variable) == "":
            yield f"the variable {variable} is set, and empty"
    for name in sorted(environ):
        meant = next(
            (v for v in (COMMAND_VARIABLE, CONFIG_VARIABLE) if name != v and _alike(name, v, LIKE_VARIABLE)), None
        )
        if meant:
            yield f"the variable {name}; expected {meant}"
    for folder in searched:
        for entry in _entries(folder):
            if entry.name != file and _alike(entry.name.removesuffix(".txt"), file, LIKE) and is_file(entry):
                yield f"{entry}; expected the name {file}"
        yield from _tables(folder / "pyproject.toml")
    if searched:
        for entry in _entries(searched[0]):
            if is_file(entry / file):
                yield f"{entry / file}, one folder further down"


def _alike(name: str, meant: str, least: float) -> bool:
    return likeness(name, meant) >= least


def _entries(folder: Path) -> list[Path]:
    found: list[Path] = []
    with suppress(OSError):  # a folder that may not be read hides its near misses, no more
        for entry in folder.iterdir():
            found.append(entry)
            if len(found) >= MOST_LISTED:
                break
    return sorted(found)


def _tables(project: Path) -> Iterator[str]:
    """Tables of a pyproject.toml that stand in the wrong place, or are misspelt."""
    import tomllib

    data: dict[str, Any] = {}
    with suppress(OSError, ValueError):
        data = tomllib.loads(project.read_text("utf-8"))
    if "brokercert" in data:
        yield f"{project}: [brokercert]; expected [tool.brokercert]"
    tools = data.get("tool", {})
    for name in tools if isinstance(tools, dict) else ():
        if name != "brokercert" and _alike(name, "brokercert", LIKE):
            yield f"{project}: [tool.{name}]; expected [tool.brokercert]"
