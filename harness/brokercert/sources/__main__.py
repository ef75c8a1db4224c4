"""`python -m brokercert.sources`: the registers of sets, for whoever writes one.

SET ...             print their registers, and refuse what is wrong in them
--words PAGE SET    print the words file of a set's page, from the page as it was saved
"""

from __future__ import annotations

import sys
from collections.abc import Sequence
from pathlib import Path

from brokercert.requirements import RequirementError, load_set
from brokercert.sets import own_sets
from brokercert.sources import (
    kind_of,
    lines_of,
    load_sources,
    page_of,
    render_register,
    uncited,
    unpinned,
    worded,
)
from brokercert.sources.words import render_words


def main(asked: Sequence[str]) -> None:
    """Print what is asked for; without any word the registers of ours. Raises `RequirementError`."""
    match asked:
        case ["--words", page, set_id]:
            print(_words(Path(page), set_id), end="")
        case _:
            print(_registers(tuple(asked) or own_sets()), end="")


def _words(path: Path, set_id: str) -> str:
    try:
        text = path.read_text("utf-8")
    except (OSError, UnicodeDecodeError) as error:
        raise RequirementError(f"{path}: {error}; expected a saved page in UTF-8") from error
    page = page_of(load_set(set_id), wording=False)
    return render_words(worded(page.source, lines_of(text, kind_of(path.suffix, text))))


def _registers(set_ids: Sequence[str]) -> str:
    sources = load_sources(set_ids)
    for missing in (one for set_id in set_ids for one in uncited(sources, load_set(set_id))):
        raise RequirementError(f"{missing}: no sentence there names the row; expected it in `rows` of one of them")
    for wrong in filter(None, (unpinned(load_set(set_id)) for set_id in set_ids)):
        raise RequirementError(wrong)
    return render_register(sources, set_ids)


if __name__ == "__main__":
    try:
        main(sys.argv[1:])
    except RequirementError as error:
        print(f"brokercert.sources: {error}", file=sys.stderr)
        raise SystemExit(2) from error  # wrong use, as everywhere
