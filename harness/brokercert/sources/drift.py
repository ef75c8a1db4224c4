"""What a saved page has that the register of its sentences has not, and the other way round.

The law: nothing is guessed by meaning. A sentence is there where its very words are. Where they are not, the nearest
text between its neighbours is shown as what it became; where there is none, the sentence is gone.
"""

from __future__ import annotations

import re
from bisect import bisect_left
from collections import Counter, defaultdict
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from difflib import SequenceMatcher
from itertools import groupby
from typing import Literal

from brokercert.sources.register import Sentence, Source
from brokercert.sources.words import Hashes, Wording, hashed

NEAR = 0.5  # of the words: from here on a text is taken for what a sentence became
LEAST = 3  # words of a text that is told as new: less is a label, or a heading
WIDE = 2_000_000  # pairs of words, from which on frequent words are not compared: it would take minutes
# After a mark that ends a sentence; not after a number, as in the heading "2. Heartbeats".
_END = re.compile(r"(?:(?<=[^\W\d_][.!?])|(?<=[)\]\"'][.!?]))\s+(?=\W*[A-Z0-9])")

What = Literal["changed", "gone", "new"]


@dataclass(frozen=True, slots=True)
class Drift:
    """One difference. `now` is the page's text, empty where a sentence is gone; `sentence` is None where it is new."""

    what: What
    sentence: Sentence | None
    now: str = ""

    @property
    def rows(self) -> tuple[str, ...]:
        """What hangs on it."""
        return self.sentence.rows if self.sentence else ()


@dataclass(frozen=True, slots=True)
class Piece:
    """A sentence of the page, or a line of it that holds one: its text, the number of its line, and which words of the
    page are its own.
    """

    text: str
    line: int
    begin: int
    end: int


@dataclass(slots=True)
class _Entry:
    """What is looked for: a registered sentence, or a text that is none. `at`: where it was found."""

    sentence: Sentence | None
    words: Hashes
    at: int | None = None
    moved: bool = False

    @property
    def end(self) -> int:
        assert self.at is not None
        return self.at + len(self.words)


@dataclass
class _Page:
    pieces: list[Piece]
    words: Hashes
    places: dict[str, list[int]]  # word -> where it stands
    begins: frozenset[int]  # of pieces
    taken: list[bool]
    piece_at: list[int] = field(default_factory=list)  # beside the words

    def all_of(self, words: Hashes, begin: int = 0, end: int | None = None) -> Iterator[int]:
        """Where these words stand and nobody has them, between two places."""
        places = self.places.get(words[0], [])
        for at in places[bisect_left(places, begin) :]:
            if at + len(words) > (len(self.words) if end is None else end):
                return
            if self.words[at : at + len(words)] == words and not any(self.taken[at : at + len(words)]):
                yield at

    def take(self, entry: _Entry, at: int) -> None:
        entry.at = at
        self.taken[at : entry.end] = [True] * len(entry.words)


def pieces_of(lines: Sequence[str]) -> tuple[list[Piece], Hashes]:
    """The sentences of a page's lines, and the page's words."""
    pieces: list[Piece] = []
    words: list[str] = []
    for number, line in enumerate(lines):
        for text in _END.split(line):
            own = hashed(text)
            if own:
                pieces.append(Piece(text.strip(), number, len(words), len(words) + len(own)))
                words += own
    return pieces, tuple(words)


def drift_of(source: Source, wording: Sequence[Wording], lines: Sequence[str]) -> list[Drift]:
    """The differences, in the order of the page. Without `wording` sentences are known by their first words alone: what
    is new is not seen then, nor what changed after these.
    """
    sentences = {one.n: one for section in source.section for one in section.sentences}
    if wording:
        entries = [_Entry(sentences.get(one.n), one.words) for one in wording]
    else:
        entries = [_Entry(one, hashed(one.starts)) for one in sentences.values()]
    pieces, words = pieces_of(lines)
    page = _page(pieces, words)
    _find_all(page, entries)
    found: dict[int, Drift] = {}
    fresh: list[tuple[int, Drift]] = []
    _compare_gaps(page, entries, found, whole=bool(wording))
    if wording:
        _look_beside(page, entries, found)
        fresh = [(begin, Drift("new", None, text)) for begin, text in _left_over(page)]
    return _in_order(entries, found, fresh)


def _page(pieces: list[Piece], words: Hashes) -> _Page:
    places: dict[str, list[int]] = defaultdict(list)
    for at, word in enumerate(words):
        places[word].append(at)
    owners = [number for number, piece in enumerate(pieces) for _ in range(piece.begin, piece.end)]
    return _Page(pieces, words, dict(places), frozenset(p.begin for p in pieces), [False] * len(words), owners)


def _find_all(page: _Page, entries: Sequence[_Entry]) -> None:
    """Sentences that stand once are fixed first, and each other one is looked for between those around it."""
    counts = Counter(entry.words for entry in entries)
    once: list[tuple[int, _Entry]] = []
    for entry in entries:
        if counts[entry.words] == 1:
            first = [at for at, _ in zip(page.all_of(entry.words), range(2), strict=False)]
            if len(first) == 1:
                once.append((first[0], entry))
    for at, entry in _rising(once):
        if not any(page.taken[at : at + len(entry.words)]):
            page.take(entry, at)
    cursor = 0
    for number, entry in enumerate(entries):
        if entry.at is not None:
            cursor = entry.end
            continue
        until = next((later.at for later in entries[number + 1 :] if later.at is not None), None)
        free = list(page.all_of(entry.words, cursor, until))
        best = next((at for at in free if at in page.begins), free[0] if free and len(entry.words) >= LEAST else None)
        if best is not None:
            page.take(entry, best)
            cursor = entry.end
    for entry in entries:
        if entry.at is None and len(entry.words) >= LEAST:
            moved = next(page.all_of(entry.words), None)
            if moved is not None:
                page.take(entry, moved)
                entry.moved = True


