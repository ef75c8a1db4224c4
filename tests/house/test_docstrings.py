"""What a docstring names in backquotes exists: a name that has gone is found where it is still spoken of.

A name counts as existing where one of these holds:

1. it stands in the code of the same module, as a name or within a text;
2. it is a class, a module or a file of the project, or a builtin;
3. it is a word of a protocol: a text of its own in the code, in backquotes in the sets' data, or likeThis;
4. its module or class is named before it (`module.name`), and has it.

A function of another module is named with its module: a bare word that is a name somewhere would prove nothing.
"""

from __future__ import annotations

import ast
import builtins
import re
import sys
from collections.abc import Iterator
from functools import cache
from importlib import import_module
from pathlib import Path
from typing import NamedTuple

import pytest

ROOT = Path(__file__).parents[2]
FOLDERS = ("harness", "mock_server", "scenarios", "reports", "examples")
FILES = [
    path for folder in FOLDERS for path in sorted((ROOT / folder).rglob("*.py")) if "node_modules" not in path.parts
]
QUOTED = re.compile(r"(?<!`)`([A-Za-z_][\w.]*)(?:\([^`]*\))?`(?!`)")
WORD = re.compile(r"\w+")
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)
DOCUMENTED = (ast.Module, ast.ClassDef, *FUNCTIONS)

ELSEWHERE = {
    "accountRiskStatuses": "a collection of the first broker's protocol",
    "exists": "a method of pathlib's paths",
    "is_dir": "a method of pathlib's paths",
    "nohup": "a program",
    "with": "a statement",
}


@cache
def tree_of(path: Path) -> ast.Module:
    return ast.parse(path.read_text("utf-8"))


def docstrings(tree: ast.Module) -> Iterator[tuple[ast.AST, ast.Constant]]:
    """Those of modules, classes and functions, and of fields (a text that stands alone), with what they stand in."""
    for node in ast.walk(tree):
        if isinstance(node, DOCUMENTED):
            for one in node.body:
                if (
                    isinstance(one, ast.Expr)
                    and isinstance(one.value, ast.Constant)
                    and isinstance(one.value.value, str)
                ):
                    yield node, one.value


@cache
def names_in(path: Path, *, variables: bool = False) -> frozenset[str]:
    """What the code of a module names, docstrings and comments left out; the words of its texts too.

    `variables`: those of functions too. A reader of a class knows nothing of them.
    """
    return frozenset(one.name for one in _named(path) if variables or not one.variable)


@cache
def texts_in(path: Path) -> frozenset[str]:
    """The texts of its code that are one word each: words of protocols."""
    return frozenset(one.name for one in _named(path) if one.whole)


class Named(NamedTuple):
    """A name in the code. `whole`: it is a text of its own; `variable`: one that a function reads or sets."""

    name: str
    whole: bool = False
    variable: bool = False


@cache
def _named(path: Path) -> tuple[Named, ...]:
    tree = tree_of(path)
    said = {id(one) for _, one in docstrings(tree)}
    functions = [node for node in ast.walk(tree) if isinstance(node, FUNCTIONS)]
    inside = {id(node) for function in functions for part in function.body for node in ast.walk(part)}
    found: list[Named] = []
    for node in ast.walk(tree):
        match node:
            case ast.Constant(value=str() | bytes() as text) if id(node) not in said:
                plain = text if isinstance(text, str) else text.decode("latin-1")
                found += [Named(word, whole=word == plain) for word in WORD.findall(plain)]
            case ast.Name(id=name):
                found.append(Named(name, variable=id(node) in inside))
            case ast.Attribute(attr=name) | ast.arg(arg=name) | ast.keyword(arg=str(name)):
                found.append(Named(name))
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) | ast.ClassDef(name=name):
                found.append(Named(name))
            case ast.alias(name=name, asname=other):
                found += [Named(word) for word in (*name.split("."), other or "")]
            case ast.ImportFrom(module=str(name)):
                found += [Named(word) for word in name.split(".")]
            case _:
                pass
    return tuple(found)


@cache
def classes() -> dict[str, frozenset[str]]:
    """Class -> the names in the modules that define one of that name, or a class that it is made from."""
    found: dict[str, frozenset[str]] = {}
    bases: dict[str, set[str]] = {}
    for path in FILES:
        for node in ast.walk(tree_of(path)):
            if isinstance(node, ast.ClassDef):
                found[node.name] = found.get(node.name, frozenset()) | names_in(path)
                bases.setdefault(node.name, set()).update(WORD.findall(" ".join(map(ast.unparse, node.bases))))
    return {name: held.union(*(found.get(base, frozenset()) for base in bases[name])) for name, held in found.items()}


