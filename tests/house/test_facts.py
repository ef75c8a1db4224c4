"""No fact of a protocol page is without mark, source and date (docs/protocol/).

A page that retells one document says so of all of it at its head. The page that gathers from many marks each entry: a
paragraph, a point of a list, a row of a table. A list or table may have its mark in the sentence before it, which ends
with a colon. The key behind a mark is a source of section 14, and that has its date. So have the sources without a key.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

PAGES = Path(__file__).parents[2] / "docs" / "protocol"
MADE = "register.md"  # from the sets' data
GATHERED = "tradovate.md"
RETOLD = sorted(path.name for path in PAGES.glob("*.md") if path.name not in (MADE, GATHERED))
TEXT = (PAGES / GATHERED).read_text("utf-8")
HEAD, BODY = TEXT.split("\n## 0. ")[0], "## 0. " + TEXT.split("\n## 0. ")[1].split("\n## 14. ")[0]
SOURCES = TEXT.split("\n## 14. ")[1]
MARKS = tuple(re.findall(r"^\| \[([a-z ]+)\] \|", HEAD, re.MULTILINE))
MARKED = re.compile(r"\[((?:" + "|".join(MARKS) + r")\b[^\]]*)\]")
MONTH = re.compile(r"\b20\d\d\b")
CONTRADICTED = (
    "contradictory",
    "not found again",
    "its code not found again",
    "one trace",
    "by two clients",
)  # what may stand in place of a key


def blocks() -> Iterator[tuple[str, str]]:
    """The kind of each block of the page (paragraph, point, row), and its text."""
    for block in re.split(r"\n\s*\n", BODY):
        kind, text = "", ""
        for line in block.splitlines():
            new = "heading" if line.startswith("#") else "row" if line.startswith("|") else ""
            new = new or ("point" if line.startswith("* ") else "paragraph" if not text else "")
            if new:
                if text:
                    yield kind, text
                kind, text = new, line
            else:
                text += " " + line.strip()
        if text:
            yield kind, text


def entries() -> Iterator[tuple[str, bool]]:
    """Each entry, and whether a mark is its own or stands in the sentence before its list."""
    covered = False
    head = True
    for kind, text in blocks():
        marked = MARKED.search(text) is not None
        if kind in ("heading", "paragraph"):
            covered = kind == "paragraph" and marked and text.rstrip().endswith(":")
            head = True
        elif kind == "row" and (head or set(text) <= set("|- ")):
            head = False  # the names of its columns, and the line below
            continue
        if kind != "heading" and not text.startswith("## "):
            yield text, marked or covered


def keys() -> dict[str, str]:
    """The sources of section 14 by their keys, with what it says of when they were read."""
    rows = [[cell.strip() for cell in line.strip("|").split("|")] for line in SOURCES.splitlines() if line[:2] == "| "]
    parted = [(row[0], row[2]) for row in rows if len(row) == 3]
    return {key: read for name, read in parted for key in ([name] if name[:4] == "none" else name.split(", "))}


def test_every_fact_has_a_mark() -> None:
    told = list(entries())
    assert len(told) > 120, "a pattern that finds none proves nothing"
    assert not [text for text, marked in told if not marked]


def test_every_key_is_a_source_with_a_date() -> None:
    known = {key: read for key, read in keys().items() if key not in ("key", "---")}
    assert known and all(MONTH.search(read) for read in known.values()), known
    used: set[str] = set()
    for mark in (" ".join(found.split()) for found in MARKED.findall(BODY)):
        for part in re.split(r"[,;]\s*", mark)[1:]:
            if part in MARKS or part in CONTRADICTED or part.isdigit() or part.startswith("in the Stage"):
                continue
            key = next((key for key in known if re.match(rf"{re.escape(key)}(?![\w#-])", part)), None)
            assert key is not None, f"[{mark}]: {part!r}; expected a key of section 14"
            used.add(key)
    assert used == {key for key in known if not key.startswith("none")}, "a source that nothing is from"


def test_what_has_no_key_has_a_source_and_a_date_too() -> None:
    without = {key: read for key, read in keys().items() if key.startswith("none")}
    assert {mark for key in without for mark in re.findall(r"\[([a-z ]+)\]", key)} == set(MARKS) - {
        "inferred",
        "unknown",
    }
    assert all(MONTH.search(read) for read in without.values())


@pytest.mark.parametrize("name", RETOLD)
def test_a_page_that_retells_one_document_says_so_and_of_which_day(name: str) -> None:
    head = " ".join((PAGES / name).read_text("utf-8").split("\n## ")[0].split())
    assert "All of it is documented" in head or MARKED.search(head), name
    assert re.search(r"\b\d{1,2} [A-Z][a-z]+ 20\d\d\b", head), f"{name}: the day on which it was listed"
