"""Nobody named a client: nothing is run at any door. What was looked for, what is near, and what to do is said.

The kind is a verdict that does not say whom it is of. It is held for every command that takes a client, by their own
parameters, so that a new one cannot forget it.
"""

from __future__ import annotations

import runpy
import shutil
from pathlib import Path

import brokercert.cli
import click
import pytest
from brokercert.engine.ask.config import load_config
from brokercert.engine.ask.options import client_asked
from brokercert.engine.ask.whom import CERTIFY, PYTEST, REFERENCE
from brokercert.engine.errors import UsageError
from brokercert.requirements import load_set
from brokercert.verdict import ExitCode

ROOT = Path(__file__).parents[2]
ROWS = load_set("tradovate-stage2")
COMMAND = "[subject]\ncommand = ['sh']\n"


def takes_a_client() -> list[str]:
    """The commands that run somebody's client."""
    context = click.Context(brokercert.cli.cli)
    found = []
    for name in brokercert.cli.COMMANDS:
        one = brokercert.cli.cli.get_command(context, name)
        assert one is not None
        found += [name] if {"command", "client"} & {parameter.name for parameter in one.params} else []
    return found


def test_these_are_all() -> None:
    assert takes_a_client() == ["certify", "check", "fuzz", "simulate", "replay"]


