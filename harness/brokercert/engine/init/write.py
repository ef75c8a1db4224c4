"""The files that `brokercert init` writes: a commented brokercert.toml, and a driver for a library."""

from __future__ import annotations

import json
import keyword
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

from brokercert.engine.ask.given import is_there, write_given
from brokercert.engine.errors import UsageError
from brokercert.requirements import RequirementSet

DRIVERS = {"Python": ("brokercert_driver.py", "python.txt"), "Node": ("brokercert_driver.mjs", "node.txt")}
STARTS = {"Python": "python3", "Node": "node"}
TRUST = {  # by language: the variable by which it trusts one more authority
    "Python": "SSL_CERT_FILE",
    "Node": "NODE_EXTRA_CA_CERTS",
    "Go": "SSL_CERT_FILE",
}


NOBODY = "client"  # the name of a client whose folder has none that can be printed
_BARE = re.compile(r"[A-Za-z0-9_-]+")
_ESCAPES = {'"': '\\"', "\\": "\\\\", "\n": "\\n", "\r": "\\r", "\t": "\\t"}


@dataclass(frozen=True, slots=True)
class Answers:
    """What was asked, or guessed. `env` is variable -> placeholder. All may hold whatever a file's name may."""

    name: str
    command: tuple[str, ...]
    language: str
    env: Mapping[str, str]


def driver_of(language: str, library: str) -> tuple[str, str, tuple[str, ...]] | None:
    """The driver's file name, its text, and the command that starts it; None: none is written in that language.

    Raises `UsageError` where nothing of that language can import a library of this name.
    """
    if language not in DRIVERS:
        return None
    if not library.isprintable() or (language == "Python" and not _is_module(library)):
        raise UsageError(
            f"the library {library!r}: {language} can import nothing of this name; expected the name in its code, by "
            "--library"
        )
    name, template = DRIVERS[language]
    text = resources.files("brokercert.data").joinpath("drivers", template).read_text("utf-8")
    text = text.replace('"@LIBRARY@"', json.dumps(library, ensure_ascii=False)).replace("@LIBRARY@", library)
    return name, text, (STARTS[language], name)


def _is_module(name: str) -> bool:
    return all(part.isidentifier() and not keyword.iskeyword(part) for part in name.split("."))


def toml_text(text: str, what: str) -> str:
    """A text as TOML has it. `what` it is, for the `UsageError` where no TOML can say it: a file's name may be no
    UTF-8.
    """
    try:
        text.encode("utf-8")
    except UnicodeEncodeError:
        raise UsageError(f"{what}: {text!r}: it is no UTF-8, as a TOML file must be; rename it") from None
    return f'"{"".join(_ESCAPES.get(char) or (char if char.isprintable() else _code(char)) for char in text)}"'


def _code(char: str) -> str:
    return f"\\U{ord(char):08x}"


def toml_key(name: str, what: str) -> str:
    """A key as TOML has it, quoted where it must be. Raises `UsageError`."""
    return name if _BARE.fullmatch(name) else toml_text(name, what)


def one_line(name: str) -> str:
    """A client's name of what its folder or project is called: printable, on one line."""
    return " ".join("".join(char if char.isprintable() else " " for char in name).split()) or NOBODY


def config_text(answers: Answers, rows: RequirementSet) -> str:
    """A brokercert.toml in which each line says what it is for; what is not known to be true is a comment.

    Raises `UsageError` where an answer cannot be written so.
    """
    return "\n".join(_lines(answers, rows)) + "\n"


def _lines(answers: Answers, rows: RequirementSet) -> Iterator[str]:
    yield "# How brokercert starts this client. Every field: docs/adapting-a-client.md; `brokercert schema config`."
    yield ""
    yield "[subject]"
    yield f"name = {toml_text(one_line(answers.name), 'the name')}  # stands in every verdict"
    yield f"command = [{', '.join(_words(answers.command))}]  # started in the folder of this file"
    yield 'level = "wire"  # what is looked at: "wire"; "reports" and "commands" need an adapter'
    yield 'stop = "signal"  # SIGTERM; "none": it has no way to be asked'
    yield "# inherit_env = []  # variables of your shell that it needs beside PATH, HOME, locale and tool chains"
    yield ""
    yield "[subject.env]  # its own variables; what stands in braces is filled for each scenario"
    known = {"url", "md_url", "ws_base", "rest_base", "host", "port", "state_dir", "ca", *rows.placeholders}
    for name, placeholder in answers.env.items():
        if placeholder in known:
            yield f'{toml_key(name, "a variable")} = "{{{placeholder}}}"'
    if not answers.env:
        yield "# It is given BROKERCERT_URL and BROKERCERT_TOKEN. If it reads other names, as in:"
        yield '# BROKER_WS_URL = "{url}"'
        yield '# BROKER_TOKEN = "{token}"'
    if answers.language in TRUST:
        yield f'# {TRUST[answers.language]} = "{{ca}}"  # for the scenarios with TLS; then offer "tls" below'
    yield ""
    yield "[capabilities]"
    yield "offers = []  # what more it can show; `brokercert check` says what each would add"
    yield ""
    yield "[run]"
    yield f"set = {toml_text(rows.name, 'the set')}"
    part = next(iter(rows.parts), "")
    if part:
        yield f"part = {toml_text(part, 'the part')}  # {rows.parts[part].title}; remove the line for the whole set"


def _words(command: Sequence[str]) -> Iterator[str]:
    for number, word in enumerate(command, 1):
        what = f"how the client is started: word {number}"
        if not word or "\0" in word:
            raise UsageError(f"{what} {'holds a NUL byte' if word else 'is empty'}; expected a text that is not empty")
        yield toml_text(word, what)


def refuse_variable(name: str, option: str) -> None:
    """Raises `UsageError` where no variable can be called so."""
    if not name or "=" in name or "\0" in name:
        raise UsageError(f"{option} {name!r}: no variable is called so; expected a name, as in MY_WS_URL")


def write_file(path: Path, text: str, force: bool) -> None:
    """Write one of ours; over another one only with `force`. Raises `UsageError`."""
    refuse_overwriting(path, force)
    write_given(path, text.encode("utf-8"), "brokercert init", new=not force)


def refuse_overwriting(path: Path, force: bool) -> None:
    """Raises `UsageError` where a file is there that nobody asked to be replaced."""
    if is_there(path) and not force:
        raise UsageError(f"{path} is there, and is left as it is; --force replaces it")
