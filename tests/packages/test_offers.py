"""What another package offers wrongly is told in a sentence that says where, what was expected and what to do.

Nobody who does not ask for it is kept from anything.
"""

from __future__ import annotations

import importlib
import re
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from brokercert import sets
from brokercert.engine.errors import UsageError
from brokercert.engine.play.scenario import load_suite
from brokercert.requirements import RequirementError, available_sets, load_set
from brokercert.sources import load_sources, uncited
from installed import FERRY, add_metadata, install

SET = "ferry-rides"
OURS = sets.own_sets()


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """A folder that packages can be installed into, of this process."""
    folder = tmp_path / "site"
    folder.mkdir()
    monkeypatch.syspath_prepend(folder)
    seen_anew()
    yield folder
    monkeypatch.undo()
    seen_anew()
    for name in [name for name in sys.modules if name.partition(".")[0] == "ferry_broker"]:
        del sys.modules[name]


def seen_anew() -> None:
    importlib.invalidate_caches()
    sets.offers.cache_clear()


def edit(name: str, old: str, new: str) -> Callable[[Path], None]:
    """A file of the package that says something else."""

    def change(site: Path) -> None:
        path = site / "ferry_broker" / name
        text = path.read_text("utf-8")
        assert old in text
        path.write_text(text.replace(old, new, 1), "utf-8")

    return change


def without(name: str) -> Callable[[Path], None]:
    return lambda site: (site / "ferry_broker" / name).unlink()


def offered_again(site: Path) -> None:
    add_metadata(site, "other-ferry", {sets.SUITES: {SET: "other_ferry.suite"}})


def with_points(suites: str, markers: dict[str, str]) -> Callable[[Path], None]:
    """Other entry points than its own."""

    def change(site: Path) -> None:
        points = {sets.SUITES: {SET: suites}, sets.MARKERS: markers}
        lines = [
            line
            for group, names in points.items()
            for line in (f"[{group}]", *(f"{k} = {v}" for k, v in names.items()))
        ]
        next(site.glob("*.dist-info")).joinpath("entry_points.txt").write_text("\n".join(lines))

    return change


DATA = "suite/data"
WRONG: dict[str, tuple[Callable[[Path], object], str]] = {
    "no such package": (with_points("fery.suite", {}), r"ferry-rides = fery\.suite .*no folder of that package"),
    "no package below": (with_points("ferry_broker.suit", {}), r"no folder of that package; expected .* correct"),
    "no set": (without(f"{DATA}/set.toml"), r"data: no set\.toml; expected"),
    "no area": (without(f"{DATA}/fares.toml"), r"fares\.toml: no \[\[requirement\]\] in it; expected the rows FFA-\*"),
    "no rows": (
        lambda site: [
            (site / "ferry_broker" / DATA / f"{area}.toml").write_text("requirement = []\n")
            for area in ("boarding", "staying", "fares")
        ],
        r"no \[\[requirement\]\]; expected a row at least",
    ),
    "no TOML": (edit(f"{DATA}/limits.toml", "[limits.window_stop]", "[limits"), r"limits\.toml: .*; expected TOML"),
    "another id": (edit(f"{DATA}/set.toml", f'"{SET}"', '"ferries"'), r"set\.id: 'ferries'; expected 'ferry-rides'"),
    "no marker": (with_points("ferry_broker.suite", {}), r"set\.marker: 'ferry'; expected a word .* it has none"),
    "another's marker": (
        with_points("ferry_broker.suite", {"ferry": "elsewhere"}),
        r"set\.marker: 'ferry'; expected .* with the value ferry_broker\.suite; it has none",
    ),
    "our marker": (
        lambda site: (
            edit(f"{DATA}/set.toml", '"ferry"\ntext', '"stage2"\ntext')(site),
            with_points("ferry_broker.suite", {"stage2": "ferry_broker.suite"})(site),
        )[0],
        r"set\.marker: 'stage2' is that of tradovate-stage2; expected one of its own",
    ),
    "an unknown word": (
        edit(f"{DATA}/staying.toml", '"lost"', '"drowned"'),
        r"FST-020: antecedent: 'drowned'; expected one of none, .*; a new one goes into set\.toml: set\.antecedents",
    ),
    "an unknown limit": (
        edit(f"{DATA}/staying.toml", 'limits = ["', 'limits = ["ages", "'),
        r"limits: 'ages'; expected one of .*; a new one goes into limits\.toml: a part \[limits\.NAME\]",
    ),
    "a wrong placeholder": (edit(f"{DATA}/set.toml", '"badge"', '"{badge}"'), r"placeholders: '\{badge\}'; expected"),
    "two of them": (offered_again, r"offered by .*of other-ferry.*; expected one package; uninstall"),
}


