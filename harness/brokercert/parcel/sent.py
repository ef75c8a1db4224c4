"""A record as it is shown on pages that are sent away: without the paths of the machine on which it was made.

`run.json` and the traces stay as they are. The pages name files as they are called, without their folders.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from typing import Any

import msgspec
from msgspec import structs

from brokercert.verdict import RunRecord

# A path from the root, as a word or after a quote, a bracket or an equals sign: not within a URL or a relative path.
PATH = re.compile(r"""(?<![\w./:~-])(?:/[^\s/'"`,;:()\[\]]+)+/([^\s/'"`,;:()\[\]]+)""")
FOLDER = re.compile(r"/[^\s/'\"`,;:()\[\]]+(?:/[^\s/'\"`,;:()\[\]]+)+")
SHORTEST = 5  # characters of a folder that is looked for everywhere: `/usr` may be anything


def sendable(run: RunRecord) -> RunRecord:
    """The same record, for pages. Commands and notes name no folder from the root. Folders that the command line names
    are left out everywhere, in what the client printed too.
    """
    folders = sorted(set(_folders(run)), key=len, reverse=True)
    subject = structs.replace(run.subject, command=tuple(map(_bare, run.subject.command)))
    rows = tuple(structs.replace(row, reproduce=_bare(row.reproduce)) for row in run.rows)
    told = structs.replace(
        run, subject=subject, rows=rows, reproduce=_bare(run.reproduce), notes=tuple(map(_bare, run.notes))
    )
    if not folders:
        return told
    pattern = re.compile(f"(?:{'|'.join(map(re.escape, folders))})(?:/|(?![\\w.-]))")
    return msgspec.convert(_walk(msgspec.to_builtins(told), pattern), RunRecord)


def _bare(text: str) -> str:
    return PATH.sub(r"\1", text)


def _folders(run: RunRecord) -> Iterator[str]:
    """Those of the files that the command line names."""
    for text in (*run.subject.command, run.reproduce):
        for match in FOLDER.finditer(text):
            folder = match.group().rpartition("/")[0]
            if len(folder) > SHORTEST and PATH.search(text):
                yield folder


def _walk(value: Any, pattern: re.Pattern[str]) -> Any:
    match value:
        case str():
            return pattern.sub("", value) if "/" in value else value
        case dict():
            return {key: _walk(item, pattern) for key, item in value.items()}
        case list() | tuple():
            return [_walk(item, pattern) for item in value]
        case _:
            return value
