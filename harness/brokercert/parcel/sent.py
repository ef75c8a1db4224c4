"""A record as it is shown on pages that are sent away: without the paths of the machine on which it was made.

`run.json` and the traces stay as they are. The pages name files as they are called, without their folders.

The law: a path from the root is one wherever it begins, be it after an option's letter, an equals sign, a colon or a
quote. A path of a URL is none, nor is the end of a relative one. Whoever says what stands there decides how much is
taken for a path:

* in what this machine's user wrote (commands, notes), every one of two names and more
* in all other texts, those in the folders that the user's command names, and those in folders that are a machine's own:
  what a client says over the wire looks like a path too, as `/v1/order/placeorder` does
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from typing import Any

import msgspec
from msgspec import structs

from brokercert.verdict import RunRecord

# A name within a path ends with a space, a quote, a bracket, or a sign between two paths. In quotes it may have spaces.
NAME = r"""[^\s/'"`,;:=()\[\]{}<>|&]+"""
QUOTED = r"""[^\s/'"`](?:[^/'"`\n]*[^\s/'"`])?"""
# A URL is left alone, up to what may name a file again; `file:` names one itself.
URL = r"""(?<![A-Za-z0-9+.-])(?!file:)[A-Za-z][A-Za-z0-9+.-]*://[^\s'"`?#<>]*"""
# A path from the root begins where no relative one goes on. An option's letters may stand before it: `-I/home/x`.
START = r"""(?:(?<![\w./~}»-])|(?<![^\s'"=,;:(\[{])(?P<option>-{1,2}[\w-]*))"""
USER = r"~[\w.-]*"  # a shell's word for the folder of a user
# First folders that only a machine has: no broker's endpoint begins so.
OWN = "(?:home|Users|root|tmp|var|usr|opt|mnt|srv|builds|github/workspace|private/(?:var|tmp))"
HOMES = ("/home", "/Users")
SPACED = rf"""(?<=['"])(?P<spaced>/{QUOTED}(?:/+{QUOTED})*)/+(?P<last>{QUOTED})(?=['"])"""


def _paths(first: str) -> re.Pattern[str]:
    """Of paths of two names and more that begin like this."""
    folder = rf"(?P<folder>(?:{USER}|{first})(?:/+{NAME})*)"
    return re.compile(rf"(?P<url>{URL})|{SPACED}|{START}{folder}/+(?P<name>{NAME})")


PATH = _paths(f"/+{NAME}")
OF_A_MACHINE = _paths(f"/+{OWN}(?=/)")
SHORTEST = 5  # characters of a folder that is looked for everywhere: `/usr` may be anything


def sendable(run: RunRecord) -> RunRecord:
    """The same record, for pages. Commands and notes name no folder from the root, other texts no machine's own."""
    subject = structs.replace(run.subject, command=tuple(_bare(f"'{word}'")[1:-1] for word in run.subject.command))
    rows = tuple(structs.replace(row, reproduce=_bare(row.reproduce)) for row in run.rows)
    told = structs.replace(
        run, subject=subject, rows=rows, reproduce=_bare(run.reproduce), notes=tuple(map(_bare, run.notes))
    )
    return msgspec.convert(_walk(msgspec.to_builtins(told), sender(run)), RunRecord)


def sender(run: RunRecord) -> Callable[[str], str]:
    """What makes a text sendable, whoever said it: without the folders that the run's command line names, and without
    those of a machine.
    """
    folders = sorted(set(_folders(run)), key=len, reverse=True)
    named = re.compile(f"(?:{'|'.join(map(re.escape, folders))})(?:/+|(?![\\w.-]))") if folders else None

    def sent(text: str) -> str:
        if "/" not in text:
            return text
        return OF_A_MACHINE.sub(_name, named.sub("", text) if named else text)

    return sent


def _bare(text: str) -> str:
    return PATH.sub(_name, text)


def _name(match: re.Match[str]) -> str:
    if match["url"]:
        return match["url"]
    if match["spaced"]:
        return match["last"]
    return f"{match['option'] or ''}{'~' if match['folder'] in HOMES else match['name']}"


def _folders(run: RunRecord) -> Iterator[str]:
    """Those of the files that the command line names."""
    for text in (*(f"'{word}'" for word in run.subject.command), run.reproduce):
        for match in PATH.finditer(text):
            folder = match["spaced"] or match["folder"]
            if folder and folder.startswith("/") and len(folder) > SHORTEST:
                yield folder


def _walk(value: Any, sent: Callable[[str], str]) -> Any:
    match value:
        case str():
            return sent(value)
        case dict():
            return {key: _walk(item, sent) for key, item in value.items()}
        case list() | tuple():
            return [_walk(item, sent) for item in value]
        case _:
            return value
