"""The fields of the file, and how each is read: a table, so that a field is one line.

The law: an error names the file, the field, what was expected and what to do. The value is told where it is one; a list
or a table may hold a password among others.
"""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from brokercert.engine.ask.found import read_toml, tools_of
from brokercert.engine.ask.given import is_folder
from brokercert.engine.client.subject import INSTANCES
from brokercert.engine.errors import UsageError
from brokercert.near import hint

LEVELS: dict[str, tuple[str, ...]] = {  # what each level makes a client offer
    "wire": (),
    "reports": ("report",),
    "commands": ("report", "snapshot", "request"),
}
STOPS = ("signal", "command", "none")
MOST_JOBS = 40  # scenarios at once; more than all there are
KINDS: dict[type, str] = {dict: "table", list: "list", int: "number", float: "number"}
VARIABLE = re.compile(r"[A-Za-z_]\w*\*?|\*")
SECRET = re.compile(r"pass|pwd|secret|^sec$|token|key|pin$|auth|cred", re.IGNORECASE)  # names of what is never shown


@dataclass(frozen=True, slots=True)
class Place:
    """A field of a file: `name` as it is written there, with its table."""

    path: Path
    name: str

    def wrong(self, value: object, expected: str, item: str = "") -> UsageError:
        """`item`: which of the field's own, where that is wrong."""
        shown = _kind(value) if value and isinstance(value, dict | list) else repr(value)
        return UsageError(f"{self.path}: {self.name}{item and f'.{item}'} = {shown}; expected {expected}")


Read = Callable[[Place, object], Any]


def _text(place: Place, value: object) -> str:
    if not isinstance(value, str) or not value.strip():
        raise place.wrong(value, "a text that is not empty")
    return value


def _name(place: Place, value: object) -> str:
    name = _text(place, value)
    if not name.isprintable():  # it begins the first and the last line of every run
        raise place.wrong(value, "one line of printable characters")
    return name


def _flag(place: Place, value: object) -> bool:
    if not isinstance(value, bool):
        raise place.wrong(value, "true or false")
    return value


def _seed(place: Place, value: object) -> int:
    if not isinstance(value, int) or isinstance(value, bool) or value < 0:
        raise place.wrong(value, "a whole number from 0 up")
    return value


def _count(most: int) -> Read:
    def read(place: Place, value: object) -> int:
        if not isinstance(value, int) or isinstance(value, bool) or not 1 <= value <= most:
            raise place.wrong(value, f"a whole number from 1 to {most}")
        return value

    return read


def _one_of(known: tuple[str, ...]) -> Read:
    def read(place: Place, value: object) -> object:
        if value not in known:
            meant = hint(value, known) if isinstance(value, str) else ""
            raise place.wrong(value, f"one of {', '.join(known)}{meant}")
        return value

    return read


def _command(place: Place, value: object) -> tuple[str, ...]:
    if isinstance(value, str):
        return split_command(value, f"{place.path}: {place.name}")
    words = _list(place, value)
    if not words:
        raise place.wrong(value, 'a program and its arguments, as in ["node", "client.mjs"]')
    if any("\0" in word for word in words):
        raise place.wrong(value, "words without NUL bytes: no program can be given one")
    return words


def _folder(place: Place, value: object) -> Path:
    folder = _path(place, value)
    if not is_folder(folder):
        raise place.wrong(value, f"an existing folder, relative to {place.path.parent}")
    return folder.absolute()


def _path(place: Place, value: object) -> Path:
    """Relative to the file."""
    return place.path.parent / _text(place, value)


def _list(place: Place, value: object) -> tuple[str, ...]:
    if not isinstance(value, list) or not all(isinstance(item, str) and item for item in value):
        raise place.wrong(value, "a list of texts, none of them empty")
    return tuple(value)


def _names(place: Place, value: object) -> tuple[str, ...]:
    """Of variables; the last letter may be a `*`."""
    names = _list(place, value)
    for name in names:
        if not VARIABLE.fullmatch(name):
            raise place.wrong(name, 'the name of a variable, or its beginning and a star, as in "ACME_*"')
    return names


def _texts(place: Place, value: object) -> dict[str, str]:
    if not isinstance(value, dict):
        raise place.wrong(value, f"a table of texts, [{place.name}]")
    for name, item in value.items():
        if not isinstance(item, str):
            raise place.wrong(item, _as_text(item), name)
    return value


def _variables(place: Place, value: object) -> dict[str, str]:
    """Those of an environment. One may be a password, and a number: it is not shown."""
    for name, item in value.items() if isinstance(value, dict) else ():
        if not isinstance(item, str) and SECRET.search(name):
            raise UsageError(f"{place.path}: {place.name}.{name} is {_kind(item)}; expected a text, in quotes")
        _refuse_ungivable(place, name, item)
        if not isinstance(item, str):
            break  # the first that is wrong is told
    return _texts(place, value)


