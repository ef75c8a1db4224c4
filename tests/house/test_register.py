"""The register of sentences is complete, and true to the requirement sets. `test_generated.py` holds its page."""

import tomllib

import pytest
from brokercert.requirements import RequirementError, load_set
from brokercert.sets import own_sets
from brokercert.sources import (
    FOLDER,
    citations,
    load_sources,
    page_of,
    parse_source,
    render_register,
    uncited,
    unpinned,
)
from brokercert.sources.words import hashed

DATA = "harness/brokercert/data/sources"
SOURCES = {source.id: source for source in load_sources()}
ROWS = [row for set_id in own_sets() for row in load_set(set_id).rows]
CITED = [(row.id, page, place) for row in ROWS for page, place in citations(row.source) if page in SOURCES]

GOOD = """
id = "S2"
title = "A page"
counted = 2
[[section]]
title = "One"
places = ["§1"]
sentences = [
  { n = 1, starts = "Connect", says = "Connect.", rows = ["LOG-010"] },
  { n = 2, starts = "Be glad", says = "Be glad.", because = "joy sends no frames" },
]
"""


def test_every_row_stands_at_the_place_that_it_cites() -> None:
    missing = [one for set_id in own_sets() for one in uncited(SOURCES.values(), load_set(set_id))]
    assert not missing, (
        f"{', '.join(missing)}: name each row in `rows` of a sentence at the place that it cites, in {DATA}/*.toml; "
        "then run: python3 dev.py generate"
    )
    assert len(CITED) > 60  # a parser of citations that finds none would prove nothing


def test_every_row_cites_something() -> None:
    """A row's source names a page of ours, or one of the few sources beside them."""
    others = {
        "AOC-015": "RFC 3986",
        "AOR-350": "Arrow's page Rate limits",
        "MSG-050": "the page's",
        "OFF-010": "programme overview",
    }
    others |= dict.fromkeys(("CON-060", "CON-070", "AOC-050", "AOC-060"), "RFC 6455")
    for row in ROWS:
        assert citations(row.source) or row.source.startswith(others.get(row.id, "?")), (
            f"{row.id}: source: {row.source!r}; expected a place of a page, as in `S2 §2` (docs/protocol/register.md)"
        )


def test_what_cites_the_page_in_words_is_in_its_register() -> None:
    assert "MSG-050" in SOURCES["S2"].judged_at("§3")


def test_every_reason_is_a_reason() -> None:
    for source in SOURCES.values():
        for section in source.section:
            for sentence in section.sentences:
                assert not sentence.because or len(sentence.because.split()) >= 4, f"{source.id} {sentence.n}"
                assert sentence.starts and sentence.says, f"{source.id} {sentence.n}"


def test_the_register_prints_every_sentence_and_reading() -> None:
    printed = render_register(load_sources())
    for item in FOLDER.glob("*.toml"):
        for section in tomllib.loads(item.read_text("utf-8"))["section"]:
            for sentence in section["sentences"]:
                assert sentence["starts"].replace("|", "\\|") in printed
    for set_id in own_sets():
        for reading in load_set(set_id).readings:
            assert reading.question in printed


@pytest.mark.parametrize("set_id", own_sets())
def test_a_set_names_its_page_and_pins_its_sentences(set_id: str) -> None:
    rows = load_set(set_id)
    assert rows.source is not None, f"{set_id}: set.toml: [source]: the page, its address, edition, day and hash"
    assert unpinned(rows) == ""
    assert rows.source.title == page_of(rows).source.title


@pytest.mark.parametrize("set_id", own_sets())
def test_the_words_of_a_sentence_are_those_that_it_starts_with(set_id: str) -> None:
    """A table's row may have the name in its first cell before them."""
    page = page_of(load_set(set_id))
    words = {one.n: one.words for one in page.wording}
    for sentence in (one for section in page.source.section for one in section.sentences if words):
        starts, whole = hashed(sentence.starts), words[sentence.n]
        assert any(whole[at : at + len(starts)] == starts for at in (0, 1)), f"{page.source.id} {sentence.n}"


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("n = 2", "n = 3", "sentence 3: n: expected 2"),
        ('rows = ["LOG-010"]', 'rows = ["LOG-011"]', "sentence 1: rows: 'LOG-011'"),
        ('rows = ["LOG-010"]', "rows = []", "sentence 1: expected either rows or because"),
        ('because = "joy', 'rows = ["LOG-010"], because = "joy', "sentence 2: expected either"),
        ("counted = 2", "counted = 3", "2 sentences; expected 3"),
        ('places = ["§1"]', "places = []", "section 'One': places"),
        ("starts", "begins", "unknown field `begins`"),
        ("[[section]]", "[[section", "page.toml"),
    ],
)
def test_a_register_with_a_hole_is_rejected(old: str, new: str, said: str) -> None:
    assert parse_source(GOOD, name="page.toml", rows={"LOG-010"}).judged_at("§1") == {"LOG-010"}
    with pytest.raises(RequirementError) as error:
        parse_source(GOOD.replace(old, new, 1), name="page.toml", rows={"LOG-010"})
    assert said in str(error.value)


@pytest.mark.parametrize(
    ("source", "found"),
    [
        ("S2 §1, Performance", [("S2", "§1"), ("S2", "Performance")]),
        ("S2 §5, TP §7.3, §10", [("S2", "§5"), ("TP", "§7.3"), ("TP", "§10")]),
        ("S2 overview (real-time subscriptions), §5", [("S2", "overview"), ("S2", "§5")]),
        ("S2 Error handling; RFC 6455", [("S2", "Error handling")]),
        ("AR sample, read closely", [("AR", "sample")]),
        ("RFC 3986", []),
    ],
)
def test_citations(source: str, found: list[tuple[str, str]]) -> None:
    assert list(citations(source)) == found
