"""The figures of `dev.py complexity`: what is above a bound is named, and nothing else."""

from __future__ import annotations

from pathlib import Path

import pytest
from complexity import BOUNDS, CODE, ROOT, Bound, blocks, broken, rooms

ROOM = "harness/brokercert/judge"


def tree(folder: Path, **functions: int) -> Path:
    """A judge of one file, whose functions have these complexities."""
    room = folder / ROOM
    room.mkdir(parents=True)
    texts = (
        f"def {name}(x):\n" + "    if x: pass\n" * (score - 1) + "    return x\n" for name, score in functions.items()
    )
    (room / "one.py").write_text("\n".join(texts))
    return folder


@pytest.mark.parametrize("score", [1, 4, 19, 20, 21, 60])
def test_a_function_above_the_bound_is_named_with_its_place(tmp_path: Path, score: int) -> None:
    found = blocks(tree(tmp_path, odd=score, **{f"plain{n}": 1 for n in range(30)}), CODE)
    told = broken(found, (Bound(ROOM, worst=20, mean=4.0),))
    assert [line.split(";")[0] for line in told] == (
        [f"{ROOM}/one.py:1: odd: complexity {score}"] if score > 20 else []
    )


@pytest.mark.parametrize(("scores", "mean"), [((4, 4), ""), ((4, 5), "4.50"), ((1, 8), "4.50"), ((1, 7), "")])
def test_the_mean_is_bounded_too(tmp_path: Path, scores: tuple[int, int], mean: str) -> None:
    told = broken(blocks(tree(tmp_path, one=scores[0], two=scores[1]), CODE), (Bound(ROOM, worst=20, mean=4.0),))
    assert told == ([f"{ROOM}: mean complexity {mean}; expected at most 4"] if mean else [])


def test_methods_count_as_functions_do(tmp_path: Path) -> None:
    room = tmp_path / ROOM
    room.mkdir(parents=True)
    (room / "one.py").write_text("class A:\n    def b(self, x):\n" + "        if x: pass\n" * 9)
    told = broken(blocks(tmp_path, CODE), (Bound(ROOM, worst=9, mean=99.0),))
    assert len(told) == 1 and "A.b: complexity 10" in told[0]


def test_a_bound_on_a_room_that_is_gone_is_broken(tmp_path: Path) -> None:
    assert broken([], BOUNDS) and broken(blocks(tmp_path, CODE), BOUNDS)


def test_every_room_with_code_is_in_the_table() -> None:
    """A name in `CODE` that is misspelt would leave a package out."""
    found = blocks(ROOT, CODE)
    shown = rooms(found)
    assert set(CODE) <= set(shown) and {bound.folder for bound in BOUNDS} <= set(shown)
    assert len(found) > 3000  # blocks, nearly as many as there were: a reader that finds none bounds nothing
