"""Is every check held by a test? Weakens the judge, one edit at a time, and says what notices it.

    python3 dev.py edits [--only TEXT] [--jobs N]

Two kinds of edit: those of `edits.toml`, and every registered check silenced in its turn. Each is made in a copy of the
tree and tried in processes of its own. It is noticed when a test of the judge fails, else when the kill matrix of the
rows that the edited file has a part in is not as written. Exit status: 0 all were noticed, 1 some were not, 2 the table
does not fit the sources, or the tests fail without any edit.
"""

from __future__ import annotations

import argparse
import ast
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
JUDGE = Path("harness/brokercert/judge")
ROOTS = ("harness", "mock_server", "scenarios", "reports")
SETS = ("tradovate-stage2", "arrow-orders", "arrow-orders@2026")
# The tests of judging, each with the set whose files it is about; none: of both.
TESTS = (
    *(("", path.relative_to(ROOT).as_posix()) for path in sorted((ROOT / "tests" / "judge").glob("test_*.py"))),
    ("tradovate-stage2", "tests/judge/tradovate"),
    ("arrow-orders", "tests/judge/arrow"),
    ("tradovate-stage2", "tests/matrix/test_checks.py"),
    ("tradovate-stage2", "tests/matrix/test_windows.py"),
    ("tradovate-stage2", "tests/state"),
    ("tradovate-stage2", "tests/grid"),
    ("arrow-orders", "tests/arrow"),
    ("arrow-orders@2026", "tests/arrow/test_arrow_2026.py"),
    ("arrow-orders@2026", "tests/judge/arrow"),
)
EVERY = "tests/matrix/test_every_mutant.py"
WITHIN = 600  # seconds for one command: the longest takes 40 on an idle core; an edit may make a loop that never ends


class EditError(Exception):
    """An edit does not fit the sources: it names the edit, what was expected, and what to do."""


@dataclass(frozen=True, slots=True)
class Edit:
    """One weakening: `file` is relative to the judge's folder, `text` its whole new text."""

    file: str
    weakens: str
    text: str

    @property
    def name(self) -> str:
        return f"{self.file}: {self.weakens}"


@dataclass(frozen=True, slots=True)
class Tried:
    """`by` is what noticed the edit; empty: nothing did."""

    by: str
    took: float


def table(root: Path = ROOT) -> list[Edit]:
    """The edits of `edits.toml`. Raises `EditError` where an old text does not stand in its file exactly once."""
    edits = []
    for file, entries in tomllib.loads((root / "tools" / "edits.toml").read_text("utf-8")).items():
        path = root / JUDGE / file
        source = path.read_text("utf-8") if path.exists() else ""
        edits += [Edit(file, weakens, edited(source, f"{file}: {weakens}", *pair)) for weakens, pair in entries.items()]
    return edits


def edited(source: str, name: str, old: str, new: str) -> str:
    """The source with one text in place of another. Raises `EditError`."""
    count = source.count(old)
    if count != 1:
        raise EditError(
            f"tools/edits.toml: {name}: expected once, found {count} times: {old!r}; "
            "write the edit anew for the source as it is now, or take it out where its check is gone"
        )
    return source.replace(old, new)


def silenced(root: Path = ROOT) -> list[Edit]:
    """Every registered check made to say nothing."""
    edits = []
    for path in sorted((root / JUDGE).rglob("*.py")):
        source = path.read_text("utf-8")
        for row, function in checks_in(source):
            said = function.body[0].end_lineno or 0  # its docstring, which every check has
            lines = source.splitlines(keepends=True)
            lines.insert(said, "    return\n")
            file = path.relative_to(root / JUDGE).as_posix()
            edits.append(Edit(file, f"{row} says nothing", "".join(lines)))
    return edits


def checks_in(source: str) -> Iterator[tuple[str, ast.FunctionDef]]:
    """(row, function) of every check that a file registers."""
    functions = [node for node in ast.parse(source).body if isinstance(node, ast.FunctionDef)]
    for node in functions:
        for call in node.decorator_list:
            if isinstance(call, ast.Call) and ast.unparse(call.func) == "check":
                yield ast.literal_eval(call.args[0]), node


