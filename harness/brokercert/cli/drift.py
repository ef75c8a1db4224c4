"""`brokercert drift PAGE`: what a saved page says otherwise than the sentences that a set was made from."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from brokercert.cli.options import Place, set_typed
from brokercert.cli.outlet import say
from brokercert.sets import default_set

if TYPE_CHECKING:
    from brokercert.requirements import RequirementSet
    from brokercert.sources import Drift, Page

DRIFTED = 5
MOST_BYTES = 50_000_000  # of a file: no page of text is as large
MOST_WORDS = 100_000  # of a page's text: twenty times those that we know
SHOWN = 200  # characters of a text of the page


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--set", "set_name", metavar="SET", default=default_set(), show_default=True, help="Requirement set.")
@click.argument("page", metavar="PAGE", type=Place(dir_okay=False))
def drift(page: Path, set_name: str) -> int:
    """Compare a saved page (HTML, Markdown or plain text) with the sentences that a set was made from.

    Says which sentences are gone or changed, which are new, and which rows hang on each. Exit status: 0 there is no
    difference; 5 there is one.
    """
    from brokercert.sources import drift_of, page_of

    rows = set_typed(set_name)
    known = page_of(rows)
    lines = _lines(page)
    found = drift_of(known.source, known.wording, lines)
    for text in _told(rows, known, found):
        say(text)
    return DRIFTED if found else 0


def _lines(path: Path) -> list[str]:
    """The lines of a saved page. Raises `UsageError`."""
    from brokercert.engine.ask.given import read_given
    from brokercert.engine.errors import UsageError
    from brokercert.sources import kind_of, lines_of, plain_words

    data = read_given(path, "a page, saved as .html, .md or .txt")
    if len(data) > MOST_BYTES:
        raise UsageError(f"{path}: {len(data):,} bytes; expected a page of at most {MOST_BYTES:,}; save its text alone")
    text = _decoded(data, path)
    kind = kind_of(path.suffix, text)
    lines = lines_of(text, kind)
    words = sum(len(plain_words(line)) for line in lines)
    if not words:
        raise UsageError(f"{path}: no word in it, read as {kind}; expected the text of a page; save it again")
    if words > MOST_WORDS:
        raise UsageError(f"{path}: {words:,} words; expected one page, of at most {MOST_WORDS:,}; save that page alone")
    return lines


def _decoded(data: bytes, path: Path) -> str:
    """Its text, in UTF-8 unless a mark at the beginning says otherwise; of what is none, said in a line. Raises
    `UsageError`.
    """
    from brokercert.engine.errors import UsageError

    if data.startswith((b"\xff\xfe", b"\xfe\xff")):
        return data.decode("utf-16", "replace")
    if b"\0" in data:
        raise UsageError(f"{path}: it holds NUL bytes, so it is no text; expected a page, saved as .html, .md or .txt")
    try:
        return data.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        say(f"brokercert: {path}: byte {error.start} is no UTF-8; read as Windows-1252", err=True)
        return data.decode("cp1252", "replace")


def _told(rows: RequirementSet, known: Page, found: Sequence[Drift]) -> Iterator[str]:
    from brokercert_reports.text import listing, printable, several, source_told

    assert rows.source is not None, "its page was found"
    yield f"{rows.name}: {source_told(rows.source)}"
    if not known.wording:
        yield (
            "Of this page only the first words of each sentence are kept: what changed after them, and what is new, is "
            "not seen."
        )
    for one in found:
        yield ""
        if one.sentence is None:
            yield "new, and no row hangs on it yet"
        else:
            rests = f"rows {', '.join(one.rows)}" if one.rows else f"no row: {one.sentence.because}"
            yield f"{one.what}: sentence {one.sentence.n}, {rests}"
            yield f"  was: {one.sentence.starts} ... ({one.sentence.says})"
        if one.now:
            yield f"  now: {printable(' '.join(one.now.split()))[:SHOWN]}"
    count = sum(len(section.sentences) for section in known.source.section)
    if not found:
        yield f"No difference in {several(count, 'sentence')}."
        return
    tally = {what: sum(one.what == what for one in found) for what in ("changed", "gone", "new")}
    touched = tuple(dict.fromkeys(row for one in found for row in one.rows))
    yield ""
    if 2 * tally["gone"] > count:
        yield "Most of its sentences are not there: this may be another page."
    told = ", ".join(f"{number} {what}" for what, number in tally.items())
    yield f"Of {several(count, 'sentence')}: {told}. Rows: {listing(touched) or 'none'}."
