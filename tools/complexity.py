"""How complex is the code? Prints radon's figures of every package, and bounds those of the judge.

    python3 dev.py complexity

The figure is McCabe's cyclomatic complexity as radon counts it. A mean is radon's own: of all functions, methods and
classes, as `radon cc -a FOLDER` prints it. The judge is bounded because its checks are read by a broker's engineers.
Exit status 0: every bound holds; 1: one does not, and the functions are named.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean

from radon.complexity import cc_visit

ROOT = Path(__file__).resolve().parents[1]
CODE = ("harness/brokercert", "mock_server/brokercert_mock", "scenarios/brokercert_scenarios", "reports")
WORST_SHOWN = 10  # functions


@dataclass(frozen=True, slots=True)
class Bound:
    """What a folder is held to: `worst` for any function or method, `mean` for all its blocks."""

    folder: str
    worst: int
    mean: float


BOUNDS = (  # 20: the last figure of radon's rank C
    Bound("harness/brokercert/judge", worst=20, mean=4.0),
    Bound("harness/brokercert/engine", worst=20, mean=3.2),
)


@dataclass(frozen=True, slots=True)
class Block:
    """A function, a method or a class (`is_class`), in a file that is named from the project's folder."""

    file: str
    line: int
    name: str
    complexity: int
    is_class: bool

    def __str__(self) -> str:
        return f"{self.complexity:4}  {self.file}:{self.line} {self.name}"


def blocks(root: Path, folders: Sequence[str]) -> list[Block]:
    """Every block of the Python files below these folders. Raises `SyntaxError` where a file is no Python."""
    return [
        block
        for folder in folders
        for path in sorted((root / folder).rglob("*.py"))
        for block in _blocks_in(path, path.relative_to(root).as_posix())
    ]


def _blocks_in(path: Path, name: str) -> Iterator[Block]:
    for one in cc_visit(path.read_text("utf-8")):
        is_class = one.letter == "C"
        yield Block(name, one.lineno, one.name if is_class else one.fullname, one.complexity, is_class)


def below(found: Sequence[Block], folder: str) -> list[Block]:
    return [block for block in found if block.file.startswith(f"{folder}/")]


def functions(found: Sequence[Block]) -> list[Block]:
    """Without the classes, the most complex first."""
    return sorted((block for block in found if not block.is_class), key=lambda block: -block.complexity)


def rooms(found: Sequence[Block]) -> list[str]:
    """Each package of `CODE`, and each folder directly in it: all that holds Python."""
    packages = [folder for folder in CODE if below(found, folder)]
    inner = {
        f"{package}/{block.file.removeprefix(f'{package}/').partition('/')[0]}"
        for package in packages
        for block in below(found, package)
    }
    return sorted({*packages, *(room for room in inner if not room.endswith(".py"))})


def broken(found: Sequence[Block], bounds: Sequence[Bound] = BOUNDS) -> list[str]:
    """What is above its bound, in sentences; a folder without any code breaks its bound too."""
    told = []
    for bound in bounds:
        inside = below(found, bound.folder)
        if not inside:
            told.append(f"{bound.folder}: no Python there; expected the code that tools/complexity.py bounds")
            continue
        mean = fmean(block.complexity for block in inside)
        if mean > bound.mean:
            told.append(f"{bound.folder}: mean complexity {mean:.2f}; expected at most {bound.mean:g}")
        for block in functions(inside):
            if block.complexity > bound.worst:
                told.append(
                    f"{block.file}:{block.line}: {block.name}: complexity {block.complexity}; "
                    f"expected at most {bound.worst}: split it by what it decides"
                )
    return told


def table(found: Sequence[Block]) -> Iterator[str]:
    """One line a room, then the worst functions."""
    yield f"{'room':42} {'blocks':>6} {'mean':>6} {'>10':>4} {'>20':>4}"
    for room in rooms(found):
        inside = below(found, room)
        own = functions(inside)
        mean = fmean(block.complexity for block in inside)
        over = [sum(block.complexity > limit for block in own) for limit in (10, 20)]
        yield f"{room:42} {len(inside):6} {mean:6.2f} {over[0]:4} {over[1]:4}"
    yield f"the {WORST_SHOWN} most complex functions:"
    yield from map(str, functions(found)[:WORST_SHOWN])


def main() -> int:
    found = blocks(ROOT, CODE)
    print(*table(found), sep="\n")
    told = broken(found)
    print(*told, sep="\n")
    print(f"complexity: {len(told)} above a bound" if told else "complexity: every bound holds")
    return 1 if told else 0


if __name__ == "__main__":
    sys.exit(main())
