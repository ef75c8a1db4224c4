"""`python -m brokercert.sources`: the registers of sets, for whoever writes one.

SET ...             print their registers, and refuse what is wrong in them (none: those of ours)
--words PAGE SET    print the words file of a set's page, from the page as it was saved
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from brokercert.requirements import RequirementError, RequirementSet, load_set, newest_told, set_named
from brokercert.sets import own_sets
from brokercert.sources import (
    Source,
    kind_of,
    lines_of,
    load_sources,
    page_of,
    pages_of,
    render_register,
    uncited,
    unpinned,
    worded,
)
from brokercert.sources.words import render_words


def main(asked: Sequence[str]) -> None:
    """Print what is asked for; without any word the registers of ours. Raises `RequirementError`."""
    match asked:
        case ["--words", page, name]:
            print(_words(Path(page), _meant(name)), end="")
        case []:
            print(_registers(load_sources(), [load_set(set_id) for set_id in own_sets()]), end="")
        case _:
            several = list({rows.id: rows for rows in map(_meant, asked)}.values())
            sources = {source.id: source for rows in several for source in _beside(rows)}
            print(_registers(tuple(sources.values()), several), end="")


def _meant(name: str) -> RequirementSet:
    """The set that a user names; which edition that is, is told where there are several."""
    rows = set_named(name)
    told = newest_told(name, rows)
    if told:
        print(f"brokercert.sources: {told}", file=sys.stderr)
    return rows


def _beside(rows: RequirementSet) -> tuple[Source, ...]:
    """The registers of a set: those that lie beside it, and of ours, which lie together, those that it is about."""
    return tuple(source for _, source in pages_of(rows)) if rows.id in own_sets() else load_sources([rows.id])


def _words(path: Path, rows: RequirementSet) -> str:
    try:
        text = path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise RequirementError(f"{path}: {error}; expected a saved page in UTF-8") from error
    page = page_of(rows, wording=False)
    return render_words(worded(page.source, lines_of(text, kind_of(path.suffix, text))))


def _registers(sources: Sequence[Source], several: Sequence[RequirementSet]) -> str:
    for missing in (one for rows in several for one in uncited(sources, rows)):
        raise RequirementError(f"{missing}: no sentence there names the row; expected it in `rows` of one of them")
    for wrong in filter(None, map(unpinned, several)):
        raise RequirementError(wrong)
    return render_register(sources, tuple(rows.id for rows in several))


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except RequirementError as error:
        print(f"brokercert.sources: {error}", file=sys.stderr)
        raise SystemExit(2) from error  # wrong use, as everywhere
