"""Small edits of a page that make another duty of a sentence: each is told. What a reader takes for the same is not."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import replace

import pytest
from brokercert.sources import drift_of, lines_of, plain_words
from saved_pages import FORMS, Line, source_of, wording_of

TEXTS = (
    ("text", "Beats come every 2.5 s, and never below -1 s of the clock."),
    ("point", "Wait while the depth is <= 5 and the spread >= 0.05 of the price."),
    ("point", "Attempts 1-3 are immediate, attempt 4 waits 2 s (2^1, capped at 5)."),
    ("row", "Tolerance of every timer: ±10 % of 30 s, at most .5 s more."),
    ("code", "if (size > -4 && count != 0) retry(1.25 * delay + 3);"),
    ("code", "const late = elapsed >= 1,000 - 20;"),
    ("text", "The client must not connect above 2/3 of its limit, which is not 10.50 but 10.05."),
    ("text", "A quantity below 0 or above 99.9 cannot be, and the sum ≥ 7 always holds."),
    ("text", "The balance is about ~12 at start, at least 3 < 4 later."),
)
PAGE = tuple(Line(kind, text, n) for n, (kind, text) in enumerate(TEXTS, 1))
NUMBER = r"(?<![\w.])\.?\d[\d.]*(?<!\.)"

# What is looked for -> what stands there afterwards, each by itself.
EDITS: dict[str, tuple[str, tuple[str, ...]]] = {
    "a number": (NUMBER, (r"1\g<0>", r"\g<0>7")),
    "a sign before a number": (r"(?<=[ (])(?=\d)(?<![-] )", ("-", "\u2212")),
    "a sign that goes": (r"(?<=[ (])-(?=\d)", ("", "+")),
    "a decimal point": (r"(?<=\d)\.(?=\d)", ("", ",", "-", ":")),
    "a point before a decimal": (r"(?<=\d)(?=\d)", (".",)),
    "a decimal that begins with its point": (r"(?<![\w.])\.(?=\d)", ("", "1.")),
    "a comparison": (r"<=|>=|!=|≥|(?<![<>=!-])[<>](?!=)", ("<", ">", "<=", ">=", "≤", "≥", "==", "!=", "≠", "")),
    "a sum": (r"\+|\^|/|%|±|&&", ("", "-", "*")),
    "a range": (r"(?<=\d)-(?=\d)", (", ", "+", " ")),
    "an approximation": (r"~", ("", "<", "±")),
    "a negation": (r"\bnot |\bnever\b|\bcannot\b", ("", "always ", "can ")),
    "its negation": (r"\bmust\b|\bcome\b|\balways\b|\bholds\b", (r"\g<0> not",)),
    "which end": (r"\babove\b|\bbelow\b|\bat most\b|\bat least\b", ("above", "below", "at most", "at least")),
}
SAME = {
    "<=": ("≤", "⩽"),
    ">=": ("≥",),
    "≥": (">=",),
    "-": ("\u2212", "\u2013"),
    "!=": ("≠",),
    " 0.05": (" .05",),
    " s,": ("\u00a0s,",),
}


def edits() -> Iterator[tuple[str, int, str]]:
    """(name, number of the sentence, its text after one edit), each that changes anything."""
    for name, (what, others) in EDITS.items():
        for line in PAGE:
            for found in re.finditer(what, line.text):
                for other in others:
                    now = line.text[: found.start()] + found.expand(other) + line.text[found.end() :]
                    if _spelt_alike(now) != _spelt_alike(line.text):
                        yield name, line.n, now


def _spelt_alike(text: str) -> str:
    """What needs no telling apart: spellings of one sign, and spaces."""
    for sign, others in (("<=", "≤"), (">=", "≥"), ("!=", "≠"), ("-", "\u2212")):
        text = text.replace(others, sign)
    return "".join(text.split())


ALL = tuple(edits())


def drifted(page: Sequence[Line], form: str) -> set[int]:
    drift = drift_of(source_of(PAGE), wording_of(PAGE), lines_of(FORMS[form](page), form))
    return {one.sentence.n if one.sentence else 0 for one in drift}


def test_there_are_edits_of_every_kind() -> None:
    assert {name for name, _, _ in ALL} == set(EDITS) and len(ALL) > 250


@pytest.mark.parametrize("form", FORMS)
def test_each_small_edit_of_a_sentence_is_told_of_it(form: str) -> None:
    wrong = []
    for name, n, text in ALL:
        page = [replace(line, text=text) if line.n == n else line for line in PAGE]
        if (told := drifted(page, form)) != {n}:
            wrong.append((name, text, told))
    assert wrong == []


@pytest.mark.parametrize("form", FORMS)
def test_the_same_sign_in_another_spelling_is_no_change(form: str) -> None:
    assert drifted(PAGE, form) == set()
    for sign, others in SAME.items():
        for other in others:
            page = [replace(line, text=line.text.replace(sign, other)) for line in PAGE]
            assert drifted(page, form) == set(), (sign, other)


@pytest.mark.parametrize(
    ("one", "other"),
    [
        ("Attempts **1** \u2013 3: now", "attempts 1-3 now"),
        ("`-5` s", "\u22125 s"),
        ("a word - 5 more", "A word: 5 more."),
        ("- 5 s", "* 5 s"),
        ("re-connect", "re connect"),
        ("The end is 5. And on", "the end is 5 and on"),
        ("a \u2265 b", "a >= b"),
    ],
)
def test_punctuation_is_still_none_of_its_words(one: str, other: str) -> None:
    assert plain_words(one) == plain_words(other)
