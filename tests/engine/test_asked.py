"""Who said what cannot be, and the command that asks for the same again: it must never mean another client."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path

import pytest
from brokercert.engine.ask.config import Config, load_config
from brokercert.engine.ask.options import Again, again, client_asked, part_asked, set_asked
from brokercert.engine.errors import UsageError
from brokercert.requirements import load_set

SET = "tradovate-stage2"
ROWS = load_set(SET)


def asked(config: Config, *, part: str = "", strict: bool = False, seed: int = 1, typed: tuple[str, ...] = ()) -> str:
    one = again(config, ROWS, part=part or config.part, strict=strict, seed=seed, typed=typed)
    return one.command_line("LOG-010")


def file_of(folder: Path, text: str, name: str = "brokercert.toml") -> Path:
    path = folder / name
    path.write_text(text)
    return path


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("brokercert.toml", f"[subject]\ncommand = ['{sys.executable}', 'bot.py']\n"),
        ("pyproject.toml", f"[tool.brokercert.subject]\ncommand = ['{sys.executable}', 'bot.py']\n"),
        ("brokercert.toml", "[limits]\nconnect = 6\n"),  # the reference client, held to another limit
    ],
)
def test_a_file_that_was_found_is_named_so_that_it_is_found_from_anywhere(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, text: str
) -> None:
    path = file_of(tmp_path, text, name)
    config = load_config(environ={}, start=tmp_path)
    words = shlex.split(asked(config))
    assert words == ["brokercert", "certify", "--config", str(path), "--only", "LOG-010"]
    elsewhere = tmp_path / "elsewhere"
    elsewhere.mkdir()
    monkeypatch.chdir(elsewhere)
    same = load_config(Path(words[words.index("--config") + 1]), environ={})
    ours = not config.command
    assert same.subject(ROWS, reference=ours) == config.subject(ROWS, reference=ours) and same.limits == config.limits


def test_a_file_named_by_a_path_from_here_is_named_from_the_root(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = file_of(tmp_path, "[subject]\ncommand = ['bot']\n", "mine.toml")
    monkeypatch.chdir(tmp_path)
    for config in (
        load_config(Path("mine.toml"), environ={}),
        load_config(environ={"BROKERCERT_CONFIG": "mine.toml"}),
    ):
        assert f"--config {path}" in asked(config)


def test_a_client_of_the_environment_stands_after_the_dashes(tmp_path: Path) -> None:
    config = load_config(environ={"BROKERCERT_COMMAND": "node 'my client.mjs' {url}"}, start=tmp_path)
    assert asked(config) == "brokercert certify --only LOG-010 -- node 'my client.mjs' '{url}'"
    path = file_of(tmp_path, "[subject]\ncommand = ['bot']\nlevel = 'commands'\n")
    both = load_config(environ={"BROKERCERT_COMMAND": "node client.mjs"}, start=tmp_path)
    assert asked(both) == f"brokercert certify --config {path} --only LOG-010 -- node client.mjs"
    assert asked(both, typed=("go", "run")).endswith(" -- go run"), "what was typed outranks it"


def test_nothing_else_of_the_environment_or_the_file_is_told(tmp_path: Path) -> None:
    file_of(tmp_path, "[subject]\ncommand = ['bot', '--password', 'hunter2']\n[subject.env]\nPASSWORD = 'hunter2'\n")
    environ = {"BROKERCERT_PASSWORD": "hunter2", "BROKERCERT_SEED": "7", "TOKEN": "hunter2"}
    config = load_config(environ=environ, start=tmp_path)
    assert "hunter2" not in asked(config, seed=config.seed)


def test_the_reference_client_is_asked_for_again_and_no_other_beside_it(tmp_path: Path) -> None:
    file_of(tmp_path, "[subject]\ncommand = ['bot']\n")
    for environ in ({}, {"BROKERCERT_COMMAND": "node client.mjs"}):
        config = load_config(environ=environ, start=tmp_path)
        line = again(config, ROWS, part="", strict=False, seed=1, reference=True).command_line("LOG-010")
        assert line == f"brokercert certify --config {tmp_path / 'brokercert.toml'} --reference --only LOG-010"
    assert Again().command_line() == "brokercert certify"


def test_what_a_variable_or_an_option_says_against_the_file_is_told_and_what_the_file_says_is_not(
    tmp_path: Path,
) -> None:
    file_of(tmp_path, "[run]\nset = 'arrow-orders'\nseed = 3\nstrict = true\n")
    config = load_config(environ={"BROKERCERT_PART": "core"}, start=tmp_path)
    line = asked(config, strict=True, seed=3)
    assert "--set tradovate-stage2 --part core --config" in line and "--seed" not in line and "strict" not in line
    assert "--no-strict --seed 4" in asked(config, strict=False, seed=4)
    hidden = load_config(environ={"BROKERCERT_SEED": "5"}, start=Path("/"))
    assert "--seed 1" in asked(hidden, seed=1), "else the variable would be heard, where it is still set"


def test_braces_of_a_client_are_its_own() -> None:
    line = Again(client=("bot", "{url}", "{id}", '{"a": 1}')).command_line("LOG-010")
    assert shlex.split(line)[5:] == ["bot", "{url}", "{id}", '{"a": 1}']


@pytest.mark.parametrize(
    ("text", "environ", "said"),
    [
        ("[run]\nset = 'foo'", {}, "{path}: run.set: no requirement set 'foo'; known: arrow-orders, tradovate-stage2"),
        ("", {"BROKERCERT_SET": "x"}, "environment: BROKERCERT_SET: no requirement set 'x'; known: arrow-orders, "),
        (
            "[run]\npart = 'half'",
            {},
            "{path}: run.part: tradovate-stage2 has no part 'half'; known: core; leave it out",
        ),
        (
            "",
            {"BROKERCERT_PART": "half"},
            "environment: BROKERCERT_PART: tradovate-stage2 has no part 'half'; known: core",
        ),
        (
            "[subject]\ncommand = ['no-such-client']",
            {},
            "{path}: subject.command: the client's command 'no-such-client' was not found on PATH",
        ),
        (
            "[subject]\ncommand = 'x'",
            {"BROKERCERT_COMMAND": "./bot.sh"},
            "environment: BROKERCERT_COMMAND: the client's command './bot.sh' does not exist",
        ),
    ],
)
def test_what_cannot_be_is_said_with_the_place_where_it_stands(
    tmp_path: Path, text: str, environ: dict[str, str], said: str
) -> None:
    path = file_of(tmp_path, text)
    config = load_config(environ=environ, start=tmp_path)
    with pytest.raises(UsageError) as caught:
        rows = set_asked(config, None, "--set")
        part_asked(config, rows, None, "--part")
        client_asked(config, rows)
    assert str(caught.value).startswith(said.format(path=path))


@pytest.mark.parametrize(
    ("set_id", "part", "client", "said"),
    [
        ("foo", None, (), "--set: no requirement set 'foo'"),
        (None, "half", (), "--part: tradovate-stage2 has no part 'half'"),
        (None, None, ("no-such-client",), "the client's command 'no-such-client' was not found on PATH"),
    ],
)
def test_and_with_the_option_where_one_was_typed(
    set_id: str | None, part: str | None, client: tuple[str, ...], said: str
) -> None:
    config = load_config(environ={"BROKERCERT_SET": SET, "BROKERCERT_PART": "core"}, start=Path("/"))
    with pytest.raises(UsageError) as caught:
        rows = set_asked(config, set_id, "--set")
        part_asked(config, rows, part, "--part")
        client_asked(config, rows, client)
    assert str(caught.value).startswith(said)
