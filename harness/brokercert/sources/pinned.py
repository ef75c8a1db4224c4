"""The page that a set names: its register, its wording, and the hash that pins both in the set's data."""

from __future__ import annotations

import hashlib
from typing import NamedTuple

import msgspec

from brokercert.requirements import RequirementError, RequirementSet
from brokercert.sets import own_sets
from brokercert.sources.register import NAME, Source, registers
from brokercert.sources.words import SUFFIX, Wording, parse_words


class Page(NamedTuple):
    """`wording` is empty where only the first words of its sentences are kept."""

    source: Source
    wording: tuple[Wording, ...]

    @property
    def hash(self) -> str:
        """The SHA-256 of the list of its sentences: which there are, what we say of each, and their words. Which rows
        judge them is no part of it.
        """
        sentences = [(one.n, one.starts, one.says) for section in self.source.section for one in section.sentences]
        return hashlib.sha256(msgspec.json.encode([sentences, self.wording])).hexdigest()


def page_of(rows: RequirementSet, *, wording: bool = True) -> Page:
    """The page of a set. `wording`: with that, where it is kept.

    Raises `RequirementError`, also where the set names none.
    """
    if rows.source is None:
        raise RequirementError(f"{rows.name}: no [source] in its set.toml; expected the page that it was made from")
    beside = own_sets() if rows.id in own_sets() else (rows.id,)
    found = next(((path, one) for path, one in registers(beside) if one.id == rows.source.page), None)
    if found is None:
        raise RequirementError(f"{rows.id}: source.page: {rows.source.page!r}; expected the id of a page in {NAME}/")
    path, source = found
    kept = path.with_suffix(SUFFIX)
    if not wording or not kept.is_file():
        return Page(source, ())
    numbers = [sentence.n for section in source.section for sentence in section.sentences]
    return Page(source, parse_words(kept.read_text("utf-8"), name=kept.name, numbers=numbers))


def unpinned(rows: RequirementSet) -> str:
    """What is wrong with the hash that a set has of its page; empty: nothing. Raises `RequirementError`."""
    if rows.source is None:
        return ""
    now = page_of(rows).hash
    if now == rows.source.sentences:
        return ""
    return (
        f"{rows.id}: source.sentences: {rows.source.sentences[:12]}...; expected {now}, of the list as it is; correct "
        "it, and the set's version where a row changed"
    )
