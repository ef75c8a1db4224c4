"""Lays out the stubs of a new row: its text, check, scenario, mutant and test, each where it belongs.

    python3 dev.py new row HBT-090         all of them
    python3 dev.py new mutant HBT-030      one more of a row that is there; so, too: scenario, test

The row's first three capitals name its area, and the area names the folders (`[areas]` in the set's set.toml). Every
stub raises or fails until it is filled in, and `tests/house/test_stubs.py` names each that is left. Exit status 0: the
stubs are there; 2: wrong use, and nothing was written.
"""

from __future__ import annotations

import argparse
import ast
import re
import sys
import tomllib
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from stubs import LEFT, ROW_BEGINS, TEXTS, Sample, fill, head_text, registered, row_text, slug

ROOT = Path(__file__).resolve().parents[1]
DATA = Path("harness/brokercert/data")
ID = re.compile(r"^[A-Z]{3}-\d{3}$")
SEARCHED = ("harness", "mock_server", "scenarios", "tests")  # for stubs that are left
KINDS = ("row", "scenario", "mutant", "test")  # a row has one check, so that `row` alone makes it
OF_A_ROW = ("check", "scenario", "mutant", "test")
NONE = Sample("", "", ())


class NewError(Exception):
    """Nothing can be laid out: it says what is wrong, what was expected and what to do."""


@dataclass(frozen=True, slots=True)
class Area:
    """Where a row lives: its set, by its id and as commands take it, that set's dialect, and the area's name, which its
    folders share.
    """

    set_id: str
    set_name: str
    dialect: str
    name: str

    @property
    def rows(self) -> Path:
        return DATA / self.set_id / f"{self.name}.toml"

    @property
    def rooms(self) -> dict[str, Path]:
        """Kind of stub -> the folder in which the area is a folder, or a module."""
        return {
            "check": Path("harness/brokercert/judge", self.dialect),
            "scenario": Path("scenarios/brokercert_scenarios", self.set_id.replace("-", "_")),
            "mutant": Path("harness/brokercert/mutants", self.dialect),
            "test": Path("tests/judge", self.dialect),
        }


@dataclass(frozen=True, slots=True)
class Written:
    """A file as it will be. `text` is all of it."""

    path: Path
    text: str


def areas(root: Path = ROOT) -> dict[str, Area]:
    """Prefix of row ids -> its area, of every set of ours. Raises `NewError` where two sets have one prefix.

    An edition that shares with another has its prefixes: rows that are new in it are written by hand.
    """
    found: dict[str, Area] = {}
    for path in sorted((root / DATA).glob("*/set.toml")):
        data = tomllib.loads(path.read_text("utf-8"))
        for name, facts in data["areas"].items() if "shares" not in data["set"] else ():
            prefix = facts["rows"]
            if prefix in found:
                raise NewError(f"{path}: areas.{name}: rows: {prefix!r}; {found[prefix].set_name} has it already")
            found[prefix] = Area(data["set"]["id"], _named(data), data["set"]["dialect"], name)
    return found


def _named(data: Mapping[str, Any]) -> str:
    """The set of a set.toml, as `RequirementSet.name` has it: an id without an edition would be the newest one's."""
    name: str = data["set"]["id"]
    return f"{name.partition('@')[0]}@{data['source']['edition']}" if data.get("other_edition") else name


def area_of(row: str, root: Path = ROOT) -> Area:
    """The area of a row's id. Raises `NewError`."""
    if not ID.match(row):
        raise NewError(f"{row!r}: no id of a row; expected three capitals, a dash and three digits, as in HBT-090")
    known = areas(root)
    if row[:3] not in known:
        raise NewError(
            f"{row}: no area has the prefix {row[:3]}; expected one of {', '.join(known)}; "
            f"a new area is a line under [areas] of {DATA}/<set>/set.toml, and a file of that name beside it"
        )
    return known[row[:3]]


def ids_in(path: Path) -> list[str]:
    return [row["id"] for row in tomllib.loads(path.read_text("utf-8"))["requirement"]]


