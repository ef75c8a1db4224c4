"""What BROKERCERT_* variables of the environment say of a run."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from brokercert.engine.ask.fields import MOST_JOBS, Filed, split_command
from brokercert.engine.errors import UsageError


def _number(low: int, high: int) -> Callable[[str, str], int]:
    def read(name: str, text: str) -> int:
        if not text.isdecimal() or not low <= int(text) <= high:
            raise UsageError(
                f"environment: {name} = {text!r}; expected a whole number from {low} to {high}; or unset it"
            )
        return int(text)

    return read


def _flag(name: str, text: str) -> bool:
    if text not in ("0", "1"):
        raise UsageError(f"environment: {name} = {text!r}; expected 0 or 1; or unset it")
    return text == "1"


# A variable -> (the field of `Config`, how it is read from the variable's name and text).
VARIABLES: dict[str, tuple[str, Callable[[str, str], Any]]] = {
    "BROKERCERT_SET": ("set_id", lambda name, text: text),
    "BROKERCERT_PART": ("part", lambda name, text: text),
    "BROKERCERT_STRICT": ("strict", _flag),
    "BROKERCERT_JOBS": ("jobs", _number(1, MOST_JOBS)),
    "BROKERCERT_SEED": ("seed", _number(0, 2**63 - 1)),
    "BROKERCERT_OUT": ("out", lambda name, text: Path(text)),
    "BROKERCERT_COMMAND": ("command", lambda name, text: split_command(text, f"environment: {name}")),
}


def read_variables(environ: Mapping[str, str]) -> Filed:
    """Those that are set; an empty one is not. Raises `UsageError`, which names the variable."""
    said = {name: one for name, one in VARIABLES.items() if environ.get(name)}
    values = {field: read(name, environ[name]) for name, (field, read) in said.items()}
    return Filed(values, {field: f"environment: {name}" for name, (field, _) in said.items()})
