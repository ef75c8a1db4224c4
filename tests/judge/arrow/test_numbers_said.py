"""No sentence of the judge of Arrow has a number of its own: what it says comes from the set's data, of its edition."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import brokercert.judge.arrow
import pytest
from brokercert.engine.play.scenario import load_dialect
from brokercert.judge.arrow.edition import FIRST
from brokercert.judge.arrow.edition3 import THIRD
from brokercert.judge.arrow.seen import seen_of
from brokercert.requirements import load_set
from brokercert.trace import records as r

FOLDER = Path(brokercert.judge.arrow.__file__).parent
QUANTITY = re.compile(r"(?<![\w.#])\d+(\.\d+)? ?(s|ms|min|minutes|seconds|times|tries|attempts|%)(?!\w)")
SETS = ("arrow-orders", "arrow-orders@2026")


def said(tree: ast.AST) -> Iterator[str]:
    """Every text of a module that is no docstring."""
    for node in ast.walk(tree):
        for child in ast.iter_child_nodes(node):
            if isinstance(child, ast.Constant) and isinstance(child.value, str) and not isinstance(node, ast.Expr):
                yield child.value


@pytest.mark.parametrize("path", sorted(FOLDER.rglob("*.py")), ids=lambda path: path.relative_to(FOLDER).as_posix())
def test_a_sentence_has_no_number_of_its_own(path: Path) -> None:
    wrong = [text for text in said(ast.parse(path.read_text("utf-8"))) if QUANTITY.search(text)]
    assert wrong == []


@pytest.mark.parametrize("set_id", SETS)
def test_what_a_start_showed_is_told_in_the_words_of_its_own_edition(set_id: str) -> None:
    limits = {limit.name: limit.value for limit in load_set(set_id).limits.values()}
    judging = load_dialect(set_id).judging
    talk = judging.fold()
    first, second = talk.edition.credentials
    for body in (
        r.Accepted(t=0, conn=1),
        r.Head(t=0, conn=1, method="GET", target=f"/?{first}=a&{second}=b", headers=(), upgrade=True),
        r.UpgradeAnswer(t=0, conn=1, status=101),
    ):
        talk.feed(body)
    login, beats = seen_of(talk, {**limits, "pong_every": 17})
    assert login == f"it logged in with {first} a and {second} b"
    assert beats == "it sent no heartbeat (`PONG`) meanwhile; the page has one every 17 s"


def test_the_ladders_are_told_up_to_the_longest_delay_that_holds() -> None:
    assert FIRST.climbs(10) == "1, 2, 4, 8, then 10 s, or 2, 4, 8, then 10 s"
    assert THIRD.climbs(5) == "2, 4, then 5 s, or 1, 2, 4, then 5 s"
    assert THIRD.climbs(3) == "2, then 3 s, or 1, 2, then 3 s"
    assert THIRD.climbs(1) == "1 s"
    assert THIRD.ladder("the page's ladder") == "the page's ladder, from 2 s"
