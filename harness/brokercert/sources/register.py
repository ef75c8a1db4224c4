"""The register of sentences: what each sentence of a source page asks, and which requirement judges it.

The data lie in the folder `sources` of brokercert/data, and of another package's data. Every sentence is judged by
rows, or says why none can; so a reader of the page can find each of its demands again, and nobody can lose one.
"Rejected" means `RequirementError`, which names file, sentence, field and what was expected. Nothing here does I/O
beyond reading package data.

    python3 dev.py generate    makes docs/protocol/register.md
"""

from __future__ import annotations

import re
import tomllib
from collections.abc import Collection, Sequence
from pathlib import Path
from typing import NamedTuple

import msgspec

from brokercert.requirements import RequirementError, RequirementSet, load_set
from brokercert.sets import DATA, data_folder, own_sets

NAME = "sources"
FOLDER = DATA / NAME
REMARKS = ("read closely",)  # of a citation, beside the place that it names
PAGES = ("S2", "AR", "A3", "TP")  # that our rows cite


class Sentence(msgspec.Struct, frozen=True, forbid_unknown_fields=True, kw_only=True):
    """One sentence of a page. `starts`: its first words. `says`: our wording. `rows` judge it, or `because` completes
    "not testable from outside, because": never both.
    """

    n: int
    starts: str
    says: str
    rows: tuple[str, ...] = ()
    because: str = ""


