"""Odd ids, odd editions, odd tables: what is wrong is said with its file and field, and nothing else is raised."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from brokercert import sets
from brokercert.requirements import RequirementError, available_sets, load_set, parse_files
from brokercert.requirements import editions as of
from brokercert.requirements.editions import age_of, set_named
from brokercert.requirements.parse import tables_of
from brokercert.requirements.share import shared_with, with_shared
from hypothesis import given
from hypothesis import strategies as st
from msgspec import structs

NAME = st.text("01259abZ.-", min_size=1, max_size=7).filter(lambda text: text[0].isalnum())


@pytest.mark.parametrize(
    ("older", "newer"),
    [
        ("2025", "2026"),
        ("2025", "2025-10"),
        ("2025-9", "2025-10"),
        ("2025-12-31", "2026-01-01"),
        ("9", "10"),
        ("1.9", "1.10"),
        ("v2", "v10"),
        ("2", "2b"),
        ("2a", "2b"),
        ("", "1"),
        ("beta", "1"),
    ],
)
def test_an_edition_is_older_than_another(older: str, newer: str) -> None:
    assert age_of(older) < age_of(newer)


@given(one=NAME, other=NAME)
def test_any_two_editions_can_be_sorted(one: str, other: str) -> None:
    assert (age_of(one) < age_of(other)) + (age_of(one) > age_of(other)) == (one != other)


def named(monkeypatch: pytest.MonkeyPatch, editions: dict[str, str | None]) -> None:
    """As if there were a set `x` with these editions: id -> edition (None: it names none)."""
    rows = load_set("arrow-orders")
    assert rows.source is not None
    made = {
        ident: structs.replace(
            rows, id=ident, source=None if name is None else structs.replace(rows.source, edition=name)
        )
        for ident, name in editions.items()
    }
    monkeypatch.setattr(of, "available_sets", lambda: tuple(made))
    monkeypatch.setattr(of, "load_set", made.__getitem__)


@pytest.mark.parametrize(
    ("editions", "newest"),
    [
        ({"x": "2025", "x@2025-10": "2025-10"}, "x@2025-10"),
        ({"x@2025-9": "2025-9", "x@2025-10": "2025-10", "x": "1"}, "x@2025-10"),
        ({"x": None, "x@1": "1"}, "x@1"),
    ],
)
def test_the_newest_edition_is_meant_whatever_it_is_called(
    monkeypatch: pytest.MonkeyPatch, editions: dict[str, str | None], newest: str
) -> None:
    named(monkeypatch, editions)
    assert set_named("x").id == newest
    assert set_named(newest).id == newest


@pytest.mark.parametrize("edition", ["2025", None])
def test_two_sets_of_one_edition_are_told_by_both(monkeypatch: pytest.MonkeyPatch, edition: str | None) -> None:
    named(monkeypatch, {"x": edition, "x@2025": edition})
    said = "edition '2025'" if edition else "no edition"
    with pytest.raises(
        RequirementError, match=f"x: source.edition: x and x@2025 both name {said}; expected .*; name another"
    ):
        set_named("x")


GOOD: dict[str, Any] = {"default": "a", "sets": ["a", "b", "a@2"], "markers": {"m": "a", "n": "b"}}


def test_the_file_of_our_sets_is_read() -> None:
    own = sets.own_of(GOOD, "sets.json")
    assert own == ("a", ("a", "b", "a@2"), {"m": "a", "n": "b"}, "")
    assert sets.wrong_sets() == "" and sets.own_of(json.loads(sets.OWN.read_text("utf-8")), "x").wrong == ""


@pytest.mark.parametrize(
    ("field", "value", "said"),
    [
        ("sets", 5, "sets: 5; expected a list of ids"),
        ("sets", ["a", 5], "sets: 5; expected the id of a set"),
        ("sets", ["a", None], "sets: None; expected the id of a set"),
        ("sets", ["a", ["b"]], "sets: ['b']; expected the id of a set"),
        ("sets", ["a", "../b"], "sets: '../b'; expected the id of a set"),
        ("sets", ["a", "a@"], "sets: 'a@'; expected the id of a set"),
        ("sets", ["a", "a@1@2"], "sets: 'a@1@2'; expected the id of a set"),
        ("sets", ["a", "a"], "sets: 'a'; expected each id once"),
        (
            "sets",
            ["a", "b", "a@2", "a-2"],
            "sets: 'a-2'; expected each id once, and a folder of its own: 'a@2' has a-2",
        ),
        ("default", "c", "default: 'c'; expected one of sets: a, b, a@2"),
        ("default", ["a"], "default: ['a']; expected one of sets"),
        ("markers", ["m"], "markers: ['m']; expected an object"),
        ("markers", {"m": 5}, "markers.m: 5; expected the name of a set, without an edition: a, b"),
        ("markers", {"m": "a@2"}, "markers.m: 'a@2'; expected the name of a set"),
        ("markers", {"m": ["a"]}, "markers.m: ['a']; expected the name of a set"),
    ],
)
def test_what_is_wrong_in_the_file_of_our_sets_is_said(field: str, value: object, said: str) -> None:
    own = sets.own_of({**GOOD, field: value}, "data/sets.json")
    assert own.wrong.startswith(f"data/sets.json: {said}") and own.wrong.endswith("; correct it there")
    assert own[:3] == ("", (), {})


@pytest.fixture
def broken(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    path = tmp_path / "sets.json"
    monkeypatch.setattr(sets, "OWN", path)
    sets._own.cache_clear()
    yield path
    sets._own.cache_clear()


@pytest.mark.parametrize("text", ["", "{", "[]", '{"sets": [5, "a"]}', "\x00", '{"default":1,"sets":[1],"markers":1}'])
def test_a_broken_file_of_our_sets_is_an_error_of_whoever_asks(broken: Path, text: str) -> None:
    """And of nobody else: the pytest plugin reads it in every run of everybody."""
    broken.write_text(text)
    assert (sets.own_sets(), sets.default_set()) == ((), "") and sets.set_ids() and sets.markers() is not None
    for ask in (available_sets, lambda: load_set("arrow-orders"), lambda: set_named("arrow-orders")):
        with pytest.raises(RequirementError, match=r"sets\.json: .*; expected "):
            ask()


def test_a_folder_that_holds_another_set_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    assert "arrow-orders" in sets.own_sets()  # read, and kept
    monkeypatch.setattr(sets, "folder_name", lambda set_id: "arrow-orders")
    with pytest.raises(RequirementError, match=r"set\.id: 'arrow-orders'; expected 'tradovate-stage2', as sets\.json"):
        load_set("tradovate-stage2")


# Tables that are none, at every place of both editions.

ODD = (5, True, "x", "", [], {}, [5], ["x"], [[]], {"x": 5}, [{}], 1.5)


def files_of(set_id: str) -> dict[str, str]:
    folder = sets.data_folder(set_id)
    assert folder is not None
    return {path.name: path.read_text("utf-8") for path in folder.glob("*.toml")}


FILES = files_of("arrow-orders@2026")
LATER, FIRST = tables_of(FILES, name="later"), tables_of(files_of("arrow-orders"), name="first")


def spoiled(tables: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """With an odd value at each place of the first two levels, and in the first entries of each list."""
    for key, value in tables.items():
        yield {name: one for name, one in tables.items() if name != key}
        for odd in ODD:
            yield {**tables, key: odd}
            if isinstance(value, list) and value:
                yield {**tables, key: [odd, *value]}
                for field in ("id", "same", *value[0]):
                    yield {**tables, key: [{**value[0], field: odd}, *value[1:]]}
                yield {**tables, key: [{name: x for name, x in value[0].items() if name != "id"}, *value[1:]]}
            if isinstance(value, dict):
                for field in list(value)[:4]:
                    yield {**tables, key: {**value, field: odd}}


@pytest.mark.parametrize("which", ["the later", "the first"])
def test_no_odd_table_of_either_edition_raises_anything_else(which: str) -> None:
    later = spoiled(LATER) if which == "the later" else (LATER for _ in spoiled(FIRST))
    first = spoiled(FIRST) if which == "the first" else (FIRST for _ in spoiled(LATER))
    refused = 0
    for one, other in zip(later, first, strict=True):
        try:
            with_shared(one, other, "later")
        except RequirementError as error:
            refused += 1
            assert str(error).startswith("later: ") and "; expected " in str(error)
    assert refused > 20


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ('shares = "arrow-orders"', "shares = 5", "set.shares: 5; expected the id of another edition"),
        ('shares = "arrow-orders"', 'shares = ""', "set.shares: ''; expected the id of another edition"),
        ('shares = "arrow-orders"', "", "same: the set shares with no other edition; expected set.shares"),
    ],
)
def test_a_set_that_shares_with_nobody_is_told_so(old: str, new: str, said: str) -> None:
    texts = {**FILES, "set.toml": FILES["set.toml"].replace(old, new)}
    with pytest.raises(RequirementError) as found:
        shared_with(tables_of(texts, name="later"), "later")
        parse_files(texts, name="later")
    assert str(found.value).startswith(f"later: {said}")
