"""What a user writes about their client once: `brokercert.toml`, or `[tool.brokercert]` in pyproject.toml.

The law: a flag outranks a BROKERCERT_* variable, that outranks the file, and that the defaults; and every error names
the file, the field, what was expected and what to do. Nothing here starts anything.

    [subject]              name, command, cwd, level, stop, instances, entity_types
    [subject.env]          variables of the client, with placeholders
    [capabilities]         offers = [...]
    [capabilities.absent]  capability = "the written reason why the client lacks it"
    [readings]             reading = "answer"
    [run]                  set, part, strict, jobs, seed, out
    [limits]               limit = number (a deviation, said so in the report)
"""

from __future__ import annotations

import os
import re
import shlex
import tomllib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Any

from brokercert.engine.ask.given import is_file, is_folder, is_there, read_given
from brokercert.engine.ask.whom import CERTIFY, REFERENCE, Door, nobody
from brokercert.engine.client.subject import INSTANCES, Level, Stop, SubjectSpec
from brokercert.engine.errors import UsageError
from brokercert.engine.play.scenario import load_dialect
from brokercert.requirements import RequirementSet
from brokercert.sets import default_set

FILE = "brokercert.toml"
LEVELS: dict[str, tuple[str, ...]] = {  # what each level makes a client offer
    "wire": (),
    "reports": ("report",),
    "commands": ("report", "snapshot", "request"),
}
STOPS = ("signal", "command", "none")
MOST_JOBS = 40  # scenarios at once; more than all there are
CODE = ("-c", "-e", "--eval")  # options of interpreters after which code stands
KINDS: dict[type, str] = {dict: "table", list: "list", int: "number", float: "number"}
SECRET = re.compile(r"pass|pwd|secret|^sec$|token|key|pin$|auth|cred", re.IGNORECASE)  # names of what is never shown


@dataclass(frozen=True)
class Config:
    """One file's content, or the defaults. `path` is None where there is no file."""

    path: Path | None = None
    name: str = ""
    command: tuple[str, ...] = ()
    cwd: Path = field(default_factory=Path.cwd)
    level: Level = "wire"
    stop: Stop = "signal"
    instances: int = INSTANCES
    entity_types: tuple[str, ...] = ()
    env: Mapping[str, str] = field(default_factory=dict)
    offers: tuple[str, ...] = ()
    absent: Mapping[str, str] = field(default_factory=dict)
    readings: Mapping[str, str] = field(default_factory=dict)
    set_id: str = field(default_factory=default_set)
    part: str = ""
    strict: bool = False
    jobs: int = MOST_JOBS
    seed: int = 1
    out: Path = Path("out")
    limits: Mapping[str, float] = field(default_factory=dict)
    told: Mapping[str, str] = field(default_factory=dict)  # field -> where it stands: a file's field, or a variable
    filed: Config | None = None  # the same without the environment; None: the environment says nothing
    searched: tuple[Path, ...] = ()  # folders that were looked through for a file, innermost first

    @property
    def where(self) -> str:
        return str(self.path) if self.path else "the defaults"

    def check(self, rows: RequirementSet) -> None:
        """What only the requirement set can tell. Raises `UsageError`."""
        for name, reason in self.absent.items():
            if name in rows.never_absent or name == "wire":
                never = ", ".join(rows.never_absent)
                raise self._wrong(
                    f"capabilities.absent.{name}", f"none of wire, {never}: {rows.id} is about them", "remove the line"
                )
            if name in self.offers or name in LEVELS.get(self.level, ()):
                raise self._wrong(
                    f"capabilities.absent.{name} = {reason!r}",
                    "a capability that is not offered as well (by `offers`, or by `level`)",
                    "decide which of both is so",
                )
        for name in (*self.offers, *self.absent):
            if name not in rows.capabilities:
                known = ", ".join(sorted(rows.capabilities))
                raise self._wrong(f"capabilities: {name!r}", f"one of {known}", "correct the name")
        readings = {reading.id: reading for reading in rows.readings}
        for name, answer in self.readings.items():
            if name not in readings:
                raise self._wrong(f"readings.{name}", f"one of {', '.join(readings)}", "correct the name")
            if answer not in readings[name].answers:
                answers = " or ".join(map(repr, readings[name].answers))
                raise self._wrong(f"readings.{name} = {answer!r}", answers, "choose one of the answers")
        for name in self.limits:
            if name not in rows.limits:
                raise self._wrong(f"limits.{name}", f"one of {', '.join(sorted(rows.limits))}", "correct the name")
        if self.part and self.part not in rows.parts:
            parts = ", ".join(rows.parts) or "none: the set has no parts"
            where = self.told.get("part", "part")
            raise UsageError(f"{where} = {self.part!r}; expected one of {parts}; leave it out for the whole set")

    def _wrong(self, what: str, expected: str, advice: str) -> UsageError:
        return UsageError(f"{self.where}: {what}; expected {expected}; {advice}")

    def subject(
        self, rows: RequirementSet, command: tuple[str, ...] = (), *, reference: bool = False, door: Door = CERTIFY
    ) -> SubjectSpec:
        """The client: brokercert's own where `reference`, else `command` if one was given, else the file's.

        Raises `UsageError`, also where none of these names one; `door` is who was told.
        """
        self.check(rows)
        given = () if reference else command or self.command
        if not given and not reference:
            raise UsageError(nobody(door, self.path, self.searched, FILE))
        if not given:
            return self._reference(rows)
        offers = {"wire", "process", *LEVELS.get(self.level, ()), *self.offers}
        if self.stop != "none":
            offers.add("stop")
        return SubjectSpec(
            name=self.name or " ".join(_name_of(given).split()),
            command=given,
            cwd=Path.cwd() if command else self.cwd,  # what was typed is meant where it was typed
            env=self.env,
            level=self.level,
            offers=frozenset(offers - set(self.absent)),
            absent=self.absent,
            readings=self.readings,
            entity_types=self.entity_types,
            instances=self.instances,
            stop=self.stop,
            placeholders=rows.placeholders,
        )

    def _reference(self, rows: RequirementSet) -> SubjectSpec:
        ours = load_dialect(rows.id).reference
        return SubjectSpec(
            name=REFERENCE,
            reference=True,
            command=ours.command,
            cwd=self.cwd,
            level=ours.level,
            offers=ours.offers,
            entity_types=ours.entity_types,
            readings={**ours.readings, **self.readings},
            instances=self.instances,
        )


