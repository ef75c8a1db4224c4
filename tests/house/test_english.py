"""English that a tired reader of a second language understands at once: short sentences, and no hard words of a list.

Measured are README.md and the pages beside it, those of docs/ and tools/, the texts of the requirement sets, and
`--help`. A colon or a semicolon does not end a sentence here, only an item of a list does. So a sentence that is too
long is mended by two sentences or by a list.
"""

import re
from collections.abc import Iterator
from pathlib import Path

import click
import msgspec
import pytest
from brokercert.cli import COMMANDS, cli
from brokercert.requirements import RequirementSet, available_sets, load_set

ROOT = Path(__file__).parents[2]
LONGEST = 40  # words
HARD = re.compile(r"\b(whatever|whoever|whomever|of which none)\b", re.IGNORECASE)

# Pages that are not prose of ours, each with the reason.
OTHERS = {
    "kill-matrix.md": "generated from the descriptions of the mutants: docs/kill-matrix.md is made, not written",
    "plays.md": "generated from the scenarios: docs/plays.md is made, not written",
}
PAGES = sorted(
    path
    for path in [*ROOT.glob("*.md"), *(ROOT / "tools").glob("*.md"), *(ROOT / "docs").rglob("*.md")]
    if path.name not in OTHERS
)

FENCE = re.compile(r"^( *)```.*?^ *```", re.MULTILINE | re.DOTALL)
ITEM = re.compile(r"^\s*(?:[*+-]|\d+\.)\s+")
CODE = re.compile(r"(`+).+?\1", re.DOTALL)
LINK = re.compile(r"!?\[([^\]]*)\]\([^)]*\)")
END = re.compile(r"(?<=[.!?])[\"'”»)*_]*\s+(?=[\"'“«(*_`\[]*[A-Z0-9`\[«])")
LISTED = re.compile(r"(?<=[:;,.]) (?=\(\d\) )")  # the items of a list within a text: (1) ...; (2) ...
SHORT = re.compile(r"\b(e\.g|i\.e|etc|vs|cf|no|p)\.", re.IGNORECASE)


def paragraphs(markdown: str) -> Iterator[str]:
    """The pieces of text that a sentence cannot cross: paragraphs, list items, headings, cells. Code is left out."""
    gathered: list[str] = []
    for line in [*FENCE.sub("", markdown).splitlines(), ""]:
        bare = line.strip()
        starts = bool(ITEM.match(line)) or bare.startswith("#")
        if not bare or starts or bare.startswith("|"):
            if gathered:
                yield " ".join(gathered)
            gathered = []
        if bare.startswith("|"):
            yield from (cell.strip() for cell in CODE.sub("code", bare).strip("|").split("|"))
        elif bare.startswith("#"):
            yield bare.lstrip("# ")
        elif starts:
            gathered = [ITEM.sub("", line).strip()]
        elif gathered or not line.startswith("    "):
            gathered += [bare] * bool(bare)


def sentences(text: str) -> Iterator[str]:
    """The sentences of a paragraph, with code made one word and links their words."""
    plain = CODE.sub("`code`", LINK.sub(r"\1", text))
    for part in END.split(SHORT.sub(r"\1", plain)):
        yield from (item.strip() for item in LISTED.split(part) if item.strip())


def words(sentence: str) -> int:
    return sum(any(sign.isalnum() for sign in word) for word in re.split(r"\s+|(?<=\w)[/—](?=\w)", sentence))


def faults(text: str) -> list[str]:
    """What is hard to read in a paragraph: each sentence with more words than `LONGEST`, and each hard word."""
    found = [
        f"{words(one)} words; expected at most {LONGEST}: {one}" for one in sentences(text) if words(one) > LONGEST
    ]
    plain = CODE.sub("`code`", text)
    return found + [f"{word!r}; say which, who or all that is meant: {plain}" for word in HARD.findall(plain)]


def texts_of(rows: RequirementSet) -> Iterator[tuple[str, str]]:
    """Every text of a requirement set, with the place where it stands."""
    yield "set.text", rows.text
    yield from ((f"capabilities.{name}", text) for name, text in rows.capabilities.items())
    yield from ((f"limits.{limit.name}", limit.text) for limit in rows.limits.values())
    yield from ((f"reading {reading.id}", reading.question) for reading in rows.readings)
    for row in rows.rows:
        for field in ("title", "text", "means", "mend"):
            yield f"{row.id} {field}", getattr(row, field)
        yield from ((f"{row.id} causes", cause) for cause in row.causes)


def helps(command: click.Command) -> Iterator[str]:
    """What `--help` says of a command and of each of its options."""
    yield from (command.help or "").split("\n\n")
    yield from (option.help for option in command.params if isinstance(option, click.Option) and option.help)


@pytest.mark.parametrize("path", PAGES, ids=lambda path: str(path.relative_to(ROOT)))
def test_a_page_is_read_at_once(path: Path) -> None:
    pieces = list(paragraphs(path.read_text("utf-8")))
    assert sum(map(words, pieces)) > 100, "a reader of pages that finds no words would prove nothing"
    assert not [fault for piece in pieces for fault in faults(piece)]


@pytest.mark.parametrize("set_id", available_sets())
def test_a_row_is_read_at_once(set_id: str) -> None:
    texts = list(texts_of(load_set(set_id)))
    assert {field.name for field in msgspec.structs.fields(load_set(set_id).rows[0])} >= {"title", "text", "causes"}
    assert not [f"{place}: {fault}" for place, text in texts for fault in faults(text)]


def test_the_words_of_verdicts_are_explained() -> None:
    """Where verdicts are explained stands each word that a report uses of them, and each antecedent of our sets."""
    page = (ROOT / "docs" / "design.md").read_text("utf-8").split("## Verdicts and outcomes")[1].split("\n## ")[0]
    explained = {line.split("|")[1].strip() for line in page.splitlines() if line.startswith("| ")}
    antecedents = {row.antecedent for set_id in available_sets() for row in load_set(set_id).rows}
    verdicts = {"not applicable", "not observed", "inconclusive", "blocked", "untested", "harness error"}
    assert {*antecedents, *verdicts, "antecedent", "demanded by", "lane", "reading"} <= explained


@pytest.mark.parametrize("name", COMMANDS)
def test_help_is_read_at_once(name: str) -> None:
    command = cli.get_command(cli.make_context("brokercert", ["x"]), name)
    assert command is not None
    said = list(helps(command))
    assert said
    assert not [fault for text in said for fault in faults(text)]


@pytest.mark.parametrize(
    ("markdown", "longest"),
    [
        ("One two. Three four five.", 3),
        ("One two\nthree four.", 4),
        ("* one two\n* three four five", 3),
        ("1. one two\n   three", 3),
        ("one `two three four` five", 3),
        ("one [two three](four.md#five) six", 4),
        ("```\none two three four five\n```\none", 1),
        ("    one two three four\n\none two", 2),
        ("| one two | three |\n| --- | --- |", 2),
        ("One (two. Three) four: five; six.", 4),
        ("One e.g. Two three.", 4),
        ("One two: (1) three four; (2) five.", 3),
        ("# One two\nthree four five", 3),
    ],
)
def test_the_longest_sentence_is_found(markdown: str, longest: int) -> None:
    assert max(words(one) for piece in paragraphs(markdown) for one in sentences(piece)) == longest


def test_what_is_hard_is_told() -> None:
    assert not faults("Short. " * LONGEST)
    assert len(faults("word " * (LONGEST + 1))) == 1
    assert len(faults("Whoever reads " + "word " * LONGEST)) == 2
    assert not faults("Code may say `whatever`.")