class Section(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A section of a page. `places`: what requirements call it when they cite it, as in `AR Error Handling`."""

    title: str
    places: tuple[str, ...]
    sentences: tuple[Sentence, ...]


class Source(msgspec.Struct, frozen=True, forbid_unknown_fields=True):
    """A source page, sentence by sentence. `id` is how requirements cite it: `S2`, `AR`. `counted`: how many sentences
    there were when the page was read, so that none can be dropped from the end.
    """

    id: str
    title: str
    counted: int
    section: tuple[Section, ...]

    def judged_at(self, place: str) -> frozenset[str]:
        """The rows that judge a sentence at a cited place, as in `§3` or `error handling`."""
        wanted = place_key(place)
        return frozenset(
            row
            for section in self.section
            if wanted in map(place_key, section.places)
            for sentence in section.sentences
            for row in sentence.rows
        )


def place_key(place: str) -> str:
    """A place as it is compared: letter case and the plural do not matter (samples, Sample)."""
    return place.strip().lower().removesuffix("s")


def citations(source: str, pages: Collection[str] = PAGES) -> tuple[tuple[str, str], ...]:
    """The (page, place) pairs of a requirement's `source`: `S2 §1, Performance` names two places of one page.

    What stands in parentheses is a remark. What names none of `pages` (an RFC, say) is left out, and so is a place that
    follows it.
    """
    citation = re.compile(rf"^({'|'.join(map(re.escape, pages))})\s+")
    found: list[tuple[str, str]] = []
    page = ""
    for part in re.split(r"[,;]\s*", re.sub(r"\s*\([^)]*\)", "", source)):
        if match := citation.match(part):
            page = match.group(1)
            part = part[match.end() :]
        elif not part.startswith("§") and re.match(r"^RFC |^the page|^programme", part):
            page = ""
        if page and part not in REMARKS:
            found.append((page, part))
    return tuple(found)


def parse_source(text: str, *, name: str, rows: Collection[str]) -> Source:
    """A register from its TOML; `rows`: all ids that it may name. Raises `RequirementError`."""
    try:
        source = msgspec.convert(tomllib.loads(text), Source)
    except (tomllib.TOMLDecodeError, msgspec.ValidationError) as error:
        raise RequirementError(f"{name}: {error}") from error
    expected = 1
    for section in source.section:
        if not section.places:
            raise RequirementError(f"{name}: section {section.title!r}: places: none; expected what rows cite it by")
        for sentence in section.sentences:
            where = f"{name}: sentence {sentence.n}"
            if sentence.n != expected:
                raise RequirementError(f"{where}: n: expected {expected}, the next number without a gap")
            expected += 1
            if bool(sentence.rows) == bool(sentence.because.strip()):
                raise RequirementError(f"{where}: expected either rows or because, and not both")
            for row in sentence.rows:
                if row not in rows:
                    raise RequirementError(f"{where}: rows: {row!r}; expected the id of a requirement")
    if expected - 1 != source.counted:
        raise RequirementError(f"{name}: {expected - 1} sentences; expected {source.counted}, as counted on the page")
    return source


def load_sources(set_ids: Collection[str] = own_sets()) -> tuple[Source, ...]:
    """The registers that lie beside these sets; those of ours lie together, and name rows of any of ours.

    Raises `RequirementError`.
    """
    return tuple(source for _, source in registers(set_ids))


def registers(set_ids: Collection[str] = own_sets()) -> tuple[tuple[Path, Source], ...]:
    """The same, each with its file. Raises `RequirementError`."""
    together = {*set_ids, *(own_sets() if {*set_ids} & {*own_sets()} else ())}
    rows = {row.id for set_id in together for row in load_set(set_id).rows}
    places = {FOLDER if set_id in own_sets() else _beside(set_id) for set_id in set_ids}
    found = sorted((path for place in places for path in place.glob("*.toml")), key=lambda path: path.name)
    return tuple((path, parse_source(path.read_text("utf-8"), name=path.name, rows=rows)) for path in found)


def _beside(set_id: str) -> Path:
    folder = data_folder(set_id)
    assert folder is not None, "its set was loaded from there"
    return folder / NAME


class Demand(NamedTuple):
    """A sentence of a page, with where it stands. `rows`: those of one set that judge it; `because`: why none can.
    `homes`: those of them that are best read beside this sentence; each row has one home at most.
    """

    page: str
    section: str
    number: int
    starts: str
    says: str
    rows: tuple[str, ...]
    because: str
    homes: tuple[str, ...] = ()


def pages_of(rows: RequirementSet) -> list[tuple[Path, Source]]:
    """The pages that a set is about, each with its file: those that are judged by rows of that set, most of them.

    Raises `RequirementError`.
    """
    found = []
    for path, source in registers(own_sets() if rows.id in own_sets() else (rows.id,)):
        named = [row in rows.by_id for section in source.section for one in section.sentences for row in one.rows]
        if 2 * sum(named) > len(named):
            found.append((path, source))
    return found


def demands_of(set_id: str) -> tuple[Demand, ...]:
    """Every sentence of the pages that a set is about, in the order of the pages. Raises `RequirementError`."""
    rows = load_set(set_id)
    found = [
        (source, section, one)
        for _, source in pages_of(rows)
        for section in source.section
        for one in section.sentences
    ]
    homes = {row.id: _home(row.id, row.source, found) for row in rows.rows}
    return tuple(
        Demand(
            page=source.title,
            section=section.title,
            number=one.n,
            starts=one.starts,
            says=one.says,
            rows=tuple(row for row in one.rows if row in rows.by_id),
            because=one.because,
            homes=tuple(row for row in one.rows if homes.get(row) is one),
        )
        for source, section, one in found
    )


def _home(row: str, source: str, found: Sequence[tuple[Source, Section, Sentence]]) -> Sentence | None:
    """The sentence that a row is best read beside: in a section that it cites, and judged by few others."""
    pages = {page.id for page, _, _ in found}
    cited = {(page, place_key(place)) for page, place in citations(source, {*PAGES, *pages})}

    def is_cited(page: Source, section: Section) -> bool:
        return any((page.id, place_key(place)) in cited for place in section.places)

    naming = [(page, section, one) for page, section, one in found if row in one.rows]
    best = min(naming, key=lambda it: (not is_cited(it[0], it[1]), len(it[2].rows)), default=None)
    return best and best[2]


def uncited(sources: Collection[Source], rows: RequirementSet) -> list[str]:
    """What rows cite of these pages and no sentence there is judged by, as `ABC-010: AB §1`."""
    pages = {source.id: source for source in sources}
    return [
        f"{row.id}: {page} {place}"
        for row in rows.rows
        for page, place in citations(row.source, {*PAGES, *pages})
        if page in pages and row.id not in pages[page].judged_at(place)
    ]