@pytest.mark.parametrize("name", takes_a_client())
def test_no_command_picks_a_client_in_silence(
    name: str, folder: Path, find: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    shutil.copy(find, folder / "find.json")
    before = sorted(folder.iterdir())
    arguments = [name, *(["find.json"] if name == "replay" else [])]
    assert brokercert.cli.main(arguments) == ExitCode.USAGE
    out, err = capfd.readouterr()
    assert "brokercert's" not in out and "no client is named" in err and "reference" in err, err
    assert sorted(folder.iterdir()) == before, "nothing was run"


@pytest.mark.parametrize(
    ("files", "environ", "near"),
    [
        ({}, {}, ""),
        ({"brokercert.tml": COMMAND}, {}, "{folder}/brokercert.tml; expected the name brokercert.toml"),
        ({"BrokerCert.toml": COMMAND}, {}, "{folder}/BrokerCert.toml; expected the name brokercert.toml"),
        ({"brokercert.toml.txt": COMMAND}, {}, "{folder}/brokercert.toml.txt; expected"),
        ({"brokercert.yaml": "x: 1"}, {}, "{folder}/brokercert.yaml; expected"),
        ({"bot/brokercert.toml": COMMAND}, {}, "{folder}/bot/brokercert.toml, one folder further down"),
        ({"pyproject.toml": "[brokercert.subject]\n"}, {}, "[brokercert]; expected [tool.brokercert]"),
        ({"pyproject.toml": "[tool.brokercrt]\n"}, {}, "[tool.brokercrt]; expected [tool.brokercert]"),
        ({}, {"BROKERCERT_COMAND": "hunter2"}, "the variable BROKERCERT_COMAND; expected BROKERCERT_COMMAND"),
        ({}, {"BROKERCERT_CMD": "hunter2"}, "the variable BROKERCERT_CMD; expected BROKERCERT_COMMAND"),
        ({}, {"BROKERCERT_COMMAND": ""}, "the variable BROKERCERT_COMMAND is set, and empty"),
        ({"broker.py": "", "README.md": "", "pyproject.toml": "[tool.ruff]\n"}, {"BROKERCERT_SEED": "2"}, ""),
    ],
)
def test_what_was_nearly_meant_is_named(
    folder: Path, monkeypatch: pytest.MonkeyPatch, files: dict[str, str], environ: dict[str, str], near: str
) -> None:
    for name, text in files.items():
        (folder / name).parent.mkdir(exist_ok=True)
        (folder / name).write_text(text)
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    with pytest.raises(UsageError) as caught:
        client_asked(load_config(), ROWS)
    lines = str(caught.value).split("\n  ")
    assert [line.partition(":")[0] for line in lines[1:]] == ["looked for", *["near misses"] * bool(near), "what to do"]
    assert near.format(folder=folder) in lines[2] and "hunter2" not in str(caught.value)
    assert f"in {folder} (none)" in lines[1] and CERTIFY.reference in lines[-1]
    assert client_asked(load_config(), ROWS, else_reference=True).name == REFERENCE, "where a setting asks for it"


def test_a_file_without_a_command_is_named_and_each_door_has_its_own_words(folder: Path) -> None:
    (folder / "brokercert.toml").write_text("[run]\npart = 'core'\n")
    with pytest.raises(UsageError) as caught:
        client_asked(load_config(), ROWS, door=PYTEST)
    said = str(caught.value)
    assert f"subject.command in {folder}/brokercert.toml (not there)" in said
    assert "--brokercert-command" in said and "`--brokercert-reference`" in said and "`--reference`" not in said


def test_the_reference_client_beside_a_command_is_a_contradiction_and_outranks_a_file(folder: Path) -> None:
    (folder / "brokercert.toml").write_text(COMMAND)
    with pytest.raises(UsageError, match="expected one of both"):
        client_asked(load_config(), ROWS, ("sh",), reference=True)
    assert client_asked(load_config(), ROWS, reference=True).reference
    assert client_asked(load_config(), ROWS, else_reference=True).command == ("sh",), "a setting is for where none is"


@pytest.mark.parametrize("environ", [{}, {"BROKERCERT_COMMAND": "sh"}, {"BROKERCERT_COMMAND": ""}])
@pytest.mark.parametrize(
    "files",
    [
        {},
        {"brokercert.tml": COMMAND},
        {"brokercert.toml": COMMAND},
        {"brokercert.toml": "[run]\nseed = 2\n"},
        {"pyproject.toml": "[tool.brokercert.subject]\ncommand = 'sh'\n"},
        {"pyproject.toml": "[tool.brokercert.run]\nseed = 2\n"},
        {"pyproject.toml": "[project]\n", "../brokercert.toml": COMMAND},
        {".git": "", "../brokercert.toml": COMMAND},
    ],
    ids=lambda files: " ".join(files) or "nothing",
)
def test_dev_py_asks_for_the_reference_client_just_where_brokercert_would_find_none(
    folder: Path, monkeypatch: pytest.MonkeyPatch, files: dict[str, str], environ: dict[str, str]
) -> None:
    inner = folder / "inner"
    inner.mkdir()
    monkeypatch.chdir(inner)
    for name, text in files.items():
        (inner / name).write_text(text)
    for name, value in environ.items():
        monkeypatch.setenv(name, value)
    tool = runpy.run_path(str(ROOT / "dev.py"))
    try:
        client_asked(load_config(), ROWS)
    except UsageError:
        named = False
    else:
        named = True
    assert tool["names_a_client"](["--part", "core"]) is named
    assert tool["with_client"](["--part", "core"]) == [*["--reference"] * (not named), "--part", "core"]


@pytest.mark.parametrize("words", [["--", "sh"], ["--reference"], ["--config", "x.toml"], ["--config=x.toml"], ["--"]])
def test_and_adds_nothing_where_the_command_line_names_one(folder: Path, words: list[str]) -> None:
    assert runpy.run_path(str(ROOT / "dev.py"))["with_client"](words) == words


def test_each_line_of_ci_names_its_client() -> None:
    text = (ROOT / ".ci" / "run").read_text().replace("\\\n", " ")
    lines = [line for line in text.splitlines() if not line.lstrip().startswith("#")]
    of_certify = (" certify ", " short_run ")  # a function, whose words are those of `certify`
    runs = [line for line in lines if any(word in line for word in (*of_certify, "-m stage2", " simulate "))]
    assert len(runs) >= 7
    for line in runs:
        if "certify_" in line or line.lstrip().startswith('section "certify') or '--out "$OUT" "$@"' in line:
            continue  # functions, whose lines are among these
        assert any(word in line for word in ("-reference", "--client ", "--config ", " -- ")), line