def _name_of(command: tuple[str, ...]) -> str:
    """A name for a client that has none: its script rather than the interpreter.

    Code is no name: it would stand in every report, and may hold a token.
    """
    code = next((word for word in command[1:] if word in CODE), "")
    if code:
        return f"{Path(command[0]).name} {code}"
    scripts = [word for word in command[1:] if not word.startswith("-") and "{" not in word]
    return Path(scripts[0] if scripts else command[0]).name


def find_file(start: Path) -> Path | None:
    """The nearest brokercert.toml, or pyproject.toml with our table, of `start` and the folders above it."""
    return next((found for _, found in _folders(start) if found), None)


def _folders(start: Path) -> Iterator[tuple[Path, Path | None]]:
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
    return project if is_file(project) and "brokercert" in _tools(_toml(project)) else None


def _tools(data: dict[str, Any]) -> dict[str, Any]:
    """The tables of tools in a pyproject.toml; none where `tool` is something else."""
    tools = data.get("tool")
    return tools if isinstance(tools, dict) else {}


def load_config(
    path: Path | None = None,
    *,
    environ: Mapping[str, str] = os.environ,
    start: Path | None = None,
    option: str = "--config",
) -> Config:
    """The configuration: `path`, or BROKERCERT_CONFIG, or the nearest file; with BROKERCERT_* variables laid over.

    `option` is what `path` was given by. Raises `UsageError`.
    """
    named = option
    if path is None and environ.get("BROKERCERT_CONFIG"):
        path, named = Path(environ["BROKERCERT_CONFIG"]), "environment: BROKERCERT_CONFIG ="
    if path is not None and not is_file(path):
        if is_there(path):
            raise UsageError(f"{named} {path}: not a file; expected a brokercert.toml")
        nearest = find_file(start or Path.cwd())
        there = f"; the nearest one is {nearest}" if nearest else ""
        raise UsageError(f"{named} {path}: no such file; expected a brokercert.toml{there}")
    searched: tuple[Path, ...] = ()
    if path is None:
        looked = list(_folders(start or Path.cwd()))
        path, searched = looked[-1][1], tuple(folder for folder, _ in looked)
    config = Config() if path is None else _Reader(path).read()
    return _environment(replace(config, searched=searched), environ)


