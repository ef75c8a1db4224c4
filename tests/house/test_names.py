"""A name in a trace has one home: those who tell it and those who compare it cannot drift apart unseen."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from enum import StrEnum
from pathlib import Path
from typing import Any

import brokercert_mock.arrow
import pytest
from brokercert.trace.names import FaultName, LedgerName, RuleName, WindowName
from brokercert_mock import Rule
from brokercert_mock.arrow.told import ArrowFault
from brokercert_mock.port.faults import Fault
from brokercert_mock.tradovate.told import Told, TradovateFault

ROOT = Path(__file__).parents[2]
JUDGE = ROOT / "harness" / "brokercert" / "judge"
MATCHES = ("startswith", "endswith", "removeprefix", "removesuffix", "partition")


def rules_of(kind: type[Rule[Any]]) -> Iterator[type[Rule[Any]]]:
    """Every class of a rule with a name."""
    for child in kind.__subclasses__():
        if "name" in vars(child):
            yield child
        yield from rules_of(child)


@pytest.mark.parametrize("rule", sorted(rules_of(Rule), key=lambda kind: kind.__name__))
def test_each_rule_of_a_mock_has_its_name_there(rule: type[Rule[Any]]) -> None:
    assert brokercert_mock.arrow.ArrowBroker.takes, "both brokers' rules are looked at"
    assert RuleName(rule.name).value == rule.name


@pytest.mark.parametrize("told", [Fault, TradovateFault, ArrowFault, Told])
def test_each_fault_of_a_mock_has_its_name_there(told: type[StrEnum]) -> None:
    home = RuleName if told is Told else FaultName
    for member in told:
        assert home[member.name].value == member.value


def test_a_mock_tells_no_name_that_has_no_home() -> None:
    """What is told of faults and rules comes from a class: no call of the recorder has a bare string for a name."""
    found = [
        f"{path.relative_to(ROOT)}:{node.lineno}"
        for path in sorted((ROOT / "mock_server").rglob("*.py"))
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)
        and node.func.attr in ("fault", "rule", "tell_rule", "rule_unused")
        and any(isinstance(argument, ast.Constant) and argument.value for argument in node.args[:-1])
    ]  # fmt: skip
    assert not found


def literals(node: ast.AST) -> Iterator[str]:
    """The texts that stand in an expression, those of a formatted one included."""
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        yield node.value
    elif isinstance(node, ast.JoinedStr):
        yield from (part.value for part in node.values if isinstance(part, ast.Constant) and part.value)
    elif isinstance(node, ast.Tuple | ast.List | ast.Set):
        for element in node.elts:
            yield from literals(element)


def is_name(node: ast.AST) -> bool:
    """Whether it reads a record's name: `rule.name`, `fault.name`, and what was put aside of one."""
    return isinstance(node, ast.Attribute) and node.attr == "name"


def compared(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """(line, text) of each bare text that a name is compared with, and of each that can only be such a name."""
    for node in ast.walk(tree):
        texts: list[str] = []
        reads = False
        if isinstance(node, ast.Compare):
            sides = (node.left, *node.comparators)
            texts, reads = [text for side in sides for text in literals(side)], any(map(is_name, sides))
        elif isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and node.func.attr in MATCHES:
            texts = [text for argument in node.args for text in literals(argument)]
            reads = is_name(node.func.value)
        elif isinstance(node, ast.Constant):  # handed to what compares, or kept for it
            texts = list(literals(node))
        yield from ((node.lineno, text) for text in texts if reads or text.partition(":")[0] in DISTINCT)


# Names that are no word of a protocol or of prose: wherever they stand, a name in a trace is meant.
DISTINCT = {str(name) for home in (RuleName, FaultName, WindowName, LedgerName) for name in home if "-" in name}


@pytest.mark.parametrize("path", sorted(JUDGE.rglob("*.py")), ids=lambda path: str(path.relative_to(JUDGE)))
def test_the_judge_compares_no_bare_name(path: Path) -> None:
    found = list(compared(ast.parse(path.read_text("utf-8"))))
    assert not found, f"{path}: (line, name) {found}; take the name from brokercert.trace.names"


@pytest.mark.parametrize(
    "line",
    [
        'rule.name == "first"',
        'x.rule.name != f"never-answer:{y}"',
        'fault.name.startswith(("silent", "half-open"))',
        'what.removeprefix("toxic-")',
        'fault.name in ("proxy-up", NAME)',
        'match what:\n    case "idle-close":\n        pass',
        'healed(bench, "port-open")',
        'ENDS = {"never-answer:authorize": 1}',
    ],
)
def test_a_bare_name_is_found_however_it_is_compared(line: str) -> None:
    assert list(compared(ast.parse(line)))
