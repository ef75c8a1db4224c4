"""Files of a user that are there and cannot be read, and names that are something else: a sentence with the name, exit
2, and no traceback; at every door that takes one.

Root may read whatever it likes, so that a file stands in that nobody can read: the memory of this process, at address
nothing. The door to a folder that may not be searched is shut by the system call itself.
"""

from __future__ import annotations

import ast
import errno
import os
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import brokercert.cli
import click
import pytest
from brokercert.engine.ask.config import load_config
from brokercert.engine.errors import UsageError
from brokercert.verdict import ExitCode

HARNESS = Path(brokercert.cli.__file__).parents[1]
UNREADABLE = Path("/proc/self/mem")
CLIENT = "[subject]\ncommand = ['sh']\n"


def _doors(*, written: bool) -> Iterator[tuple[str, ...]]:
    """Every command that takes a file or a folder, by its own parameters; `FILE` is where the name goes.

    `written`: those too that take one which they write.
    """
    context = click.Context(brokercert.cli.cli)
    for name in brokercert.cli.COMMANDS:
        command = brokercert.cli.cli.get_command(context, name)
        assert command is not None
        for one in command.params:
            if isinstance(one.type, click.Path) and (
                written or one.name not in ("out", "page", "csv_path", "xlsx_path")
            ):
                yield (name, one.opts[0], "FILE") if isinstance(one, click.Option) else (name, "FILE")


DOORS = list(_doors(written=False))


@pytest.mark.parametrize("words", DOORS, ids=" ".join)
@pytest.mark.parametrize("kind", ["unreadable", "a folder", "nothing"])
def test_a_file_that_cannot_be_read_is_named_in_a_sentence(
    words: tuple[str, ...], kind: str, folder: Path, find: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    path = folder / "given.toml"
    if kind == "unreadable":
        path.symlink_to(UNREADABLE)
    if kind == "a folder":
        path.mkdir()
    besides = {"replay --config": find, "bundle --key": folder, "verify --key": find, "diff FILE": path}
    more = [str(one) for one in [besides.get(" ".join(words[:2]))] if one is not None]
    arguments = [str(path) if word == "FILE" else word for word in (*words, *more)]
    assert brokercert.cli.main(arguments) == ExitCode.USAGE
    err = capfd.readouterr().err
    assert str(path) in err and "Traceback" not in err, err


def _any_find(folder: Path) -> Path:
    from brokercert.fuzz.finds import Find, save
    from brokercert.hostile import Hostile

    return save(Find(target="wire", cause="it ended", frames=(Hostile("frame", "cut", "x"),), seed=1), folder / "saved")


@pytest.mark.parametrize("words", list(_doors(written=True)), ids=" ".join)
def test_no_name_is_no_name_of_the_working_folder(
    words: tuple[str, ...], folder: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    """A shell makes an empty word of a variable that is not set."""
    (folder / "run.json").write_text("{}")
    before = sorted(folder.rglob("*"))
    assert brokercert.cli.main(["" if word == "FILE" else word for word in words]) == ExitCode.USAGE
    err = capfd.readouterr().err
    assert "it is empty; expected the name of a f" in err and "Traceback" not in err, err
    assert sorted(folder.rglob("*")) == before, "nothing was written"


def test_these_doors_are_all() -> None:
    assert DOORS == [
        ("certify", "--waivers", "FILE"),
        ("certify", "--config", "FILE"),
        ("check", "--config", "FILE"),
        ("doctor", "--config", "FILE"),
        ("judge", "FILE"),
        ("report", "FILE"),
        ("bundle", "--key", "FILE"),
        ("bundle", "FILE"),
        ("verify", "--key", "FILE"),
        ("verify", "FILE"),
        ("diff", "FILE"),  # the older run
        ("diff", "FILE"),
        ("gallery", "FILE"),
        ("fuzz", "--config", "FILE"),
        ("replay", "--config", "FILE"),
        ("replay", "FILE"),
    ]


@pytest.mark.parametrize("name", ["brokercert.toml", "pyproject.toml"])
@pytest.mark.parametrize("content", ["unreadable", "nowhere", "folder", "depth", "tool = 3", "tool.brokercert = 3"])
def test_a_file_that_is_found_is_read_or_named_and_never_passed_over(folder: Path, name: str, content: str) -> None:
    """Passed over, a link that leads nowhere would be told as "none is there"."""
    path = folder / name
    match content:
        case "unreadable":
            path.symlink_to(UNREADABLE)
        case "nowhere":
            path.symlink_to("nowhere")
        case "folder":
            path.mkdir()
        case "depth":
            path.write_text(f"a = {'[' * 100_000}")
        case text:
            path.write_text(text)
    if name == "pyproject.toml" and content in ("nowhere", "folder", "tool = 3"):
        assert load_config().path is None, "other tools' matter"
    else:
        with pytest.raises(UsageError, match=f"{path}: "):
            load_config()


@pytest.mark.parametrize("shut", ["stat", "lstat"])
@pytest.mark.parametrize("neighbour", ["a folder of somebody else's", ""])
def test_a_folder_that_may_not_be_searched_makes_no_traceback(
    folder: Path, shut: str, neighbour: str, monkeypatch: pytest.MonkeyPatch, capfd: pytest.CaptureFixture[str]
) -> None:
    """As in /tmp, where others have folders of their own, or where the folder's own parent is shut."""
    shut_folder = folder / neighbour
    shut_folder.mkdir(exist_ok=True)
    real = getattr(os, shut)

    def refusing(path: Any, *rest: Any, **more: Any) -> Any:
        if isinstance(path, str | os.PathLike) and Path(os.fspath(path)).parent == shut_folder:
            raise PermissionError(errno.EACCES, "Permission denied", os.fspath(path))
        return real(path, *rest, **more)

    monkeypatch.setattr(os, shut, refusing)
    assert brokercert.cli.main(["certify"]) == ExitCode.USAGE
    err = capfd.readouterr().err
    assert "Traceback" not in err and str(folder) in err, err


def test_nobody_asks_pathlib_whether_something_is_there() -> None:
    """Its `is_file`, `is_dir` and `exists` raise where a folder may not be searched."""
    asking = [
        f"{path.relative_to(HARNESS)}:{node.lineno}"
        for part in ("cli", "engine", "fuzz", "simulation", "toxiproxy", "matrix", "live")
        for path in sorted((HARNESS / part).rglob("*.py"))
        for node in ast.walk(ast.parse(path.read_text("utf-8")))
        if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute) and not node.args
        if node.func.attr in ("is_file", "is_dir", "exists", "is_symlink")
    ]
    assert not asking, f"ask brokercert.engine.ask.given instead: {asking}"
