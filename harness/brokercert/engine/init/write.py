"""The files that `brokercert init` writes: a commented brokercert.toml, and a driver for a library."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from importlib import resources
from pathlib import Path

from brokercert.engine.ask.given import is_there
from brokercert.engine.errors import UsageError
from brokercert.requirements import RequirementSet

DRIVERS = {"Python": ("brokercert_driver.py", "python.txt"), "Node": ("brokercert_driver.mjs", "node.txt")}
STARTS = {"Python": "python3", "Node": "node"}
TRUST = {  # by language: the variable by which it trusts one more authority
    "Python": "SSL_CERT_FILE",
    "Node": "NODE_EXTRA_CA_CERTS",
    "Go": "SSL_CERT_FILE",
}


@dataclass(frozen=True, slots=True)
class Answers:
    """What was asked, or guessed. `env` is variable -> placeholder."""

    name: str
    command: tuple[str, ...]
    language: str
    env: Mapping[str, str]


def driver_of(language: str, library: str) -> tuple[str, str, tuple[str, ...]] | None:
    """The driver's file name, its text, and the command that starts it; None: none is written in that language."""
    if language not in DRIVERS:
        return None
    name, template = DRIVERS[language]
    text = resources.files("brokercert.data").joinpath("drivers", template).read_text("utf-8")
    return name, text.replace("@LIBRARY@", library), (STARTS[language], name)


def config_text(answers: Answers, rows: RequirementSet) -> str:
    """A brokercert.toml in which each line says what it is for; what is not known to be true is a comment."""
    return "\n".join(_lines(answers, rows)) + "\n"


def _lines(answers: Answers, rows: RequirementSet) -> Iterator[str]:
    yield "# How brokercert starts this client. Every field: docs/adapting-a-client.md; `brokercert schema config`."
    yield ""
    yield "[subject]"
    yield f"name = {json.dumps(answers.name)}  # stands in every verdict"
    yield f"command = {json.dumps(list(answers.command))}  # started in the folder of this file"
    yield 'level = "wire"  # what is looked at: "wire"; "reports" and "commands" need an adapter'
    yield 'stop = "signal"  # SIGTERM; "none": it has no way to be asked'
    yield "# inherit_env = []  # variables of your shell that it needs beside PATH, HOME, locale and tool chains"
    yield ""
    yield "[subject.env]  # its own variables; what stands in braces is filled for each scenario"
    known = {"url", "md_url", "ws_base", "rest_base", "host", "port", "state_dir", "ca", *rows.placeholders}
    for name, placeholder in answers.env.items():
        if placeholder in known:
            yield f'{name} = "{{{placeholder}}}"'
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
    yield f"set = {json.dumps(rows.name)}"
    part = next(iter(rows.parts), "")
    if part:
        yield f"part = {json.dumps(part)}  # {rows.parts[part].title}; remove the line for the whole set"


def refuse_overwriting(path: Path, force: bool) -> None:
    """Raises `UsageError` where a file is there that nobody asked to be replaced."""
    if is_there(path) and not force:
        raise UsageError(f"{path} is there, and is left as it is; --force replaces it")
