"""`python -m brokercert.sources`: a set is taken by the name that a user gives it, with an edition or without."""

from __future__ import annotations

from pathlib import Path

import pytest
from brokercert.requirements import RequirementError, load_set, set_named
from brokercert.sets import own_sets
from brokercert.sources import load_sources, page_of
from brokercert.sources.__main__ import main
from brokercert.sources.words import parse_words

FIRST, LATER = "Arrow, WebSocket Order Updates API\n", "Arrow, WebSocket Order Updates API, edition 3\n"
STAGE = "Tradovate, Stage 2: Websocket Management\n"


@pytest.mark.parametrize(
    ("names", "pages", "readings", "told"),
    [
        (["arrow-orders"], [LATER], ["arrow-orders@2026"], "arrow-orders means arrow-orders@2026"),
        (["arrow-orders@2026"], [LATER], ["arrow-orders@2026"], ""),
        (["arrow-orders@2025"], [FIRST], ["arrow-orders@2025"], ""),
        (["tradovate-stage2"], [STAGE], ["tradovate-stage2"], ""),
        (
            ["arrow-orders@2025", "arrow-orders", "arrow-orders@2026"],
            [FIRST, LATER],
            ["arrow-orders@2025", "arrow-orders@2026"],
            "arrow-orders means arrow-orders@2026",
        ),
        ([], [FIRST, LATER, STAGE], [load_set(one).name for one in sorted(own_sets())], ""),
    ],
    ids=" ".join,
)
def test_the_register_of_a_set_is_that_of_its_own_page(
    names: list[str], pages: list[str], readings: list[str], told: str, capsys: pytest.CaptureFixture[str]
) -> None:
    main(names)
    said = capsys.readouterr()
    headings = [part.partition("\n")[0] + "\n" for part in said.out.split("\n## ")[1:]]
    assert headings == [*pages, *(f"Readings of {name}\n" for name in readings)]
    assert told in said.err and bool(told) == bool(said.err)
    if names:
        assert f"`python -m brokercert.sources {' '.join(readings)}`" in said.out


@pytest.mark.parametrize("name", ["arrow-orders@1", "arrow", "", "@2026", "arrow-orders@"])
def test_what_no_set_is_called_is_refused_with_what_there_is(name: str) -> None:
    with pytest.raises(RequirementError, match="arrow-orders"):
        main([name])


@pytest.mark.parametrize("set_id", own_sets())
def test_the_registers_beside_one_of_our_sets_are_those_of_all(set_id: str) -> None:
    assert load_sources([set_id]) == load_sources()


def test_a_page_is_worded_by_the_name_of_its_set(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """The words that are printed are those of the edition that is meant, and of no other."""
    for name in ("arrow-orders", "arrow-orders@2025"):
        source = page_of(set_named(name), wording=False).source
        sentences = [one for section in source.section for one in section.sentences]
        (tmp_path / "page.txt").write_text("\n".join(one.starts for one in sentences), "utf-8")
        main(["--words", str(tmp_path / "page.txt"), name])
        printed = capsys.readouterr().out
        assert {one.n for one in parse_words(printed, name="it", numbers=[one.n for one in sentences])} >= {1}
