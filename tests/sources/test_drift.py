"""A saved page against its register: nothing where nothing changed, and else the sentences that did, and no other."""

from __future__ import annotations

import random
from dataclasses import replace

import pytest
from brokercert.sources import Drift, drift_of, lines_of
from saved_pages import FORMS, ROWS, Line, made_page, source_of, wording_of

SEEDS = range(20)


def found(seed: int, saved: list[Line], form: str) -> list[Drift]:
    """What is said of `saved`, beside the page of that seed."""
    page = made_page(seed)
    return drift_of(source_of(page), wording_of(page), lines_of(FORMS[form](saved), form))


def named(drift: list[Drift]) -> list[int]:
    return sorted(one.sentence.n for one in drift if one.sentence)


def other_word(line: Line, draw: random.Random) -> Line:
    words = line.text.split()
    at = draw.choice([place for place, word in enumerate(words) if word.isalpha()])
    return replace(line, text=" ".join([*words[:at], "zebra", *words[at + 1 :]]))


CHANGES = {
    "another word": other_word,
    "a word less": lambda line, draw: replace(line, text=" ".join(line.text.split()[:-1])),
    "words more": lambda line, draw: replace(line, text=f"{line.text.rstrip('.')} unless asked"),
    "words before": lambda line, draw: replace(line, text=f"Always {line.text}"),
    "other words": lambda line, draw: replace(line, text="Entirely different wording stands at this place"),
}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("seed", SEEDS)
def test_the_page_as_it_was_shows_no_drift(seed: int, form: str) -> None:
    assert found(seed, made_page(seed), form) == []


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("seed", SEEDS)
def test_three_changed_sentences_are_named_and_no_other(seed: int, form: str) -> None:
    draw = random.Random(f"{seed} {form}")
    page = made_page(seed)
    places = draw.sample(
        [at for at, line in enumerate(page) if line.kind in ("text", "point", "row") and "Example" not in line.text], 3
    )
    for at in places:
        page[at] = CHANGES[draw.choice(list(CHANGES))](page[at], draw)
    drift = found(seed, page, form)
    changed = sorted(page[at].n for at in places)
    assert named(drift) == changed
    assert {row for one in drift for row in one.rows} == {ROWS[n] for n in changed if n % 2}


@pytest.mark.parametrize("form", FORMS)
@pytest.mark.parametrize("seed", SEEDS)
def test_what_is_taken_away_is_gone_and_what_is_added_is_new(seed: int, form: str) -> None:
    draw = random.Random(seed)
    page = made_page(seed)
    gone = draw.choice([line for line in page if line.kind in ("point", "row")])
    page.remove(gone)
    page.insert(
        draw.choice([at for at, line in enumerate(page) if line.kind == "heading"]),
        Line("text", "Nobody wrote a thing of that kind here.", 0),
    )
    drift = found(seed, page, form)
    assert sorted((one.what, one.sentence.n if one.sentence else 0) for one in drift) == [("gone", gone.n), ("new", 0)]
    assert [one.now for one in drift if one.what == "new"] == ["Nobody wrote a thing of that kind here."]


@pytest.mark.parametrize("form", FORMS)
def test_a_sign_in_a_sample_is_a_change(form: str) -> None:
    page = made_page(1)
    at = next(at for at, line in enumerate(page) if ">=" in line.text)
    page[at] = replace(page[at], text=page[at].text.replace(">=", ">"))
    assert named(found(1, page, form)) == [page[at].n]


def test_one_of_several_equal_sentences_is_gone_where_it_stood() -> None:
    page = made_page(2)
    equal = [line for line in page if line.text == "Example Implementation:"]
    page.remove(equal[1])
    assert [(one.what, one.sentence and one.sentence.n) for one in found(2, page, "plain text")] == [
        ("gone", equal[1].n)
    ]


def test_a_sentence_that_moved_is_still_there() -> None:
    page = made_page(3)
    page.append(page.pop(2))
    assert found(3, page, "plain text") == []


def test_a_page_of_something_else_has_none_of_it() -> None:
    drift = drift_of(source_of(made_page(4)), wording_of(made_page(4)), ["Bread is baked of flour, water and salt."])
    assert {one.what for one in drift} == {"gone", "new"}
    assert named(drift) == [one.n for section in source_of(made_page(4)).section for one in section.sentences]


def test_without_wording_the_first_words_alone_are_compared() -> None:
    page = made_page(5)
    source = source_of(page)
    points = [at for at, line in enumerate(page) if line.kind == "point"]
    end, begin = points[0], points[1]
    page[end] = replace(page[end], text=page[end].text + " unless asked")
    page[begin] = replace(page[begin], text=f"Zebra {page[begin].text.split(' ', 1)[1]}")
    page.insert(3, Line("text", "Nobody wrote a thing of that kind here.", 0))
    drift = drift_of(source, (), lines_of(FORMS["plain text"](page), "plain text"))
    assert [(one.what, one.sentence and one.sentence.n) for one in drift] == [("changed", page[begin + 1].n)]
