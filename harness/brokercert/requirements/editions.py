"""Which set is meant by a name that a user gave: NAME, or NAME@EDITION.

NAME alone means the newest edition. An id, as traces and records have it, is no such name: it names one edition for
ever, and `load_set` takes it as it is.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from difflib import get_close_matches

from brokercert.requirements.load import available_sets, load_set
from brokercert.requirements.model import RequirementError, RequirementSet
from brokercert.sets import stem_of


def set_named(name: str) -> RequirementSet:
    """The set that a user means. Raises `RequirementError`, with what there is and what may be meant."""
    stem, at, edition = name.partition("@")
    ids = [set_id for set_id in available_sets() if stem_of(set_id) == stem]
    if not ids:
        known = sorted({stem_of(set_id) for set_id in available_sets()})
        raise RequirementError(f"no requirement set {name!r}; known: {', '.join(known)}{_near(stem, known)}")
    if not at and len(ids) == 1:
        return load_set(ids[0])
    editions = _by_edition(stem, map(load_set, ids))
    if not at:
        return list(editions.values())[-1]
    if edition not in editions:
        known = [f"{stem}@{one}" for one in editions if one]
        told = ", ".join(known) or f"none, since {stem} names no edition; ask for {stem}"
        raise RequirementError(f"no edition {edition!r} of {stem}; known: {told}{_near(name, known)}")
    return editions[edition]


def newest_told(name: str, rows: RequirementSet) -> str:
    """One line for whoever named a set without an edition, and may not know that there are several; else empty."""
    if name == rows.name:
        return ""
    return f"{name} means {rows.name}, its newest edition here (NAME@EDITION names one)"


def _by_edition(stem: str, several: Iterable[RequirementSet]) -> dict[str, RequirementSet]:
    """The sets of one name by their editions, the newest last. Raises `RequirementError` where two name the same."""
    found: dict[str, RequirementSet] = {}
    for rows in several:
        edition = rows.source.edition if rows.source else ""
        other = found.setdefault(edition, rows)
        if other is not rows:
            said = f"edition {edition!r}" if edition else "no edition"
            raise RequirementError(
                f"{stem}: source.edition: {other.id} and {rows.id} both name {said}; expected one set an edition; name "
                "another in the [source] of one of them"
            )
    return dict(sorted(found.items(), key=lambda item: age_of(item[0])))


def age_of(edition: str) -> tuple[object, ...]:
    """What editions are sorted by, the oldest first. Numbers count as numbers: `2025-9` is before `2025-10`."""
    parts = re.findall(r"([0-9]+)|([^0-9.-]+)", edition)
    return (*((1, int(number), "") if number else (0, 0, word) for number, word in parts), (-1, 0, edition))


def _near(name: str, known: list[str]) -> str:
    close = get_close_matches(name, known, n=1)
    return f"; did you mean {close[0]}?" if close else ""