@cache
def modules() -> dict[str, frozenset[str]]:
    """Module or package, by the last part of its name -> the names in it."""
    found: dict[str, frozenset[str]] = {}
    for path in FILES:
        name = path.parent.name if path.name == "__init__.py" else path.stem
        found[name] = found.get(name, frozenset()) | names_in(path)
    return found


@cache
def words() -> frozenset[str]:
    """Words of protocols, of the sets' data, and of the interpreter."""
    data = {
        word
        for path in ROOT.glob("harness/brokercert/data/**/*.toml")
        for quoted in re.findall("`([^`]+)`", path.read_text("utf-8"))
        for word in WORD.findall(quoted)
    }
    camel = {name for path in FILES for name in names_in(path) if re.match("^[a-z]+[A-Z]", name)}
    return frozenset(data.union(*map(texts_in, FILES), camel, dir(builtins), sys.stdlib_module_names, ELSEWHERE))


@cache
def packages() -> frozenset[str]:
    """Modules and packages by their whole names, as `brokercert.engine.stops`."""
    parts = [path.relative_to(ROOT).with_suffix("").parts[1:] for path in FILES]
    return frozenset(".".join(part).removesuffix(".__init__") for part in parts)


def is_of_a_library(owner: str, name: str) -> bool:
    """`owner` is a module that is installed beside us, and has it."""
    try:
        return hasattr(import_module(owner), name)
    except ImportError:
        return False


@cache
def files() -> frozenset[str]:
    """Names of files: those that are there, and those that the code writes or reads."""
    there = {path.name for folder in FOLDERS for path in (ROOT / folder).rglob("*") if path.is_file()}
    told = {
        match for path in FILES for match in re.findall(r"[\w-]+\.(?:json|toml|html|md)\b", path.read_text("utf-8"))
    }
    return frozenset(there | {"pyproject.toml", "conftest.py"} | told)


def exists(name: str, path: Path, where: ast.AST) -> bool:
    """`where`: the module, class or function in whose docstring it stands."""
    if name.rpartition(".")[2] in ("py", "toml", "json", "html", "md"):
        return name in files()
    *before, last = name.split(".")
    here = names_in(path, variables=isinstance(where, FUNCTIONS))
    if not before:
        return last in here or last in classes() or last in modules() or last in words()
    owner = before[-1]
    held = classes().get(owner, frozenset()) | modules().get(owner, frozenset())
    return name in packages() or last in held or last in here or is_of_a_library(".".join(before), last)


def test_what_docstrings_name_exists() -> None:
    gone = [
        f"{path.relative_to(ROOT)}:{one.lineno}: {match.group()}"
        for path in FILES
        for where, one in docstrings(tree_of(path))
        for match in QUOTED.finditer(str(one.value))
        if not exists(match.group(1), path, where)
    ]
    assert not gone, f"{', '.join(gone)}: name what is there now, with its module before it where it is of another"


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ('"""`gone_long_ago` is called."""', False),
        ('"""`here` is called."""\ndef here(): ...', True),
        ('class A:\n    """`watch_it` is called."""\n    def f(self):\n        for watch_it in self.all: ...', False),
        ('def f():\n    """Calls `watch_it`."""\n    watch_it = 1', True),
        ('"""`field` is read."""\nread["field"]', True),
        ('"""`GoneLongAgo` is raised."""', False),
        ('"""`RequirementSet` is read."""', True),
        ('"""`RequirementSet.gone_long_ago` is read."""', False),
        ('"""`RequirementSet.by_id` is read."""', True),
        ('"""`requirements.load_set` reads it."""', True),
        ('"""`requirements.gone_long_ago` reads it."""', False),
        ('"""In `gone_long_ago.py`."""', False),
        ('"""In `transcript.py`."""', True),
        ('"""`authorize` is a request."""', True),
        ('"""`msgspec.ValidationError` is raised."""', True),
        ('"""`msgspec.GoneLongAgo` is raised."""', False),
        ('"""`brokercert.engine.stops` does it."""', True),
        ('"""`brokercert.engine.gone_long_ago` does it."""', False),
    ],
)
def test_a_name_that_has_gone_is_found(text: str, found: bool, tmp_path: Path) -> None:
    path = tmp_path / "module.py"
    path.write_text(text)
    found_in = [
        (where, match.group(1)) for where, one in docstrings(tree_of(path)) for match in QUOTED.finditer(one.value)
    ]
    ((where, quoted),) = found_in
    assert exists(quoted, path, where) is found
