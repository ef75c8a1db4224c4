"""A set in two editions: a later one is an entry point and data files, and each name means one of them.

The later edition here is made in the test: a second package, whose suite plays the first one's scenarios.
"""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from brokercert import sets
from brokercert.engine.errors import UsageError
from brokercert.engine.play.scenario import load_suite
from brokercert.requirements import RequirementError, load_set, newest_told, set_named
from brokercert.sources import load_sources, uncited, unpinned
from installed import add_metadata, environment, install

FIRST, LATER = "ferry-rides", "ferry-rides@2"
WITHIN = 50  # seconds for one command: it takes two to eight
RIDES = """
import ferry_broker.suite
from brokercert.engine.play.scenario import scenarios_in

GRID = scenarios_in(ferry_broker.suite)
"""
AREAS = {"boarding": ("FBO-010", "FBO-020"), "staying": ("FST-010", "FST-020", "FST-030"), "fares": ("FFA-010",)}
LIMITS = (
    *("window_connect", "window_ride", "window_back", "window_stop", "here_most", "back_least", "pay_within"),
    *("stall_noticed", "stall_late", "stall_flight", "stall_owed"),
)


def install_later(site: Path) -> Path:
    """The package of the second edition: all its rows are those of the first, but for what FFA-010 says."""
    suite = site / "ferry_next" / "suite"
    data = suite / "data"
    (data / "sources").mkdir(parents=True)
    (site / "ferry_next" / "__init__.py").write_text("")
    (suite / "__init__.py").write_text("from ferry_broker.suite import DIALECT\n\n__all__ = ['DIALECT']\n")
    (suite / "rides.py").write_text(RIDES)
    first = site / "ferry_broker" / "suite" / "data"
    for name in ("ferry.toml", "ferry.words"):
        (data / "sources" / name).write_bytes((first / "sources" / name).read_bytes())
    source = (first / "set.toml").read_text("utf-8").split("[source]")[1].split("[areas]")[0]
    (data / "set.toml").write_text(
        f'[set]\nid = "{LATER}"\nshares = "{FIRST}"\nversion = "1"\n\n[source]'
        + source.replace('edition = "1"', 'edition = "2"')
        + '[[other_edition]]\nedition = "1"\nsigns = [{ query = "old", without = "new" }]\n'
        + "[areas]"
        + (first / "set.toml").read_text("utf-8").split("[areas]")[1].split("[capabilities]")[0]
    )
    for area, rows in AREAS.items():
        more = {"FFA-010": 'title = "Pays each fare, as of late"\n'}
        text = "\n".join(f'[[requirement]]\nid = "{row}"\nsame = true\n{more.get(row, "")}' for row in rows)
        (data / f"{area}.toml").write_text(text)
    (data / "limits.toml").write_text("\n".join(f"[limits.{name}]\nsame = true\n" for name in LIMITS))
    add_metadata(site, "ferry-next", {sets.SUITES: {LATER: "ferry_next.suite"}})
    return site


def edit(site: Path, name: str, old: str, new: str) -> None:
    path = site / "ferry_next" / "suite" / "data" / name
    text = path.read_text("utf-8")
    assert old in text
    path.write_text(text.replace(old, new, 1), "utf-8")