def sample_of(kind: str, area: Area, root: Path) -> Sample:
    """What the area's own files, or else those of the dialect, import for such a thing. Raises `NewError`."""
    room = root / area.rooms[kind]
    near = [room / f"{area.name}.py", *sorted((room / area.name).rglob("*.py"))]
    for files in (near, sorted(room.rglob("*.py"))):
        seen = Counter(sample for path in files if path.is_file() for sample in _samples_in(path, kind))
        if seen:
            return seen.most_common(1)[0][0]
    raise NewError(f"{area.rooms[kind]}: no {kind} in it; expected one at least, after which a stub is made")


def _samples_in(path: Path, decorator: str) -> Iterator[Sample]:
    tree = ast.parse(path.read_text("utf-8"))
    modules = {
        name.asname or name.name: f"from {node.module} import {name.name}"
        for node in tree.body
        if isinstance(node, ast.ImportFrom)
        for name in node.names
    }
    for node in tree.body:
        if not isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            continue
        if decorator not in {ast.unparse(one.func) for one in node.decorator_list if isinstance(one, ast.Call)}:
            continue
        kind = _type_of(node)
        if decorator in modules and kind in modules:
            yield Sample(decorator, kind, (modules[decorator], modules[kind]))


def _type_of(node: ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef) -> str:
    if isinstance(node, ast.ClassDef):
        return ast.unparse(node.bases[0]) if node.bases else ""
    argument = node.args.args[0].annotation if node.args.args else None
    return ast.unparse(argument) if argument else ""


def stub(kind: str, row: str, area: Area, root: Path) -> Iterator[Written]:
    """One stub: a file of its own in the area's folder, or the end of the area's module. Raises `NewError`."""
    room = area.rooms[kind]
    sample = NONE if kind == "test" else sample_of(kind, area, root)
    body = TEXTS[kind](row, sample)
    module = root / room / f"{area.name}.py"
    if module.is_file() and not (root / room / area.name).is_dir() and any(_samples_in(module, kind)):
        text = module.read_text("utf-8")
        if fill(row, "") in text:
            raise NewError(f"{room / module.name}: a stub of {row} is there already; fill it in first")
        yield Written(room / module.name, text.rstrip("\n") + "\n" + body)
        return
    folder = room / area.name
    name = f"test_{slug(row)}.py" if kind == "test" else f"{slug(row)}.py"
    if module.is_file():  # a module of the area's name that holds no such thing: a folder cannot stand beside it
        folder, name = room, f"{area.name}_{name}"
    if (root / folder / name).exists():
        raise NewError(f"{folder / name}: it is there already; expected none: rename it by what it is about, first")
    if kind != "test" and not (root / folder / "__init__.py").exists():
        yield Written(folder / "__init__.py", f'"""Of the rows {row[:3]}-*."""\n')
    yield Written(folder / name, head_text(row, kind, sample) + body)


def row_file(row: str, area: Area, root: Path) -> Written:
    """The area's rows with the new one among them, in the order of their ids. Raises `NewError`."""
    path = root / area.rows
    if row in (there := ids_in(path)):
        raise NewError(f"{row}: a row of {area.set_name} already, in {area.rows}; expected a new id, as {free(there)}")
    head, *rows = path.read_text("utf-8").split(ROW_BEGINS)
    place = sum(id_ < row for id_ in there)
    rows[place - 1 : place] = [rows[place - 1].rstrip("\n") + "\n\n"] if place else []
    rows.insert(place, row_text(row).removeprefix(ROW_BEGINS) + ("\n" if place < len(rows) else ""))
    return Written(area.rows, ROW_BEGINS.join([head, *rows]))


def free(there: Sequence[str]) -> str:
    """The next id of an area, in tens as most are."""
    last = max(int(row[4:]) for row in there)
    return f"{there[0][:3]}-{min(999, last // 10 * 10 + 10):03}"