@pytest.mark.parametrize("name", WRONG)
def test_a_wrong_offer_is_told_where_it_is_asked_for(name: str, site: Path) -> None:
    change, said = WRONG[name]
    install(site)
    change(site)
    seen_anew()
    assert SET in available_sets()
    with pytest.raises(RequirementError, match=said):
        load_set(SET)
    assert all(load_set(one).id == one for one in OURS)
    assert sets.markers().items() >= {"stage2": "tradovate-stage2", "arrow": "arrow-orders"}.items()


def test_the_offer_is_right_as_it_is(site: Path) -> None:
    """Else the changes above would prove nothing."""
    install(site)
    seen_anew()
    rows = load_set(SET)
    assert (rows.id, rows.placeholders, sets.markers()["ferry"]) == (SET, ("badge",), SET)
    assert uncited(load_sources([SET]), rows) == []
    assert load_suite(SET).dialect.name == rows.dialect


def test_a_citation_without_its_sentence_is_found(site: Path) -> None:
    install(site)
    edit(f"{DATA}/sources/ferry.toml", 'rows = ["FST-030"]', 'because = "nobody wrote it down"')(site)
    seen_anew()
    assert uncited(load_sources([SET]), load_set(SET)) == ["FST-030: FP Staying aboard"]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        (offered_again, r"offered by .*; expected one package; uninstall the others"),
        (
            with_points("ferry_broker.suit", {}),
            r"names ferry_broker\.suit, and there is no ferry_broker\.suit; install",
        ),
        (
            edit("suite/fares.py", '"FFA-010"', '"FFA-100"'),
            r"suite\.fares: scenario 'ride': exercises: 'FFA-100'; expected",
        ),
        (
            edit("suite/staying.py", '("wire", "stop")', '("wires",)'),
            r"'leaving': needs: 'wires'; expected one of wire, stop",
        ),
        (edit("suite/__init__.py", "import DIALECT", "import DIALECT as _"), r"DIALECT is None; expected a brokercert"),
    ],
)
def test_a_wrong_suite_is_wrong_use(change: Callable[[Path], None], said: str, site: Path) -> None:
    install(site)
    change(site)
    seen_anew()
    with pytest.raises(UsageError, match=said):
        assert load_suite(SET).dialect


def test_what_else_is_missing_is_its_own_error(site: Path) -> None:
    """A package that lacks one of its dependencies is not told to correct its entry point."""
    install(site)
    edit("suite/dialect.py", "import sys", "import no_such_thing")(site)
    seen_anew()
    with pytest.raises(ModuleNotFoundError, match="no_such_thing"):
        load_suite(SET)


def test_the_page_for_a_new_broker_names_each_file_of_the_example() -> None:
    page = (FERRY.parents[1] / "docs" / "new-dialect.md").read_text("utf-8")
    files = {str(path.relative_to(FERRY)) for path in FERRY.rglob("*") if path.suffix in (".py", ".toml", ".md")}
    data = {name for name in files if name.startswith("ferry_broker/suite/data/") and "/sources/" not in name}
    bare = {"ferry_broker/__init__.py", "ferry_broker/judge/__init__.py"}  # a docstring each
    named = set(re.findall(r"`([\w./-]+\.(?:py|toml|md))`", page))
    assert files - data - bare <= named
    assert {Path(name).name for name in data} <= named
    assert {name for name in named if name.startswith("ferry_broker/")} <= files