@pytest.fixture(scope="module")
def installed(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return install_later(install(tmp_path_factory.mktemp("site")))


@pytest.fixture
def site(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Iterator[Path]:
    """Both packages, of this process."""
    folder = install_later(install(tmp_path / "site"))
    monkeypatch.syspath_prepend(folder)
    sets.offers.cache_clear()
    yield folder
    monkeypatch.undo()
    sets.offers.cache_clear()
    for name in [name for name in sys.modules if name.partition(".")[0] in ("ferry_broker", "ferry_next")]:
        del sys.modules[name]


def test_a_name_means_the_newest_edition_and_an_edition_means_itself(site: Path) -> None:
    assert {name: set_named(name).id for name in (FIRST, f"{FIRST}@1", LATER)} == {
        FIRST: LATER,
        f"{FIRST}@1": FIRST,
        LATER: LATER,
    }
    assert (
        newest_told(FIRST, set_named(FIRST))
        == f"{FIRST} means {LATER}, its newest edition here (NAME@EDITION names one)"
    )
    assert newest_told(LATER, set_named(LATER)) == ""
    assert sets.markers()["ferry"] == FIRST  # a name: `pytest -m ferry` plays the newest


def test_an_id_means_one_edition_for_ever(site: Path) -> None:
    """As traces have it: that of the first edition has none in it."""
    assert load_set(FIRST).source != load_set(LATER).source
    assert load_set(FIRST).by_id["FFA-010"].title == "Pays each fare"


def test_what_both_share_is_written_once(site: Path) -> None:
    first, later = load_set(FIRST), load_set(LATER)
    assert later.by_id["FFA-010"].title == "Pays each fare, as of late"
    assert [row for row in later.rows if row.id != "FFA-010"] == [row for row in first.rows if row.id != "FFA-010"]
    assert (later.limits, later.capabilities, later.antecedents) == (
        first.limits,
        first.capabilities,
        first.antecedents,
    )
    assert later.hash != first.hash
    assert uncited(load_sources([LATER]), later) == [] and unpinned(later) == ""
    assert load_suite(LATER).listed().keys() == load_suite(FIRST).listed().keys() == first.by_id.keys()


@pytest.mark.parametrize(
    ("name", "said"),
    [
        (
            "ferry-rides@3",
            r"no edition '3' of ferry-rides; known: ferry-rides@1, ferry-rides@2; did you mean ferry-rides@",
        ),
        ("ferry-rides@", r"no edition '' of ferry-rides; known: ferry-rides@1, ferry-rides@2"),
        ("ferry-ride", r"no requirement set 'ferry-ride'; known: .*; did you mean ferry-rides\?"),
        ("ferry-ride@2", r"no requirement set 'ferry-ride@2'; .*; did you mean ferry-rides\?"),
        ("bread", r"no requirement set 'bread'; known: arrow-orders, ferry-rides, [\w-]+$"),
        ("", r"no requirement set ''; known"),
    ],
)
def test_an_unknown_name_is_told_what_there_is(name: str, said: str, site: Path) -> None:
    with pytest.raises(RequirementError, match=said):
        set_named(name)


@pytest.mark.parametrize(
    ("file", "old", "new", "said"),
    [
        (
            "fares.toml",
            "same = true",
            "same = false",
            r"requirement: FFA-010: same: False; expected true, or no such field",
        ),
        (
            "fares.toml",
            "FFA-010",
            "FFA-020",
            r"requirement: FFA-020: same: the edition .* has none of that name; expected",
        ),
        ("limits.toml", "here_most", "here_least", r"limits: here_least: same: the edition .* has none of that name"),
        (
            "set.toml",
            'shares = "ferry-rides"',
            'shares = "ferries"',
            r"set\.shares: 'ferries'; expected the id of another",
        ),
        ("set.toml", 'shares = "ferry-rides"', 'shares = "ferry-rides@2"', r"ferry-rides@2.*set\.shares: "),
        ("set.toml", 'edition = "2"', 'edition = "3"', r"source\.edition: '3'; expected '2', as set\.id has it"),
        (
            "set.toml",
            'edition = "1"',
            'edition = "2"',
            r"other_edition\.edition: '2'; expected the name of another edition",
        ),
        ("set.toml", "2026-11-25", "lately", r"source\.read_on: 'lately'; expected a day"),
        ("set.toml", "PROTOCOL.md", "", r"source\.address: ''; expected where the page is"),
        ("set.toml", 'sentences = "', 'sentences = "x', r"source\.sentences: 'x.*; expected a SHA-256"),
        (
            "set.toml",
            '[{ query = "old", without = "new" }]',
            "[]",
            r"other_edition 1: signs: \[\]; expected one at least",
        ),
        ("set.toml", "[source]", "[[source]]", r"source"),
    ],
)
def test_what_is_wrong_in_a_later_edition_is_told(file: str, old: str, new: str, said: str, site: Path) -> None:
    edit(site, file, old, new)
    with pytest.raises(RequirementError, match=said):
        load_set(LATER)
    assert load_set(FIRST).id == FIRST


def test_a_hash_that_is_not_that_of_the_sentences_is_found(site: Path) -> None:
    edit(site, "sources/ferry.toml", "A WebSocket at the given address.", "A WebSocket.")
    assert "ferry-rides@2: source.sentences: " in unpinned(load_set(LATER))


@pytest.mark.parametrize(
    ("old", "new", "said"),
    [
        ("1 ", "one ", r"ferry\.words: line .*: expected a sentence's number"),
        ("10 ", "9 ", r"sentences 10: expected each"),
    ],
)
def test_a_broken_words_file_is_told(old: str, new: str, said: str, site: Path) -> None:
    edit(site, "sources/ferry.words", f"\n{old}", f"\n{new}")
    with pytest.raises(RequirementError, match=said):
        unpinned(load_set(LATER))


def test_a_suite_is_of_one_edition(site: Path) -> None:
    (site / "ferry_next" / "suite" / "rides.py").unlink()
    assert load_suite(LATER).scenarios == () != load_suite(FIRST).scenarios
    with pytest.raises(UsageError, match="no suite for the requirement set"):
        load_suite(f"{FIRST}@3")


def ask(site: Path, folder: Path, *words: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", *words],
        cwd=folder,
        env=environment(site),
        capture_output=True,
        text=True,
        timeout=WITHIN,
    )


@pytest.mark.parametrize(("asked", "set_id", "edition"), [(f"{FIRST}@1", FIRST, "1"), (FIRST, LATER, "2")])
def test_every_door_keeps_to_the_edition_that_was_asked_for(
    asked: str, set_id: str, edition: str, installed: Path, tmp_path: Path
) -> None:
    told = f"brokercert: {FIRST} means {LATER}, its newest edition here"
    (tmp_path / "brokercert.toml").write_text(f'[run]\nset = "{asked}"\n')
    done = ask(installed, tmp_path, "brokercert", "certify", "--reference", "--only", "FBO-010")
    assert done.returncode == 4, done.stdout + done.stderr
    assert (told in done.stderr) == (asked == FIRST)
    run = json.loads((tmp_path / "out" / "latest" / "run.json").read_text("utf-8"))
    assert (run["set_id"], run["source"]["edition"]) == (set_id, edition)
    named = run["set_name"]
    assert f"incomplete for {named}" in done.stdout or f"of {named}" in done.stdout
    assert f"The Ferry protocol (edition {edition}, read on 2026-11-25), PROTOCOL.md" in done.stdout
    for name, said in (
        ("report.html", f"The Ferry protocol, edition {edition}, read on 2026-11-25"),
        ("summary.md", f"edition {edition}, read on 2026-11-25"),
        (f"TEST-{set_id}.xml", f'<property name="set_edition" value="{edition}"'),
    ):
        assert said in (tmp_path / "out" / "latest" / name).read_text("utf-8"), name
    judged = ask(installed, tmp_path, "brokercert", "judge", "out/latest", "--out", "again", "--set", asked)
    assert judged.returncode == 4, judged.stdout + judged.stderr
    again = json.loads((tmp_path / "again" / "run.json").read_text("utf-8"))
    assert (again["set_id"], again["set_name"], again["rows"][0]["verdict"]) == (set_id, named, "pass")
    assert ask(installed, tmp_path, "brokercert", "report", "again").returncode == 4


def test_judge_takes_no_other_edition(installed: Path, tmp_path: Path) -> None:
    done = ask(installed, tmp_path, "brokercert", "certify", "--set", f"{FIRST}@1", "--reference", "--only", "FBO-010")
    assert done.returncode == 4, done.stdout + done.stderr
    for asked, status in ((LATER, 2), (FIRST, 4), (f"{FIRST}@3", 2)):
        judged = ask(installed, tmp_path, "brokercert", "judge", "out/latest", "--set", asked)
        assert judged.returncode == status, judged.stderr


@pytest.mark.parametrize("words", [("list",), ("explain", "FFA-010"), ("drift", "page.txt")])
def test_commands_name_the_edition(words: tuple[str, ...], installed: Path, tmp_path: Path) -> None:
    (tmp_path / "page.txt").write_text("some words")
    for asked, edition in ((f"{FIRST}@1", "1"), (FIRST, "2")):
        done = ask(installed, tmp_path, "brokercert", *words, "--set", asked)
        assert f"(edition {edition}, read on 2026-11-25)" in " ".join(done.stdout.split()), done.stderr
        assert ("means ferry-rides@2" in done.stderr) == (asked == FIRST)


def test_pytest_plays_the_newest_edition_and_the_one_that_is_named(installed: Path, tmp_path: Path) -> None:
    """`-m` cannot say an edition, so the project's file may."""
    ours = ("-p", "no:cacheprovider", "-p", "no:asyncio", "-p", "no:xdist")
    for file, asked, named, whole in (
        (FIRST, ("-m", "ferry"), LATER, LATER),
        (FIRST, ("--brokercert", f"{FIRST}@1"), FIRST, FIRST),
        (f"{FIRST}@1", ("-m", "ferry"), FIRST, FIRST),
        (f"{FIRST}@1", ("--brokercert", FIRST), LATER, LATER),
    ):
        (tmp_path / "brokercert.toml").write_text(f'[run]\nset = "{file}"\n')
        done = ask(installed, tmp_path, "pytest", "-v", *asked, "--brokercert-reference", "--collect-only", *ours)
        assert f"; {named}\n" in done.stdout and f"<SetNode {whole}>" in done.stdout, done.stdout + done.stderr
