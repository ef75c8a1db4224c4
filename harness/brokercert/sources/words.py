"""The words of a page, as far as they are kept: a short hash of each, so that no page of somebody else is kept itself.

The law: two texts have the same words where a reader of the page would say so. Letter case, spaces, lines, lists,
tables and punctuation do not matter. Letters and digits do, and what makes another number or condition of them: the
point of a decimal, the sign before a number, the dash of a range, the signs of a comparison or a sum, in any spelling.
"""

from __future__ import annotations

import hashlib
import re
import unicodedata
from collections.abc import Collection
from functools import cache
from typing import NamedTuple

from brokercert.requirements import RequirementError

SUFFIX = ".words"  # of the file beside a register
DIGITS = 4  # hexadecimal, of a word's hash: one change in 65,536 stays unseen
OTHER = "-"  # what a line begins with that is no sentence: a heading, a table's head
# How else a sign is written, and by what it is compared. (`hyphen` and `minus` are one to a reader.)
_SPELT = str.maketrans(
    {"≤": "<=", "⩽": "<=", "≦": "<=", "≥": ">=", "⩾": ">=", "≧": ">=", "≠": "!=", "÷": "/", "\u2044": "/", "≈": "~"}
    | dict.fromkeys("\u2010\u2011\u2012\u2013\u2014\u2212", "-")  # hyphens, dashes and the minus sign
)
_MARKS = re.compile(r"`+|\*+(?!\w)|(?<!\w)\*+")  # of code and of emphasis; a `*` between two words is a product
_NUMBER = r"\.?\d"
_WORD = re.compile(
    rf"""
      \w+(?:\.\d\w*)*               # a word, or a number with its decimals
    | (?<![\w.)\]]) \.\d\w*           # a decimal that begins with its point
    | [<>=!+%/^±\u00d7‰]+ | &&
    | ~ (?=\s?{_NUMBER})
    | (?<=\d) \s*-\s* (?={_NUMBER})   # a range, or a difference
    | (?<![\w)\]]) - (?={_NUMBER})     # below nought
    """,
    re.VERBOSE,
)
_LINE = re.compile(rf"(\d+|{OTHER}) ((?:[0-9a-f]{{{DIGITS}}})+)")

Hashes = tuple[str, ...]


class Wording(NamedTuple):
    """The hashed words of sentence `n`, or, where that is 0, of a text that is no sentence."""

    n: int
    words: Hashes


def plain_words(text: str) -> list[str]:
    """The words of a text, in order, as they are compared."""
    folded = _MARKS.sub("", unicodedata.normalize("NFKC", text).casefold().translate(_SPELT))
    words = (found.strip("_ \t\n") for found in _WORD.findall(folded))
    return [f"0{word}" if word.startswith(".") else word for word in words if word]


def hashed(text: str) -> Hashes:
    """The words of a text, hashed."""
    return tuple(map(_hash, plain_words(text)))


@cache
def _hash(word: str) -> str:
    return hashlib.sha256(word.encode("utf-8", "surrogatepass")).hexdigest()[:DIGITS]


def parse_words(text: str, *, name: str, numbers: Collection[int]) -> tuple[Wording, ...]:
    """The wording of a page from its file: a line a sentence, in the page's order, with every one of `numbers` once.

    Raises `RequirementError`.
    """
    found: list[Wording] = []
    for place, line in enumerate(text.splitlines(), 1):
        match = _LINE.fullmatch(line)
        if match is None:
            raise RequirementError(f"{name}: line {place}: expected a sentence's number, or {OTHER}, and hashed words")
        words = tuple(match[2][at : at + DIGITS] for at in range(0, len(match[2]), DIGITS))
        found.append(Wording(0 if match[1] == OTHER else int(match[1]), words))
    said = [one.n for one in found if one.n]
    if sorted(said) != sorted(numbers):
        odd = sorted({*said} ^ {*numbers}) or sorted({n for n in said if said.count(n) > 1})
        raise RequirementError(f"{name}: sentences {', '.join(map(str, odd))}: expected each of the register once")
    return tuple(found)


def render_words(wording: Collection[Wording]) -> str:
    """The file that `parse_words` reads."""
    return "".join(f"{one.n or OTHER} {''.join(one.words)}\n" for one in wording)