def plan(kind: str, row: str, root: Path = ROOT) -> list[Written]:
    """What is to be written for it. Raises `NewError`, and nothing has been written then."""
    area = area_of(row, root)
    if kind == "row":
        return [row_file(row, area, root), *(one for name in OF_A_ROW for one in stub(name, row, area, root))]
    if row not in ids_in(root / area.rows):
        raise NewError(f"{row}: no row of {area.set_name}; expected one of {area.rows}, or first: dev.py new row {row}")
    files = list(stub(kind, row, area, root))
    if kind in ("scenario", "mutant"):
        _expect_free(registered(kind, row), kind, root / area.rooms[kind], root)
    return files


def _expect_free(name: str, kind: str, room: Path, root: Path) -> None:
    """Nothing is registered by the stub's name. Raises `NewError`: an earlier stub was filled in and kept its name."""
    for path in sorted(room.rglob("*.py")):
        if f'"{name}"' in path.read_text("utf-8"):
            where = path.relative_to(root).as_posix()
            raise NewError(f"{where}: a {kind} {name!r} is there already; rename it by what it is about, first")


def stubs_left(root: Path = ROOT) -> list[str]:
    """Every stub that is not filled in yet, as `file:line: what is to be filled in`."""
    paths = [p for name in SEARCHED for p in sorted((root / name).rglob("*")) if p.suffix in (".py", ".toml")]
    return [
        f"{path.relative_to(root).as_posix()}:{number}: {match[0]}"
        for path in paths
        for number, line in enumerate(path.read_text("utf-8").splitlines(), 1)
        for match in LEFT.finditer(line)
    ]


STEPS = (  # kinds of stub, what is to do, and what says so
    (KINDS, "each stub filled in", "python3 dev.py test tests/house/test_stubs.py"),
    (("row",), "row, scenario, check and mutant", "python3 dev.py test tests/house/test_rows_whole.py"),
    (("row",), "the sentence of the source page", "python3 dev.py test tests/house/test_register.py"),
    (("row",), "numbers, as limits of the set", "{limits}"),
    (("row",), "an edit that weakens the check", "python3 dev.py test tests/house/test_edits.py"),
    (("scenario",), "time that passes has a name", "python3 dev.py test tests/house/test_waits.py"),
    (
        ("row", "scenario"),
        "the reference client passes",
        ".venv/bin/brokercert certify --set {set} --reference --only {row}",
    ),
    (
        ("row", "mutant"),
        "the mutant fails it, and no more",
        ".venv/bin/brokercert matrix --set {set} --mutant {mutant}",
    ),
    (
        ("row", "scenario"),
        "no other mutant fails by accident",
        ".venv/bin/brokercert matrix --set {set}   (minutes)",
    ),
    (("row", "scenario", "mutant"), "pages, counts and scores", "python3 dev.py generate --check"),
    (("row",), "a line for users", "CHANGELOG.md (no test asks for it)"),
)


def still_to_do(kind: str, row: str, area: Area) -> Iterator[str]:
    """What a stub of that kind leaves to do, a line each."""
    facts = {
        "row": row,
        "set": area.set_name,
        "limits": DATA / area.set_id / "limits.toml",
        "mutant": f"{registered('mutant', row)}   (or as you name it)",
    }
    yield f"Still to do for {row}, and what says so (CONTRIBUTING.md tells each step):"
    yield from (f"  {what:35}  {says.format(**facts)}" for kinds, what, says in STEPS if kind in kinds)


def main(words: Sequence[str], root: Path = ROOT) -> int:
    parser = argparse.ArgumentParser(prog="dev.py new", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("kind", metavar="KIND", choices=KINDS, help=", ".join(KINDS))
    parser.add_argument("row", metavar="ID", help="as in HBT-090")
    options = parser.parse_args(words)
    row = options.row
    try:
        files = plan(options.kind, row, root)
        area = area_of(row, root)
    except NewError as error:
        print(f"dev.py new: {error}", file=sys.stderr)
        return 2
    for one in files:
        path = root / one.path
        print(f"{'added to' if path.exists() else 'made    '} {one.path}")
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(one.text, "utf-8")
    print("\n" + "\n".join(still_to_do(options.kind, row, area)))
    return 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