def rows_of(file: str, root: Path = ROOT) -> set[str]:
    """The rows that a file of the judge has a part in: by its checks, and by those of all files that import it."""
    folder = root / JUDGE
    sources = {path.relative_to(folder).as_posix(): path.read_text("utf-8") for path in folder.rglob("*.py")}
    imports = {
        name: set(re.findall(r"^from brokercert\.judge\.([\w.]+) import", text, re.M)) for name, text in sources.items()
    }
    reached, left = set(), {file}
    while left:
        reached |= left
        modules = {name.removesuffix(".py").replace("/", ".") for name in left}
        left = {name for name, used in imports.items() if used & modules} - reached
    found = {row for name in reached for row, _ in checks_in(sources[name])}
    return found or {row for text in sources.values() for row, _ in checks_in(text)}  # the judge itself: all


def tried(edit: Edit) -> Tried:
    """Make the edit in a copy of the tree and look for what notices it. Called in workers."""
    began = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="brokercert-edit-") as folder:
        tree = Path(folder)
        for name in (*ROOTS, "tests", "docs"):
            shutil.copytree(ROOT / name, tree / name, ignore=shutil.ignore_patterns("node_modules"))
        shutil.copy(ROOT / "pyproject.toml", tree)
        if edit.file:
            (tree / JUDGE / edit.file).write_text(edit.text, "utf-8")
            by = noticed(tree, rows_of(edit.file))
        else:
            _, place = run(tree, "-c", "import brokercert.judge; print(brokercert.judge.__file__)")
            by = (
                noticed(tree, set()) if place.startswith(str(tree.resolve())) else f"{place.strip()} is not in the copy"
            )
    return Tried(by, time.monotonic() - began)


def noticed(tree: Path, rows: set[str]) -> str:
    """The first test that fails in a tree, or what the kill matrix says of these rows (none: all)."""
    sets, cases = cases_of(rows)
    files = [path for set_id, path in TESTS if not set_id or set_id in sets]
    for chosen in (cases, files):
        status, out = run(tree, "-m", "pytest", "-x", "-q", "--no-header", "-p", "no:cacheprovider", *chosen)
        if status:
            failed = re.search(r"^(?:FAILED|ERROR) (\S+)", out, re.MULTILINE)
            return failed.group(1) if failed else last_of(out)
    status, out = run(tree, str(Path(__file__)), "--matrix", ",".join(sorted(rows)))
    return f"kill matrix: {last_of(out)}" if status else ""


def last_of(out: str) -> str:
    return (out.strip().splitlines() or ["no word"])[-1]


def run(tree: Path, *arguments: str) -> tuple[int, str]:
    """Python in that tree: exit status and output. One that does not end is ended, with its children."""
    env = {
        **os.environ,
        "PYTHONPATH": os.pathsep.join(str(tree / name) for name in ROOTS),
        "PYTHONDONTWRITEBYTECODE": "1",
    }
    process = subprocess.Popen(
        [sys.executable, *arguments], cwd=tree, env=env, start_new_session=True, text=True,
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
    )  # fmt: skip
    try:
        out = process.communicate(timeout=WITHIN)[0]
    except subprocess.TimeoutExpired:
        return 1, f"it did not end in {WITHIN} s"
    finally:
        if process.poll() is None:
            os.killpg(process.pid, signal.SIGKILL)
            process.wait()
    return process.returncode, out


