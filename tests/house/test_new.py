"""`dev.py new`: stubs lie where their row belongs, are found by the suite, and fail until they are filled in."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest
from new import DATA, KINDS, OF_A_ROW, ROOT, NewError, areas, ids_in, main, plan, row_file, still_to_do, stubs_left
from stubs import fill

AREAS = areas()
COPIED = ("harness", "mock_server", "scenarios", "reports")
NEW = ("HBT-095", "AOC-095")  # one of each dialect
PYTHON = {"PYTHONDONTWRITEBYTECODE": "1", "PYTHONPATH": os.pathsep.join(COPIED)}


def unused(prefix: str, first: int = 1) -> str:
    there = ids_in(ROOT / AREAS[prefix].rows)
    return next(row for row in (f"{prefix}-{n:03}" for n in range(first, 1000)) if row not in there)


@pytest.mark.parametrize("prefix", AREAS)
def test_every_stub_lies_in_the_area_of_its_row(prefix: str) -> None:
    row, area = unused(prefix), AREAS[prefix]
    first, *others = [one.path for one in plan("row", row)]
    assert first == area.rows
    for kind in OF_A_ROW:
        mine = [path for path in others if path.is_relative_to(area.rooms[kind])]
        assert mine and all(area.name in path.as_posix() for path in mine), kind


@pytest.mark.parametrize("prefix", AREAS)
@pytest.mark.parametrize("first", [1, 11, 990])
def test_a_row_is_put_in_its_place_and_no_other_changes(prefix: str, first: int) -> None:
    row, area = unused(prefix, first), AREAS[prefix]
    before = tomllib.loads((ROOT / area.rows).read_text("utf-8"))["requirement"]
    after = tomllib.loads(row_file(row, area, ROOT).text)["requirement"]
    assert [one["id"] for one in after] == sorted([*(one["id"] for one in before), row])
    assert [one for one in after if one["id"] != row] == before


@pytest.mark.parametrize(
    ("kind", "row", "said"),
    [
        ("row", "HBT-010", r"HBT-010: a row of tradovate-stage2 already, in .*heartbeats\.toml; expected a new id"),
        ("row", "hbt-010", r"'hbt-010': no id of a row; expected three capitals"),
        ("row", "HBT-1", r"no id of a row; .* as in HBT-090"),
        ("row", "XYZ-010", r"XYZ-010: no area has the prefix XYZ; expected one of .*HBT.*\[areas\]"),
        ("mutant", unused("HBT"), r"no row of tradovate-stage2; .* first: dev\.py new row HBT-"),
    ],
)
def test_what_cannot_be_laid_out_says_what_to_do_and_writes_nothing(
    kind: str, row: str, said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copytree(ROOT / DATA, tmp_path / DATA)
    before = {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}
    with pytest.raises(NewError, match=said):
        plan(kind, row, tmp_path)
    assert main([kind, row], tmp_path) == 2
    assert "dev.py new: " in capsys.readouterr().err
    assert before == {path: path.read_bytes() for path in tmp_path.rglob("*") if path.is_file()}


@pytest.fixture(scope="module")
def tree(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A copy of the sources in which a row of each dialect was laid out."""
    root = tmp_path_factory.mktemp("tree")
    for name in COPIED:
        shutil.copytree(ROOT / name, root / name, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", root)
    for row in NEW:
        assert main(["row", row], root) == 0
    return root


TELL = """
import sys
from importlib import import_module
from brokercert.engine.play.scenario import load_suite
from brokercert.requirements import available_sets, load_set
for set_id in available_sets():
    suite = load_suite(set_id)
    mutants = import_module(suite.dialect.mutants).MUTANTS
    for row in {row.id for row in load_set(set_id).rows} & set(sys.argv[1:]):
        parts = {
            "check": lambda: list(suite.dialect.judging.checks[row].run(None)),
            "scenario": lambda: [suite.by_name(name).play(None).send(None) for name in suite.listed()[row]],
            "mutant": lambda: [one.client() for one in mutants.values() if row in one.fails],
        }
        for name, part in parts.items():
            try:
                print(row, name, part())
            except NotImplementedError as error:
                print(row, name, error)
"""


def test_every_stub_is_found_by_its_suite_and_fails_until_it_is_filled_in(tree: Path) -> None:
    done = subprocess.run(
        [sys.executable, "-c", TELL, *NEW], cwd=tree, env={**os.environ, **PYTHON}, capture_output=True, text=True,
        timeout=50,
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    told = {tuple(line.split()[:2]): line for line in done.stdout.splitlines()}
    assert set(told) == {(row, kind) for row in NEW for kind in ("check", "scenario", "mutant")}
    assert all(f"FILL IN {row}: " in line for (row, _), line in told.items())


def test_every_stub_is_named_until_it_is_filled_in(tree: Path) -> None:
    left = "\n".join(stubs_left(tree))
    for row in NEW:
        for one in (one.path for one in plan("row", row, ROOT) if one.path.name != "__init__.py"):
            assert any(line.startswith(f"{one}:") and row in line for line in left.splitlines()), one


@pytest.mark.parametrize("kind", ["scenario", "mutant"])
def test_a_stub_that_was_filled_in_and_kept_its_name_is_to_be_renamed_first(tmp_path: Path, kind: str) -> None:
    for name in COPIED:
        shutil.copytree(ROOT / name, tmp_path / name, ignore=shutil.ignore_patterns("__pycache__"))
    (first,) = plan(kind, "HBT-030", tmp_path)
    path = tmp_path / first.path
    path.with_name("other.py").write_text(first.text.replace(fill("HBT-030", ""), ""))
    with pytest.raises(NewError, match=rf"other\.py: a {kind} '.*hbt-030' is there already; rename it"):
        plan(kind, "HBT-030", tmp_path)


def test_a_stub_says_what_is_still_to_do_for_its_kind() -> None:
    said = {kind: "\n".join(still_to_do(kind, "HBT-030", AREAS["HBT"])) for kind in KINDS}
    assert all("tests/house/test_stubs.py" in text for text in said.values())
    assert {kind for kind, text in said.items() if " matrix --set tradovate-stage2 --mutant " in text} == {
        "row",
        "mutant",
    }
    assert {kind for kind, text in said.items() if " matrix --set tradovate-stage2 " in text} == {*KINDS} - {"test"}
    assert {kind for kind, text in said.items() if " certify " in text} == {"row", "scenario"}
    assert {kind for kind, text in said.items() if "test_register.py" in text} == {"row"}


def test_what_is_laid_out_has_the_style_of_the_house(tree: Path) -> None:
    ruff = Path(sys.executable).with_name("ruff")
    for command in (("check",), ("format", "--check")):
        done = subprocess.run([ruff, *command, "--no-cache", tree], capture_output=True, text=True, timeout=50)
        assert done.returncode == 0, done.stdout


def test_a_stub_is_never_written_over(tree: Path, capsys: pytest.CaptureFixture[str]) -> None:
    for row in NEW:
        for kind in ("scenario", "mutant", "test"):
            assert main([kind, row], tree) == 2
            assert "already" in capsys.readouterr().err
