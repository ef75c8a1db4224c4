"""Which requirement sets there are, where the data of each lies, and its pytest marker.

Ours stand in data/sets.json. Another package offers its own by two entry points, which are read from the metadata of
what is installed; nothing of that package is imported here:

    [project.entry-points."brokercert.suites"]     SET = "its_package.suite"     data in its_package/suite/data
    [project.entry-points."brokercert.markers"]    MARKER = "its_package.suite"  the same package

The id of a set is SET for its first edition, and SET@EDITION for each later one. It never changes its meaning, and
stands in traces and records. Users name sets: `requirements.set_named` says which id is meant.

The pytest plugin reads this in every run of everybody who has brokercert installed: nothing heavy may be imported, and
nothing is raised here. What is wrong with an offer is told where somebody asks for its set (`requirements.load_set`).
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cache
from importlib.metadata import EntryPoint, entry_points
from importlib.util import find_spec
from pathlib import Path
from typing import NamedTuple

SUITES = "brokercert.suites"  # the entry point group in which a package offers the suite of a set, by the set's id
MARKERS = "brokercert.markers"  # and the one in which it offers that set's pytest marker
DATA = Path(__file__).parent / "data"
OWN = DATA / "sets.json"
ID = re.compile(r"[A-Za-z0-9][A-Za-z0-9._-]*(@[A-Za-z0-9][A-Za-z0-9.-]*)?")


@dataclass(frozen=True, slots=True)
class Offer:
    """A suite that an installed distribution offers: the id of its set, and the package of its suite."""

    set_id: str
    package: str
    distribution: str
    markers: tuple[str, ...]


class Own(NamedTuple):
    """What sets.json says of our sets; nothing where it cannot be. `wrong`: what is wrong with it, empty: nothing."""

    default: str = ""
    ids: tuple[str, ...] = ()
    markers: Mapping[str, str] = {}
    wrong: str = ""


@cache
def _own() -> Own:
    try:
        return own_of(json.loads(OWN.read_text("utf-8")), str(OWN))
    except (OSError, ValueError, RecursionError) as error:
        return Own(wrong=f"{OWN}: {error}; expected a file of JSON; install brokercert again")


def own_of(data: object, name: str) -> Own:
    """What the data of a sets.json say; `name` is told of the first thing in it that cannot be."""

    def wrong(field: str, value: object, expected: str) -> Own:
        return Own(wrong=f"{name}: {field}: {value!r}; expected {expected}; correct it there")

    if not isinstance(data, dict) or set(data) != {"default", "sets", "markers"}:
        return wrong("the file", data, "an object with default, sets and markers")
    listed, markers, default = data["sets"], data["markers"], data["default"]
    if not isinstance(listed, list):
        return wrong("sets", listed, "a list of ids")
    folders: dict[str, str] = {}
    for one in listed:
        if not isinstance(one, str) or not ID.fullmatch(one):
            return wrong("sets", one, "the id of a set, NAME or NAME@EDITION, as a text")
        other = folders.setdefault(folder_name(one), one)
        if other != one or listed.count(one) > 1:
            return wrong("sets", one, f"each id once, and a folder of its own: {other!r} has {folder_name(one)}")
    if default not in listed:
        return wrong("default", default, f"one of sets: {', '.join(listed)}")
    stems = {stem_of(one) for one in listed}
    if not isinstance(markers, dict):
        return wrong("markers", markers, "an object: marker -> the name of a set")
    for marker, stem in markers.items():
        if not isinstance(stem, str) or stem not in stems:
            return wrong(
                f"markers.{marker}", stem, f"the name of a set, without an edition: {', '.join(sorted(stems))}"
            )
    return Own(default, tuple(listed), markers)


def wrong_sets() -> str:
    """What is wrong with the file of our own sets; empty: nothing."""
    return _own().wrong


def default_set() -> str:
    return _own().default


def own_sets() -> tuple[str, ...]:
    """The ids of the sets that ship with brokercert."""
    return _own().ids


def stem_of(name: str) -> str:
    """A set's name without an edition: what all editions of it have in common."""
    return name.partition("@")[0]


def _own_markers() -> dict[str, str]:
    return dict(_own().markers)


@cache  # metadata is looked up in the files of every installed package
def offers() -> Mapping[str, tuple[Offer, ...]]:
    """The suites on offer, ours among them, by the id of their set. More than one of an id is a conflict."""
    names: dict[str, list[str]] = {}
    for point in entry_points(group=MARKERS):
        names.setdefault(_package_of(point), []).append(point.name)
    found: dict[str, dict[str, Offer]] = {}
    for point in entry_points(group=SUITES):
        package = _package_of(point)
        by = point.dist.name if point.dist is not None else "an unnamed distribution"
        offer = Offer(point.name, package, by, tuple(names.get(package, ())))
        found.setdefault(point.name, {}).setdefault(package, offer)  # an editable install may be seen twice
    return {set_id: tuple(one.values()) for set_id, one in found.items()}


def _package_of(point: EntryPoint) -> str:
    """The module that its value names; what may stand behind it (`:attribute`, `[extra]`) means nothing here."""
    return point.value.partition("[")[0].partition(":")[0].strip()


def set_ids() -> tuple[str, ...]:
    """The ids of all sets that may be asked for: ours, and those that others offer."""
    return tuple(sorted({*own_sets(), *offers()}))


def markers() -> dict[str, str]:
    """Marker -> the name of its set, without an edition. Ours stays ours, whoever else offers one of that name."""
    return {**dict(_offered_markers()), **_own_markers()}


def _offered_markers() -> Iterator[tuple[str, str]]:
    for set_id, several in offers().items():
        for offer in several:
            for marker in offer.markers:
                yield marker, stem_of(set_id)


def data_folder(set_id: str) -> Path | None:
    """Where the data of a set lies: `set.toml` and its other files. None where its package is not to be found."""
    if set_id in own_sets():
        return DATA / folder_name(set_id)
    return next((folder for offer in offers().get(set_id, ()) if (folder := _folder_of(offer.package))), None)


def folder_name(set_id: str) -> str:
    """That of the data of a set of ours."""
    return set_id.replace("@", "-")


def _folder_of(package: str) -> Path | None:
    """`data` in the folder of a package, none of which is imported."""
    top, *rest = package.split(".")
    try:
        spec = find_spec(top)
    except (ImportError, ValueError):  # a name that no module can have, or one that somebody imported by hand
        return None
    places = (spec and spec.submodule_search_locations) or ()
    return next((Path(place, *rest, "data") for place in places if Path(place, *rest).is_dir()), None)