def cases_of(rows: set[str]) -> tuple[set[str], list[str]]:
    """The sets that have these rows, and the cases of `test_every_mutant.py` about them."""
    from brokercert.matrix.subjects import insiders, outside
    from brokercert.requirements import load_set

    sets, cases = set(), []
    for set_id in SETS:
        mine = {row.id for row in load_set(set_id).rows} & rows if rows else {row.id for row in load_set(set_id).rows}
        inside = mine - outside(set_id)
        names = [name for name, one in insiders(set_id).items() if one.fails & inside]
        sets |= {set_id} if mine else set()
        cases += [f"{EVERY}::test_a_mutant_fails_every_row_that_it_must[{set_id}-{name}]" for name in names]
        cases += [f"{EVERY}::test_the_reference_client_passes_every_row[{set_id}-{row}]" for row in sorted(inside)]
    return sets, cases or ["tests/judge"]


def matrix_of(rows: set[str]) -> list[str]:
    """Where the kill matrix is not as written: of the mutants that must fail one of these rows (none: all), and of the
    reference client, each through the scenarios of all that it must fail. A mutant may fail any other row.
    """
    from brokercert.engine.play.scenario import load_suite
    from brokercert.matrix.cells import Due, cells_of, play_cell
    from brokercert.matrix.score import differences
    from brokercert.matrix.subjects import REFERENCE, insiders

    wrong: list[str] = []
    for set_id in SETS:
        listed = load_suite(set_id).listed()
        mine = set(listed) & rows if rows else set(listed)
        mutants = insiders(set_id)
        every = {name: Due(set_id, name) for name, one in mutants.items() if one.fails & mine}
        due = {name: {scenario for row in one.rows for scenario in one.places(row)} for name, one in every.items()}
        due[REFERENCE] = {scenario for row in mine for scenario in listed[row]}
        cells = [cell for cell in cells_of(set_id, tuple(due)) if cell.scenario in due[cell.subject]]
        # An edit makes the judge weaker: what else falls with a mutant is for `brokercert matrix`.
        lenient = {name: replace(one, knocks=dict.fromkeys(listed, one.reason)) for name, one in mutants.items()}
        wrong += differences([play_cell(cell) for cell in cells], lenient, set(every))
    return wrong


def arguments_of(words: Sequence[str]) -> argparse.Namespace:
    parser = argparse.ArgumentParser(prog="dev.py edits", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--only", metavar="TEXT", default="", help="only edits with this text in their name")
    parser.add_argument("--jobs", metavar="N", type=int, default=0, help="processes at once (default: one a core)")
    parser.add_argument("--matrix", metavar="ROWS", help=argparse.SUPPRESS)  # for the processes that it starts itself
    return parser.parse_args(words)


def main(words: Sequence[str]) -> int:
    asked = arguments_of(words)
    if asked.matrix is not None:
        wrong = matrix_of({row for row in asked.matrix.split(",") if row})
        print(*wrong, sep="\n")
        return 1 if wrong else 0
    from brokercert.parallel import in_order, local

    try:
        edits = [edit for edit in (*table(), *silenced()) if asked.only in edit.name]
    except EditError as error:
        print(error, file=sys.stderr)
        return 2
    if not edits:
        print(f"--only {asked.only}: no edit has this in its name; they are in tools/edits.toml", file=sys.stderr)
        return 2
    began = time.monotonic()
    control = tried(Edit("", "", ""))
    if control.by:
        print(f"without any edit it fails, so that nothing can be said: {control.by}", file=sys.stderr)
        return 2
    print(f"without any edit all is well ({control.took:.0f} s); {len(edits)} edits", flush=True)

    def on_result(place: int, one: Tried) -> None:
        what = f"noticed by {one.by}" if one.by else "SURVIVED"
        print(f"{one.took:4.0f} s  {edits[place].name}\n        {what}", flush=True)

    done = in_order(tried, edits, local(asked.jobs), on_result)
    survived = [edit.name for edit, one in zip(edits, done.results, strict=True) if one is not None and not one.by]
    killed = len(done.complete) - len(survived)
    print(*(f"SURVIVED  {name}" for name in survived), sep="\n")
    print(f"{killed} of {len(done.complete)} edits noticed, in {time.monotonic() - began:.0f} s")
    if done.interrupted:
        print(f"interrupted: {len(edits) - len(done.complete)} edits were not tried")
        return 130
    return 1 if survived else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