def _toml(path: Path) -> dict[str, Any]:
    data = read_given(path, "a file in TOML that may be read")
    try:
        return tomllib.loads(data.decode("utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError, RecursionError) as error:
        raise UsageError(f"{path}: {error}; expected TOML") from error


class _Reader:
    """Reads one file, field by field, so that an error can say which."""

    def __init__(self, path: Path) -> None:
        self.path = path
        data = _toml(path)
        if path.name == "pyproject.toml":
            data = _tools(data).get("brokercert", {})
            if not isinstance(data, dict):
                raise self._wrong("tool.brokercert", data, "a table, [tool.brokercert]")
        self.data = data

    def read(self) -> Config:
        self._only("", self.data, ("subject", "capabilities", "readings", "run", "limits"))
        subject = self._table(
            "subject", ("name", "command", "cwd", "level", "stop", "instances", "entity_types", "env")
        )
        capabilities = self._table("capabilities", ("offers", "absent"))
        run = self._table("run", ("set", "part", "strict", "jobs", "seed", "out"))
        base = Config(path=self.path, cwd=self.path.parent.absolute())
        values: dict[str, Any] = {}
        told: dict[str, str] = {}

        def take(name: str, table: Mapping[str, Any], prefix: str, key: str, read: Callable[[str, Any], Any]) -> None:
            if key in table:
                values[name] = read(f"{prefix}.{key}", table[key])
                told[name] = f"{self.path}: {prefix}.{key}".replace(": .", ": ")

        take("name", subject, "subject", "name", self._name)
        take("command", subject, "subject", "command", self._command)
        take("cwd", subject, "subject", "cwd", self._folder)
        take("level", subject, "subject", "level", self._one_of(tuple(LEVELS)))
        take("stop", subject, "subject", "stop", self._one_of(STOPS))
        take("instances", subject, "subject", "instances", self._count(INSTANCES))
        take("entity_types", subject, "subject", "entity_types", self._list)
        take("env", subject, "subject", "env", self._texts)
        take("offers", capabilities, "capabilities", "offers", self._list)
        take("absent", capabilities, "capabilities", "absent", self._reasons)
        take("set_id", run, "run", "set", self._text)
        take("part", run, "run", "part", self._text)
        take("strict", run, "run", "strict", self._flag)
        take("jobs", run, "run", "jobs", self._count(MOST_JOBS))
        take("seed", run, "run", "seed", self._seed)
        take("out", run, "run", "out", lambda where, value: self.path.parent / self._text(where, value))
        take("readings", self.data, "", "readings", self._texts)
        take("limits", self.data, "", "limits", self._numbers)
        return replace(base, **values, told=told)

    def _wrong(self, where: str, value: object, expected: str) -> UsageError:
        """The value is told where it is one; a list or a table may hold a password among others."""
        shown = _kind(value) if value and isinstance(value, dict | list) else repr(value)
        return UsageError(f"{self.path}: {where.lstrip('.')} = {shown}; expected {expected}")

    def _only(self, where: str, table: Mapping[str, Any], known: tuple[str, ...]) -> None:
        for key in table:
            if key not in known:
                name = f"{where}.{key}".lstrip(".")
                raise UsageError(f"{self.path}: {name} is not known; expected one of {', '.join(known)}; remove it")

    def _table(self, name: str, known: tuple[str, ...]) -> dict[str, Any]:
        table = self.data.get(name, {})
        if not isinstance(table, dict):
            raise self._wrong(name, table, f"a table, [{name}]")
        self._only(name, table, known)
        return table

    def _text(self, where: str, value: object) -> str:
        if not isinstance(value, str) or not value.strip():
            raise self._wrong(where, value, "a text that is not empty")
        return value

    def _name(self, where: str, value: object) -> str:
        name = self._text(where, value)
        if not name.isprintable():  # it begins the first and the last line of every run
            raise self._wrong(where, value, "one line of printable characters")
        return name

    def _flag(self, where: str, value: object) -> bool:
        if not isinstance(value, bool):
            raise self._wrong(where, value, "true or false")
        return value

    def _seed(self, where: str, value: object) -> int:
        if not isinstance(value, int) or isinstance(value, bool) or value < 0:
            raise self._wrong(where, value, "a whole number from 0 up")
        return value

    def _count(self, most: int) -> Callable[[str, object], int]:
        def read(where: str, value: object) -> int:
            if not isinstance(value, int) or isinstance(value, bool) or not 1 <= value <= most:
                raise self._wrong(where, value, f"a whole number from 1 to {most}")
            return value

        return read

    def _one_of(self, known: tuple[str, ...]) -> Callable[[str, object], str]:
        def read(where: str, value: object) -> str:
            if value not in known:
                raise self._wrong(where, value, f"one of {', '.join(known)}")
            return value

        return read

    def _command(self, where: str, value: object) -> tuple[str, ...]:
        if isinstance(value, str):
            return split_command(value, f"{self.path}: {where}")
        words = self._list(where, value)
        if not words:
            raise self._wrong(where, value, 'a program and its arguments, as in ["node", "client.mjs"]')
        return words

    def _folder(self, where: str, value: object) -> Path:
        folder = self.path.parent / self._text(where, value)
        if not is_folder(folder):
            raise self._wrong(where, value, f"an existing folder, relative to {self.path.parent}")
        return folder.absolute()

    def _list(self, where: str, value: object) -> tuple[str, ...]:
        if not isinstance(value, list) or not all(isinstance(item, str) and item for item in value):
            raise self._wrong(where, value, "a list of texts, none of them empty")
        return tuple(value)

    def _texts(self, where: str, value: object) -> dict[str, str]:
        if not isinstance(value, dict):
            raise self._wrong(where, value, f"a table of texts, [{where.lstrip('.')}]")
        for name, item in value.items():
            if isinstance(item, str):
                continue
            if where == "subject.env" and SECRET.search(name):  # a password may be a number
                raise UsageError(
                    f"{self.path}: {where.lstrip('.')}.{name} is {_kind(item)}; expected a text, in quotes"
                )
            number = isinstance(item, int | float) and not isinstance(item, bool)
            raise self._wrong(f"{where}.{name}", item, f'a text: write "{item}"' if number else "a text, in quotes")
        return value

    def _reasons(self, where: str, value: object) -> dict[str, str]:
        reasons = self._texts(where, value)
        for name, reason in reasons.items():
            if not reason.strip():
                raise self._wrong(f"{where}.{name}", reason, "the reason why the client lacks it; it is in the report")
        return reasons

    def _numbers(self, where: str, value: object) -> dict[str, float]:
        if not isinstance(value, dict):
            raise self._wrong(where, value, "a table of numbers")
        for name, number in value.items():
            if isinstance(number, bool) or not isinstance(number, int | float) or not 0 < number < 1e6:
                raise self._wrong(f"{where}.{name}", number, "a positive number, in the limit's own unit")
        return {name: float(number) for name, number in value.items()}


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


def _environment(config: Config, environ: Mapping[str, str]) -> Config:
    """BROKERCERT_SET, _PART, _STRICT, _JOBS, _SEED, _OUT and _COMMAND laid over a file."""

    def number(name: str, low: int, high: int) -> int:
        text = environ[name]
        if not text.isdecimal() or not low <= int(text) <= high:
            raise UsageError(
                f"environment: {name} = {text!r}; expected a whole number from {low} to {high}; or unset it"
            )
        return int(text)

    def flag(name: str) -> bool:
        if environ[name] not in ("0", "1"):
            raise UsageError(f"environment: {name} = {environ[name]!r}; expected 0 or 1; or unset it")
        return environ[name] == "1"

    readers: dict[str, tuple[str, Callable[[str], Any]]] = {
        "BROKERCERT_SET": ("set_id", environ.__getitem__),
        "BROKERCERT_PART": ("part", environ.__getitem__),
        "BROKERCERT_STRICT": ("strict", flag),
        "BROKERCERT_JOBS": ("jobs", lambda name: number(name, 1, MOST_JOBS)),
        "BROKERCERT_SEED": ("seed", lambda name: number(name, 0, 2**63 - 1)),
        "BROKERCERT_OUT": ("out", lambda name: Path(environ[name])),
        "BROKERCERT_COMMAND": ("command", lambda name: split_command(environ[name], f"environment: {name}")),
    }
    laid = {key: name for name, (key, _) in readers.items() if environ.get(name)}
    if not laid:
        return config
    changes = {key: readers[name][1](name) for key, name in laid.items()}
    if "command" in changes:
        changes["cwd"] = Path.cwd()
    told = {**config.told, **{key: f"environment: {name}" for key, name in laid.items()}}
    return replace(config, **changes, told=told, filed=config)