def _rising(found: Sequence[tuple[int, _Entry]]) -> list[tuple[int, _Entry]]:
    """The most of them that stand on the page in the register's order."""
    tails: list[int] = []
    chain: list[tuple[int, int]] = []  # number of the tail, number of the one before
    last: list[int] = []
    for number, (at, _) in enumerate(found):
        place = bisect_left(tails, at)
        chain.append((place, last[place - 1] if place else -1))
        tails[place : place + 1] = [at]
        last[place : place + 1] = [number]
    kept: list[tuple[int, _Entry]] = []
    number = last[-1] if last else -1
    while number >= 0:
        kept.append(found[number])
        number = chain[number][1]
    return kept[::-1]


def _compare_gaps(page: _Page, entries: Sequence[_Entry], found: dict[int, Drift], *, whole: bool) -> None:
    """What was not found, against the text between the sentences around it."""
    begin = 0
    numbered = list(enumerate(entries))
    for missing, group in groupby(numbered, key=lambda pair: pair[1].at is None or pair[1].moved):
        some = list(group)
        if not missing:
            begin = some[-1][1].end
            continue
        lost = [(number, entry) for number, entry in some if entry.at is None and entry.sentence is not None]
        if not lost:
            continue
        later = entries[some[-1][0] + 1 :]
        end = next((one.at for one in later if one.at is not None and not one.moved), len(page.words))
        became = _nearest(page, lost, begin, end, whole=whole)
        for number, entry in lost:
            text = became.get(number, "")
            found[number] = Drift("changed" if text else "gone", entry.sentence, text)


def _nearest(page: _Page, lost: Sequence[tuple[int, _Entry]], begin: int, end: int, *, whole: bool) -> dict[int, str]:
    """Number of an entry -> the text between two places that it became. Takes that text."""
    free = [at for at in range(begin, end) if not page.taken[at]]
    owners = [number for number, entry in lost for _ in entry.words]
    theirs = [word for _, entry in lost for word in entry.words]
    matcher = SequenceMatcher(None, theirs, [page.words[at] for at in free], len(free) * len(theirs) > WIDE)
    hits: dict[int, Counter[int]] = defaultdict(Counter)
    for block in matcher.get_matching_blocks():
        for step in range(block.size):
            hits[page.piece_at[free[block.b + step]]][owners[block.a + step]] += 1
    sizes = Counter(page.piece_at[at] for at in free)
    lengths = {number: len(entry.words) for number, entry in lost}
    texts: dict[int, list[str]] = defaultdict(list)
    for piece in sorted(hits):
        number, same = hits[piece].most_common(1)[0]
        size = sizes[piece] if whole else min(sizes[piece], lengths[number])
        if same >= NEAR * size or 2 * same >= NEAR * (size + lengths[number]):
            one = page.pieces[piece]
            texts[number].append(one.text)
            page.taken[one.begin : one.end] = [True] * (one.end - one.begin)
    return {number: " ".join(some) for number, some in texts.items()}


def _look_beside(page: _Page, entries: Sequence[_Entry], found: dict[int, Drift]) -> None:
    """Words that stand in one sentence with a registered one, and are nobody's, changed that. So did a rest of a line
    that is too short for a sentence.
    """
    ours = {at: number for number, one in enumerate(entries) if one.at is not None for at in range(one.at, one.end)}
    line, before = -1, None  # the sentence that stands before in the same line
    for piece in page.pieces:
        if piece.line != line:
            line, before = piece.line, None
        near = [ours[at] for at in range(piece.begin, piece.end) if at in ours]
        number = next((n for n in reversed(near) if entries[n].sentence is not None), None)
        free = [at for at in range(piece.begin, piece.end) if not page.taken[at]]
        changed = number if number is not None else before if len(free) < LEAST else None
        if free and changed is not None:
            found.setdefault(changed, Drift("changed", entries[changed].sentence, piece.text))
            for at in free:
                page.taken[at] = True
        before = number if number is not None else before


def _left_over(page: _Page) -> Iterator[tuple[int, str]]:
    """Text that is nobody's, a piece at a time."""
    for piece in page.pieces:
        if sum(not page.taken[at] for at in range(piece.begin, piece.end)) >= LEAST:
            yield piece.begin, piece.text


def _in_order(entries: Sequence[_Entry], found: dict[int, Drift], fresh: Sequence[tuple[int, Drift]]) -> list[Drift]:
    """By where each stands on the page; what is gone or changed after the sentence before it."""
    place = 0
    placed: list[tuple[int, int, Drift]] = []
    for number, entry in enumerate(entries):
        if entry.at is not None and not entry.moved:
            place = entry.at
        if number in found:
            placed.append((place, number, found[number]))
    placed += [(begin, -1, one) for begin, one in fresh]
    return [one for _, _, one in sorted(placed, key=lambda three: three[:2])]