def _refuse_ungivable(place: Place, name: str, item: object) -> None:
    """Raises `UsageError` where no program can be given a variable of this name, or with this value."""
    if not name or "=" in name or "\0" in f"{name}{item}":
        raise UsageError(
            f"{place.path}: {place.name}.{name!r}: no program can be given such a variable; expected a name that "
            "is not empty and has no `=`, and no NUL byte"
        )


def _as_text(item: object) -> str:
    number = isinstance(item, int | float) and not isinstance(item, bool)
    return f'a text: write "{item}"' if number else "a text, in quotes"


def _reasons(place: Place, value: object) -> dict[str, str]:
    reasons = _texts(place, value)
    for name, reason in reasons.items():
        if not reason.strip():
            raise place.wrong(reason, "the reason why the client lacks it; it is in the report", name)
    return reasons


def _numbers(place: Place, value: object) -> dict[str, float]:
    if not isinstance(value, dict):
        raise place.wrong(value, "a table of numbers")
    for name, number in value.items():
        if isinstance(number, bool) or not isinstance(number, int | float) or not 0 < number < 1e6:
            raise place.wrong(number, "a positive number, in the limit's own unit", name)
    return {name: float(number) for name, number in value.items()}


# A field as it is written in the file -> (that of `Config`, how it is read). Errors list the fields in this order.
FIELDS: dict[str, tuple[str, Read]] = {
    "subject.name": ("name", _name),
    "subject.command": ("command", _command),
    "subject.cwd": ("cwd", _folder),
    "subject.level": ("level", _one_of(tuple(LEVELS))),
    "subject.stop": ("stop", _one_of(STOPS)),
    "subject.instances": ("instances", _count(INSTANCES)),
    "subject.entity_types": ("entity_types", _list),
    "subject.inherit_env": ("inherit_env", _names),
    "subject.env": ("env", _variables),
    "capabilities.offers": ("offers", _list),
    "capabilities.absent": ("absent", _reasons),
    "readings": ("readings", _texts),
    "run.set": ("set_id", _text),
    "run.part": ("part", _text),
    "run.strict": ("strict", _flag),
    "run.jobs": ("jobs", _count(MOST_JOBS)),
    "run.seed": ("seed", _seed),
    "run.out": ("out", _path),
    "limits": ("limits", _numbers),
}


@dataclass(frozen=True, slots=True)
class Filed:
    """What a file says. `told`: field of `Config` -> where it stands."""

    values: dict[str, Any]
    told: dict[str, str]


def read_fields(path: Path) -> Filed:
    """Raises `UsageError`, which names the field."""
    data = _content(path)
    _only(path, "", data)
    given: dict[str, object] = {}
    for table in dict.fromkeys(name.partition(".")[0] for name in FIELDS if "." in name):
        content = data.pop(table, {})
        if not isinstance(content, dict):
            raise Place(path, table).wrong(content, f"a table, [{table}]")
        _only(path, table, content)
        given |= {f"{table}.{key}": value for key, value in content.items()}
    given |= data
    values: dict[str, Any] = {}
    told: dict[str, str] = {}
    for name, (field, read) in FIELDS.items():
        if name in given:
            values[field] = read(Place(path, name), given[name])
            told[field] = f"{path}: {name}"
    return Filed(values, told)


def _content(path: Path) -> dict[str, Any]:
    data = read_toml(path)
    if path.name != "pyproject.toml":
        return data
    ours = tools_of(data).get("brokercert", {})
    if not isinstance(ours, dict):
        raise Place(path, "tool.brokercert").wrong(ours, "a table, [tool.brokercert]")
    return dict(ours)


def _only(path: Path, table: str, content: Mapping[str, Any]) -> None:
    """Raises `UsageError` where a table (empty: the file itself) holds what is not known."""
    within = f"{table}." if table else ""
    known = dict.fromkeys(name.removeprefix(within).partition(".")[0] for name in FIELDS if name.startswith(within))
    for key in content:
        if key not in known:
            meant = hint(key, known) or f"; expected one of {', '.join(known)}; remove it"
            raise UsageError(f"{path}: {within}{key} is not known{meant}")


def _kind(value: object) -> str:
    return f"a {KINDS.get(type(value), 'value of another kind')}"


def split_command(text: str, where: str) -> tuple[str, ...]:
    """A command line as words, as a shell would split it. Raises `UsageError`; it may hold a token, so is not told."""
    try:
        words = tuple(shlex.split(text))
    except ValueError as error:
        raise UsageError(f"{where}: {error}; expected a command line") from error
    if not words:
        raise UsageError(f"{where} is empty; expected a program and its arguments")
    return words
