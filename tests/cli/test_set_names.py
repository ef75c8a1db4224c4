"""A set is written down and told by the name that means it to every command: an id without an edition would be read as
the newest one's.
"""

from __future__ import annotations

import importlib
import re
import runpy
import shlex
import sys
import tomllib
from collections.abc import Callable
from pathlib import Path

import brokercert.cli
import click
import pytest
from brokercert.door.engine import plan, request_of
from brokercert.door.wire import Options
from brokercert.engine.ask.config import load_config
from brokercert.engine.errors import UsageError
from brokercert.requirements import RequirementSet, load_set, set_named
from brokercert.sets import own_sets, stem_of
from brokercert.verdict import ExitCode

TOOLS = Path(__file__).parents[2] / "tools"
NAMES = sorted({name for one in own_sets() for name in (load_set(one).name, stem_of(one))})
STEMS = "|".join(sorted({stem_of(one) for one in own_sets()}))
NAMED = re.compile(rf"(?<![\w/.-])(?:{STEMS})(?:@\w+)?(?![\w/.-]*\.\w)(?![\w-])")
QUICK = ("--", "sh", "-c", "exit 3")

Say = Callable[..., tuple[int, str]]


@pytest.fixture
def say(folder: Path, capfd: pytest.CaptureFixture[str]) -> Say:
    """Runs a command. Its status, and all that it printed, but for the line that tells what a bare name means."""

    def run(*words: str) -> tuple[int, str]:
        status = brokercert.cli.main(list(words))
        out, err = capfd.readouterr()
        return status, "\n".join(line for line in (out + err).splitlines() if " means " not in line)

    return run


def means_it(text: str, rows: RequirementSet) -> bool:
    """Whether each name of a set in it is one that means this set, and there is one."""
    found = NAMED.findall(text)
    return bool(found) and all(set_named(name).id == rows.id for name in found)


def every_command_with_a_set() -> list[str]:
    found = []
    for name, (place, _) in brokercert.cli.COMMANDS.items():
        module, _, attribute = place.partition(":")
        command: click.Command = getattr(importlib.import_module(module), attribute)
        if any("--set" in param.opts for param in command.params):
            found.append(name)
    return found


NEEDS = {  # what a command needs beside --set, to come to the set at all
    "certify": QUICK,
    "check": QUICK,
    "init": ("--yes", "--start", "sh"),
    "explain": ("LOG-010",),
    "drift": ("page.txt",),
    "judge": ("traces.jsonl",),
}


@pytest.mark.parametrize("command", every_command_with_a_set())
def test_every_command_takes_a_name_by_the_one_function(command: str, say: Say) -> None:
    """It knows which editions there are: nothing that looks for an id does."""
    Path("page.txt").write_text("word")
    Path("traces.jsonl").write_text("")
    words = NEEDS.get(command, ())
    status, told = say(command, "--set", "arrow-orders@1999", *words)
    assert status == ExitCode.USAGE
    if command != "judge":  # it reads the set from the traces, and holds the name against that
        assert "no edition '1999' of arrow-orders; known: arrow-orders@2025, arrow-orders@2026" in told
        assert told.count("did you mean") <= 1


def tools_with_a_set() -> list[str]:
    return [path.name for path in sorted(TOOLS.glob("*.py")) if 'add_argument("--set"' in path.read_text("utf-8")]


@pytest.mark.parametrize("tool", tools_with_a_set())
def test_every_tool_takes_a_name_by_the_one_function(
    tool: str, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    main = runpy.run_path(str(TOOLS / tool))["main"]
    monkeypatch.setattr(sys, "argv", [tool, "--repeat", "1", "--scenario", "nobody", "--set", "arrow-orders@1999"])
    assert main() == 2 and "no edition '1999' of arrow-orders" in capsys.readouterr().err
    for name in NAMES:
        sys.argv[-1] = name
        assert main() == 2 and means_it(capsys.readouterr().err, set_named(name)), name


@pytest.mark.parametrize("name", NAMES)
def test_what_init_writes_means_the_set_that_was_asked_for(name: str, say: Say) -> None:
    rows = set_named(name)
    status, told = say("init", "--yes", "--set", name, "--start", "sh -c 'exit 3'")
    assert status == ExitCode.INCOMPLETE, told
    written = tomllib.loads(Path("brokercert.toml").read_text())["run"]["set"]
    assert set_named(written).id == rows.id
    assert load_config().set_id == rows.name
    status, told = say("check", "--set", name, *QUICK)
    assert status == ExitCode.INCOMPLETE, told


def test_the_command_that_check_tells_next_means_the_set_that_was_asked_for(say: Say) -> None:
    """Of an edition whose id is the bare name; fifteen seconds."""
    name = "arrow-orders@2025"
    status, told = say("check", "--set", name, "--reference")
    assert status == 0 and means_it(told, set_named(name)), told
    (line,) = (line for line in told.splitlines() if line.startswith("Next: "))
    words = shlex.split(line)
    assert words[words.index("--set") + 1] == name


@pytest.mark.parametrize("name", NAMES)
@pytest.mark.parametrize(
    "words",
    [
        ("plan",),
        ("list",),
        ("explain", "{row}"),
        ("explain", "NOT-999"),
        ("matrix", "--mutant", "nobody"),
        ("certify", "--failed", *QUICK),
        ("certify", "--only", "NOT-999", *QUICK),
        ("certify", "--part", "nobody", *QUICK),
    ],
    ids=" ".join,
)
def test_what_a_command_tells_means_the_set_that_was_asked_for(name: str, words: tuple[str, ...], say: Say) -> None:
    rows = set_named(name)
    command, *rest = (word.format(row=rows.rows[0].id) for word in words)
    _, told = say(command, "--set", name, *rest)
    assert means_it(told, rows), told


@pytest.mark.parametrize("name", NAMES)
def test_what_the_door_of_pytest_tells_means_the_set_that_was_asked_for(name: str, folder: Path) -> None:
    rows = set_named(name)
    options = Options(
        set_id=name, by_marker=False, command="sh", config="", out="", waivers="", part=None, only=[], strict=False,
        reference=False, else_reference=False,
    )  # fmt: skip
    told = plan(options, str(folder))
    assert set_named(told["named"]).id == rows.id
    request = request_of(options, str(folder), rows)
    words = shlex.split(request.again.command_line("X"))
    asked = words[words.index("--set") + 1] if "--set" in words else load_config().set_id
    assert set_named(asked).id == rows.id
    for wrong in ({"only": ["NOT-999"]}, {"part": "nobody"}):
        with pytest.raises(UsageError) as raised:
            request_of({**options, **wrong}, str(folder), rows)  # type: ignore[typeddict-item]
        assert means_it(str(raised.value), rows), raised.value
