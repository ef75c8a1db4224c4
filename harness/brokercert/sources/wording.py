"""Which words of a saved page belong to which sentence of its register: made once, when a page is registered.

A sentence goes from its first words to those of the next one. What is left out of it are lines at its end that are
headings (of few words, and without a mark at their end) and heads of tables. Whoever registers a page looks at the
file.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from itertools import pairwise

from brokercert.requirements import RequirementError
from brokercert.sources.drift import Piece, pieces_of
from brokercert.sources.page import is_rule
from brokercert.sources.register import Source
from brokercert.sources.words import Hashes, Wording, hashed

HEADING = 7  # words at most
LABEL = 3  # of one that ends with a colon
_MARKED = re.compile(r"[.,;{}()\[\]|=]\s*$")
_CELL = re.compile(r"^[^|]+\|\s*$")
_NUMBERED = re.compile(r"\d+\. [A-Z]")
_FILE = re.compile(r"[\w-]+\.(?:js|ts|py)")


def worded(source: Source, lines: Sequence[str]) -> tuple[Wording, ...]:
    """The wording of a page. Raises `RequirementError` for a sentence that is not found after the one before it."""
    pieces, words = pieces_of(lines)
    heads = {line.strip() for line, below in pairwise(lines) if "|" in below and is_rule(below)}
    begins: list[tuple[int, int]] = []
    cursor = 0
    marks = {piece.begin for piece in pieces}
    for sentence in (one for section in source.section for one in section.sentences):
        starts = hashed(sentence.starts)
        places = [at for at in range(cursor, len(words)) if words[at : at + len(starts)] == starts]
        if not places:
            raise RequirementError(f"{source.id}: sentence {sentence.n}: {sentence.starts!r} is not on the page there")
        at = next((place for place in places if place in marks), places[0])
        cursor = at + len(starts)
        name = next((piece for piece in pieces if piece.end == at and _CELL.match(piece.text)), None)
        begins.append((name.begin if name else at, sentence.n))
    found: list[Wording] = []
    _other(found, pieces, words, 0, begins[0][0])
    for (at, n), end in zip(begins, [begin for begin, _ in begins[1:]] + [len(words)], strict=True):
        cut = end
        for piece in reversed([one for one in pieces if at < one.begin and one.end <= end]):
            if piece.end != cut or not (piece.text in heads or _is_heading(piece.text)):
                break
            cut = piece.begin
        found.append(Wording(n, words[at:cut]))
        _other(found, pieces, words, cut, end)
    return tuple(found)


def _is_heading(text: str) -> bool:
    text = text.strip()
    most = LABEL if text.endswith(":") else HEADING
    begins = text[:1].isupper() or text[:1].isdigit()
    if _FILE.fullmatch(text) or _NUMBERED.match(text):
        return True
    return begins and len(text.split()) <= most and not _MARKED.search(text)


def _other(found: list[Wording], pieces: Sequence[Piece], words: Hashes, begin: int, end: int) -> None:
    """A piece at a time, so that each is known by itself."""
    cuts = [begin, *(piece.begin for piece in pieces if begin < piece.begin < end), end]
    found += [Wording(0, words[a:b]) for a, b in pairwise(cuts) if a < b]
