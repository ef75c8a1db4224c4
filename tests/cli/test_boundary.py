"""The boundary to the shell: whatever ends a command is one of the documented exit statuses, and never a word of the
client: 1 comes of a verdict alone.
"""

from __future__ import annotations

import ast
import asyncio
import errno
import os
from collections.abc import Iterator
from pathlib import Path

import brokercert.__main__
import brokercert.cli
import pytest
from brokercert.engine import stops
from brokercert.verdict import ExitCode

HARNESS = Path(brokercert.cli.__file__).parents[1]
FINDS = {"fuzz.py", "simulate.py"}  # which say 1 of a find: docs/exit-codes.md


def test_the_exit_codes_known_without_an_import_are_those_of_the_verdicts() -> None:
    known = (brokercert.cli.USAGE, brokercert.cli.HARNESS_ERROR, brokercert.cli.INTERRUPTED)
    assert known == (ExitCode.USAGE, ExitCode.HARNESS_ERROR, ExitCode.INTERRUPTED)
    assert (brokercert.__main__.HARNESS_ERROR, stops.INTERRUPTED) == (ExitCode.HARNESS_ERROR, ExitCode.INTERRUPTED)


def _builtin(base: type[BaseException] = BaseException) -> Iterator[type[BaseException]]:
    """Every kind of exception that Python itself has, and asyncio's."""
    for kind in base.__subclasses__():
        if kind.__module__ in ("builtins", "asyncio.exceptions", "concurrent.futures._base"):
            yield kind
            yield from _builtin(kind)


def _made(kind: type[BaseException]) -> BaseException:
    if issubclass(kind, UnicodeError) and kind is not UnicodeError:
        more: tuple[object, ...] = ("?", 0, 1, "why") if kind is UnicodeTranslateError else ("a", b"?", 0, 1, "why")
        return kind("a", "?", 0, 1, "why") if kind is UnicodeEncodeError else kind(*more)
    if issubclass(kind, BaseExceptionGroup):
        return kind("many", [ValueError(1)])
    if kind is asyncio.IncompleteReadError:
        return kind(b"", 1)
    return kind(1) if kind is not asyncio.LimitOverrunError else kind("long", 1)


@pytest.mark.parametrize(
    "kind", sorted(set(_builtin()), key=lambda kind: kind.__name__), ids=lambda kind: kind.__name__
)
def test_what_breaks_on_our_side_is_never_said_of_the_client(
    monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str], kind: type[BaseException]
) -> None:
    """Among them a broken pipe and SystemExit(1), which click and others would make an exit status of 1."""

    def breaks(*_: object) -> None:
        raise _made(kind)

    monkeypatch.setattr("brokercert.engine.ask.config.load_config", breaks)
    code = brokercert.cli.main(["certify"])
    asked = issubclass(kind, KeyboardInterrupt | asyncio.CancelledError)
    assert code == (ExitCode.INTERRUPTED if asked else ExitCode.HARNESS_ERROR)
    assert ("says nothing of the client" in capfd.readouterr().err) is not asked


def test_a_working_directory_that_was_removed_is_told_in_a_sentence(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "gone").mkdir()
    monkeypatch.chdir(tmp_path / "gone")
    (tmp_path / "gone").rmdir()
    assert brokercert.cli.main(["certify"]) == ExitCode.USAGE
    assert capfd.readouterr().err.startswith("brokercert: the working directory has been removed")


@pytest.mark.parametrize("number", [errno.EMFILE, errno.ENFILE, errno.ENOSPC, errno.EDQUOT], ids=errno.errorcode.get)
def test_what_the_machine_lacks_is_told_in_a_sentence(
    number: int, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    def breaks(*_: object) -> None:
        raise OSError(number, os.strerror(number), "/some/file")

    monkeypatch.setattr("brokercert.engine.ask.config.load_config", breaks)
    assert brokercert.cli.main(["certify"]) == ExitCode.HARNESS_ERROR
    (sentence,) = capfd.readouterr().err.splitlines()
    assert f"{os.strerror(number)}: /some/file; " in sentence and sentence.endswith("says nothing of the client")


# One line says 1 of a client.


def trees(folder: Path) -> Iterator[tuple[Path, ast.Module]]:
    for path in sorted(folder.rglob("*.py")):
        yield path, ast.parse(path.read_text("utf-8"))


def _branches(value: ast.expr | None) -> tuple[ast.expr, ...]:
    return (value.body, value.orelse) if isinstance(value, ast.IfExp) else ()


def test_no_command_but_those_that_find_something_answers_a_1_of_its_own() -> None:
    answering = {
        path.name
        for path, tree in trees(HARNESS / "cli")
        for returned in ast.walk(tree)
        if isinstance(returned, ast.Return)
        for value in (returned.value, *_branches(returned.value))
        if isinstance(value, ast.Constant) and value.value == 1 and value.value is not True
    }
    assert answering == FINDS


def test_a_status_follows_from_an_outcome_in_one_place() -> None:
    """The pytest door says the same status, by the same line."""
    places = {
        (path.relative_to(HARNESS).as_posix(), node.lineno)
        for path, tree in trees(HARNESS)
        for node in ast.walk(tree)
        if isinstance(node, ast.Subscript) and isinstance(node.value, ast.Name) and node.value.id == "EXIT_CODES"
    }
    assert len([place for place, _ in places if place.startswith("cli/")]) == 1
    assert {place for place, _ in places} == {"cli/finish.py"}


def test_nothing_in_the_program_ends_the_process_but_its_boundary() -> None:
    """`sys.exit` and its like would end it with a status that nobody documents."""
    ending = {
        path.relative_to(HARNESS).as_posix()
        for path, tree in trees(HARNESS)
        for node in ast.walk(tree)
        if isinstance(node, ast.Call) and ast.unparse(node.func) in ("sys.exit", "exit", "quit", "os._exit", "ctx.exit")
        if path.relative_to(HARNESS).parts[0] not in ("reference", "mutants", "toxiproxy")  # programs of their own
    }
    # The engine's process of the pytest door is a program of its own, with a boundary of its own.
    assert ending == {"__main__.py", "engine/stops.py", "door/__main__.py", "door/child.py"}
