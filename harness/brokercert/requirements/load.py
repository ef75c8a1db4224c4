"""The sets that there are: ours, in brokercert/data, and those of other packages, beside their suites.

A set is loaded by its id, which names one edition. What a user named is `editions.set_named`'s.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from pathlib import Path
from typing import Any

from brokercert import sets
from brokercert.requirements.model import RequirementError, RequirementSet
from brokercert.requirements.parse import SET_FILE, parse_files, tables_of
from brokercert.requirements.share import shared_with, with_shared


def available_sets() -> tuple[str, ...]:
    """The ids of the sets that may be asked for: those that ship with brokercert, and those of other packages.

    Raises `RequirementError` where ours are not to be read.
    """
    if sets.wrong_sets():
        raise RequirementError(sets.wrong_sets())
    return sets.set_ids()


def load_set(set_id: str) -> RequirementSet:
    """A set by its id. Raises `RequirementError`."""
    if set_id not in available_sets():
        raise RequirementError(f"no requirement set {set_id!r}; known: {', '.join(available_sets())}")
    offers = sets.offers().get(set_id, ())
    if len(offers) > 1:
        both = " and ".join(f"{offer.package} of {offer.distribution}" for offer in offers)
        raise RequirementError(f"{set_id}: offered by {both}; expected one package; uninstall the others")
    if set_id in sets.own_sets():
        rows = _read_folder(sets.DATA / sets.folder_name(set_id), name=set_id)
        if rows.id != set_id:
            raise RequirementError(
                f"{sets.folder_name(set_id)}/{SET_FILE}: set.id: {rows.id!r}; expected {set_id!r}, as {sets.OWN.name} "
                "has it; correct one of the two"
            )
        return rows
    return _load_offered(offers[0])


def _load_offered(offer: sets.Offer) -> RequirementSet:
    """The set of another package. Its metadata and its `set.toml` must say the same."""
    said = f"{sets.SUITES}: {offer.set_id} = {offer.package} (entry point of {offer.distribution})"
    folder = sets.data_folder(offer.set_id)
    if folder is None:
        raise RequirementError(
            f"{said}: there is no folder of that package; expected a package with a folder `data`, which holds "
            f"{SET_FILE}; correct the entry point, or install the package again"
        )
    rows = _read_folder(folder, name=str(folder))
    where = f"{folder}/{SET_FILE}"
    if rows.id != offer.set_id:
        raise RequirementError(f"{where}: set.id: {rows.id!r}; expected {offer.set_id!r}, as in {said}")
    known = _markers_of(offer)
    if not rows.marker.isidentifier() or rows.marker not in known:
        raise RequirementError(
            f"{where}: set.marker: {rows.marker!r}; expected a word that stands as an entry point in {sets.MARKERS} of "
            f"{offer.distribution}, with the value {offer.package}; it has {', '.join(known) or 'none'}"
        )
    other = sets.markers()[rows.marker]
    if other != sets.stem_of(rows.id):
        raise RequirementError(f"{where}: set.marker: {rows.marker!r} is that of {other}; expected one of its own")
    return rows


def _markers_of(offer: sets.Offer) -> tuple[str, ...]:
    """Those of all editions of its set: they have a marker in common."""
    editions = [some for name, some in sets.offers().items() if sets.stem_of(name) == sets.stem_of(offer.set_id)]
    return tuple(dict.fromkeys(marker for some in editions for one in some for marker in one.markers))


def _read_folder(folder: Path, *, name: str) -> RequirementSet:
    return _parsed(_chain(folder, name, ()))


Texts = tuple[tuple[str, str], ...]  # the files of a set by their names, each with its content


def _chain(folder: Path, name: str, asked: tuple[str, ...]) -> tuple[tuple[str, Texts], ...]:
    """The texts of a set, and of the edition that it shares with, and so on. `asked` are the sets that ask for them."""
    texts = tuple(_texts(folder, name).items())
    shared = _shared(name, texts)
    if not shared:
        return ((name, texts),)
    other = sets.data_folder(shared)
    if other is None or shared in (*asked, name):
        raise RequirementError(f"{name}: set.shares: {shared!r}; expected the id of another edition of the set")
    return ((name, texts), *_chain(other, shared, (*asked, name)))


# A set follows from its texts: whoever asks for it again, as most do for each scenario, reads these and parses nothing.
@lru_cache(maxsize=32)
def _shared(name: str, texts: Texts) -> str:
    return shared_with(tables_of(dict(texts), name=name), name)


@lru_cache(maxsize=32)
def _parsed(chain: tuple[tuple[str, Texts], ...]) -> RequirementSet:
    (name, texts), *further = chain
    base: Mapping[str, Any] | None = None
    for other, more in reversed(further):
        tables = tables_of(dict(more), name=other)
        base = tables if base is None else with_shared(tables, base, other)
    return parse_files(dict(texts), name=name, base=base)


def _texts(folder: Path, name: str) -> dict[str, str]:
    try:
        return {path.name: path.read_text("utf-8") for path in sorted(folder.glob("*.toml"))}
    except (OSError, UnicodeDecodeError) as error:
        raise RequirementError(f"{name}: {error}; expected files in TOML that may be read") from error
