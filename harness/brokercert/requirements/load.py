"""The sets that there are: ours, in brokercert/data, and those of other packages, beside their suites."""

from __future__ import annotations

from pathlib import Path

from brokercert import sets
from brokercert.requirements.model import RequirementError, RequirementSet
from brokercert.requirements.parse import SET_FILE, parse_files


def available_sets() -> tuple[str, ...]:
    """The ids of the sets that may be asked for: those that ship with brokercert, and those of other packages."""
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
        return _read_folder(sets.DATA / set_id, name=set_id)
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
    if not rows.marker.isidentifier() or rows.marker not in offer.markers:
        raise RequirementError(
            f"{where}: set.marker: {rows.marker!r}; expected a word that stands as an entry point in {sets.MARKERS} of "
            f"{offer.distribution}, with the value {offer.package}; it has {', '.join(offer.markers) or 'none'}"
        )
    other = sets.markers()[rows.marker]
    if other != rows.id:
        raise RequirementError(f"{where}: set.marker: {rows.marker!r} is that of {other}; expected one of its own")
    return rows


def _read_folder(folder: Path, *, name: str) -> RequirementSet:
    try:
        texts = {path.name: path.read_text("utf-8") for path in sorted(folder.glob("*.toml"))}
    except (OSError, UnicodeDecodeError) as error:
        raise RequirementError(f"{name}: {error}; expected files in TOML that may be read") from error
    return parse_files(texts, name=name)
