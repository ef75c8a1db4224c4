"""What a front door was asked for, resolved: an option, over the environment and the file; and how to ask it again.

The law: an error names whoever said it, option, variable or field; and the command that is told again means the same
client wherever it is typed, since it names the file or the client. Of the environment it tells nothing but the command.
"""

from __future__ import annotations

import os
import shlex
import shutil
import sys
from dataclasses import dataclass, replace
from pathlib import Path

from brokercert.engine.ask.config import Config
from brokercert.engine.ask.given import is_file
from brokercert.engine.ask.whom import CERTIFY, Door
from brokercert.engine.client.command import find_command
from brokercert.engine.client.placeholders import refuse_unknown
from brokercert.engine.client.subject import SubjectError, SubjectSpec
from brokercert.engine.errors import UsageError
from brokercert.near import hint
from brokercert.requirements import RequirementError, RequirementSet, set_named

NAME = "brokercert"


@dataclass(frozen=True)
class Again:
    """A command line: its words, and those of the client that stand after `--`."""

    words: tuple[str, ...] = ("brokercert", "certify")
    client: tuple[str, ...] = ()

    def with_words(self, *words: str) -> Again:
        """The same with more options."""
        return replace(self, words=(*self.words, *words))

    def command_line(self, *rows: str, part: str = "") -> str:
        """The command that asks for these rows, or this part, alone, or, without any, for all of it."""
        only = [word for row in rows for word in ("--only", row)]
        only += ["--part", part] if part else []
        return shlex.join((*self.words, *only, *(("--", *self.client) if self.client else ())))


def started_as(argv0: str | None = None) -> tuple[str, ...]:
    """The words by which this program can be started again from here: its name where the shell finds it, else its
    file, or its interpreter and module.
    """
    program = Path(sys.argv[0] if argv0 is None else argv0)
    if program.name == "__main__.py" and program.parent.name == NAME:
        return sys.executable, "-m", NAME
    if program.name != NAME or shutil.which(NAME) or not is_file(program):
        return (NAME,)  # found by its name; or somebody else's program asks (pytest)
    return (os.path.relpath(program) if program.is_relative_to(Path.cwd()) else str(program.absolute()),)


def set_asked(config: Config, typed: str | None, option: str) -> RequirementSet:
    """The requirement set. Raises `UsageError`."""
    try:
        return set_named(typed or config.set_id)
    except RequirementError as error:
        where = option if typed else config.told.get("set_id", "the default")
        raise UsageError(f"{where}: {error}") from error


def part_asked(config: Config, rows: RequirementSet, typed: str | None, option: str) -> str:
    """The part, empty for the whole set. Raises `UsageError`."""
    part = config.part if typed is None else typed
    try:
        if part:
            rows.part(part)
    except RequirementError as error:
        where = config.told.get("part", "the default") if typed is None else option
        raise UsageError(f"{where}: {error}{hint(part, rows.parts)}; leave it out for the whole set") from error
    return part


def client_asked(
    config: Config,
    rows: RequirementSet,
    typed: tuple[str, ...] = (),
    *,
    reference: bool = False,
    else_reference: bool = False,
    door: Door = CERTIFY,
) -> SubjectSpec:
    """The client, whose command is there and can be executed.

    `reference`: brokercert's own was asked for at the `door`. `else_reference`: so it was by a setting, for where
    nothing else names a client. Raises `UsageError`, also where nobody names one: none is picked in silence.
    """
    if reference and typed:
        raise UsageError(f"{door.reference}, beside a client's command: expected one of both; leave one out")
    spec = config.subject(
        rows, typed, reference=reference or (else_reference and not (typed or config.command)), door=door
    )
    if not spec.reference:
        refuse_unknown(spec, config.told.get("env", "subject.env"))
    try:
        find_command(spec)
    except SubjectError as error:
        where = "" if typed or spec.reference else config.told.get("command", "")
        raise UsageError(f"{where}: {error}" if where else str(error)) from error
    return spec


def again(
    config: Config,
    rows: RequirementSet,
    *,
    part: str,
    strict: bool,
    seed: int,
    challenge: str = "",
    typed: tuple[str, ...] = (),
    reference: bool = False,
) -> Again:
    """The command that asks for the same wherever it is typed: the file that was read, the client that was named on the
    command line or in the environment, or `--reference`, and what neither the defaults nor that file say.
    """
    bare = config.filed or config

    def differs(name: str, value: object) -> bool:
        return any(value != getattr(said, name) for said in (bare, config))

    words = [*started_as(), "certify"]
    words += ["--set", rows.name] if differs("set_id", rows.name) else []
    words += ["--part", part] if differs("part", part) else []
    words += [f"--{'' if strict else 'no-'}strict"] if differs("strict", strict) else []
    if challenge:
        words += ["--challenge", challenge]
    elif differs("seed", seed):
        words += ["--seed", str(seed)]
    words += ["--config", str(config.path.absolute())] if config.path else []
    if reference:
        return Again((*words, "--reference"))
    in_environment = config.told.get("command") != bare.told.get("command")
    return Again(tuple(words), typed or (config.command if in_environment else ()))
