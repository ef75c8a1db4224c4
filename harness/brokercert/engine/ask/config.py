"""What a user writes about their client once: `brokercert.toml`, or `[tool.brokercert]` in pyproject.toml.

The law: a flag outranks a BROKERCERT_* variable, that outranks the file, and that the defaults; and every error names
the file, the field, what was expected and what to do. Nothing here starts anything.

    [subject]              name, command, cwd, level, stop, instances, entity_types, inherit_env
    [subject.env]          variables of the client, with placeholders
    [capabilities]         offers = [...]
    [capabilities.absent]  capability = "the written reason why the client lacks it"
    [readings]             reading = "answer"
    [run]                  set, part, strict, jobs, seed, out
    [limits]               limit = number (a deviation, said so in the report)

`fields.py` has the table of them, `variables.py` that of the variables.
"""

from __future__ import annotations

import os
import re
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field, replace
from itertools import dropwhile, pairwise
from pathlib import Path

from brokercert.engine.ask.fields import LEVELS, MOST_JOBS, STOPS, read_fields, split_command
from brokercert.engine.ask.found import FILE, find_file, folders
from brokercert.engine.ask.given import is_file, is_there
from brokercert.engine.ask.variables import read_variables
from brokercert.engine.ask.whom import CERTIFY, REFERENCE, Door, nobody
from brokercert.engine.client.subject import INSTANCES, Level, Stop, SubjectSpec
from brokercert.engine.errors import UsageError
from brokercert.engine.play.scenario import load_dialect
from brokercert.near import CLOSE, hint, near
from brokercert.requirements import RequirementSet
from brokercert.sets import default_set

__all__ = ["LEVELS", "STOPS", "Config", "find_file", "load_config", "split_command"]

CODE = ("-c", "-e", "--eval")  # options of interpreters after which code stands


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
    inherit_env: tuple[str, ...] = ()
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
        self._check_absent(rows)
        for name in (*self.offers, *self.absent):
            if name not in rows.capabilities:
                raise self._unknown(f"capabilities: {name!r}", name, rows.capabilities)
        self._check_readings(rows)
        for name in self.limits:
            if name not in rows.limits:
                raise self._unknown(f"limits.{name}", name, rows.limits)
        self._check_entity_types(rows)
        if self.part and self.part not in rows.parts:
            parts = ", ".join(rows.parts) or "none: the set has no parts"
            where = self.told.get("part", "part")
            raise UsageError(
                f"{where} = {self.part!r}; expected one of {parts}{hint(self.part, rows.parts)}; leave it out for the "
                "whole set"
            )

    def _check_absent(self, rows: RequirementSet) -> None:
        for name, reason in self.absent.items():
            if name in rows.never_absent or name == "wire":
                never = ", ".join(rows.never_absent)
                raise self._wrong(
                    f"capabilities.absent.{name}",
                    f"none of wire, {never}: {rows.name} is about them",
                    "remove the line",
                )
            if name in self.offers or name in LEVELS.get(self.level, ()):
                raise self._wrong(
                    f"capabilities.absent.{name} = {reason!r}",
                    "a capability that is not offered as well (by `offers`, or by `level`)",
                    "decide which of both is so",
                )

    def _check_readings(self, rows: RequirementSet) -> None:
        readings = {reading.id: reading for reading in rows.readings}
        for name, answer in self.readings.items():
            if name not in readings:
                raise self._unknown(f"readings.{name}", name, readings)
            if answer not in readings[name].answers:
                answers = " or ".join(map(repr, readings[name].answers))
                raise self._wrong(f"readings.{name} = {answer!r}", answers, "choose one of the answers")

    def _check_entity_types(self, rows: RequirementSet) -> None:
        """A type that no document names may be one all the same; what is nearly one that they do name is a slip."""
        known = load_dialect(rows.id).judging.entity_types if self.entity_types else ()
        lower = {name.lower() for name in known}
        for name in self.entity_types:
            if name.lower() not in lower and near(name, known, CLOSE):
                where = self.told.get("entity_types", "subject.entity_types")
                raise UsageError(f"{where}: {name!r} is no entity type{hint(name, known)}")

    def _unknown(self, what: str, name: str, known: Collection[str]) -> UsageError:
        """What was nearly meant, where something was; else all that there is."""
        meant = hint(name, known)
        if meant:
            return UsageError(f"{self.where}: {what} is not known{meant}")
        return self._wrong(what, f"one of {', '.join(sorted(known))}", "correct the name")

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
            inherit_env=self.inherit_env,
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


ASSIGNMENT = re.compile(r"[A-Za-z_]\w*=")
ENV_TAKES_ONE = ("-u", "--unset", "-C", "--chdir")  # options of `env` with a word of their own


def _name_of(command: tuple[str, ...]) -> str:
    """A name for a client that has none: its script rather than the interpreter.

    Code is no name: it would stand in every report, and may hold a token. Neither is a variable that `env` sets.
    """
    if Path(command[0]).name == "env":
        words = [word for before, word in pairwise(command) if before not in ENV_TAKES_ONE]
        command = tuple(dropwhile(lambda word: word.startswith("-") or ASSIGNMENT.match(word), words)) or command[:1]
    code = next((word for word in command[1:] if word in CODE), "")
    if code:
        return f"{Path(command[0]).name} {code}"
    scripts = [word for word in command[1:] if not word.startswith("-") and "{" not in word]
    return Path(scripts[0] if scripts else command[0]).name


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
    if path is None and environ.get("BROKERCERT_CONFIG"):
        path, option = Path(environ["BROKERCERT_CONFIG"]), "environment: BROKERCERT_CONFIG ="
    searched: tuple[Path, ...] = ()
    if path is None:
        looked = list(folders(start or Path.cwd()))
        path, searched = looked[-1][1], tuple(folder for folder, _ in looked)
    elif not is_file(path):
        raise _no_file(path, option, start or Path.cwd())
    config = Config() if path is None else _read(path)
    return _with_variables(replace(config, searched=searched), environ)


def _no_file(path: Path, option: str, start: Path) -> UsageError:
    if is_there(path):
        return UsageError(f"{option} {path}: not a file; expected a brokercert.toml")
    nearest = find_file(start)
    there = f"; the nearest one is {nearest}" if nearest else ""
    return UsageError(f"{option} {path}: no such file; expected a brokercert.toml{there}")


def _read(path: Path) -> Config:
    filed = read_fields(path)
    return replace(Config(path=path, cwd=path.parent.absolute()), **filed.values, told=filed.told)


def _with_variables(config: Config, environ: Mapping[str, str]) -> Config:
    """Laid over what a file says."""
    said = read_variables(environ)
    if not said.values:
        return config
    cwd = Path.cwd() if "command" in said.values else config.cwd  # a command is meant where it was said
    return replace(config, **said.values, cwd=cwd, told={**config.told, **said.told}, filed=config)
