"""brokercert.toml: what it may say, what outranks it, and that every error names file, field and expectation."""

from __future__ import annotations

import sys
from dataclasses import fields
from pathlib import Path

import pytest
from brokercert.engine.ask.config import Config, load_config
from brokercert.engine.ask.fields import FIELDS
from brokercert.engine.ask.variables import VARIABLES
from brokercert.engine.ask.whom import REFERENCE
from brokercert.engine.errors import UsageError
from brokercert.requirements import load_set

ROWS = load_set("tradovate-stage2")

FULL = """
[subject]
name = "mine"
command = ["node", "client.mjs", "{url}"]
cwd = "app"
level = "reports"
stop = "command"
instances = 3
entity_types = ["order", "fills"]
inherit_env = ["ACME_*", "STAGE"]
[subject.env]
LOG = "debug"
[capabilities]
offers = ["tokens"]
[capabilities.absent]
orders = "it only watches"
[readings]
token-life = "90"
[run]
set = "tradovate-stage2"
part = "core"
strict = true
jobs = 2
seed = 9
out = "results"
[limits]
connect = 6
"""


def write(folder: Path, text: str, name: str = "brokercert.toml") -> Path:
    (folder / "app").mkdir(exist_ok=True)
    path = folder / name
    path.write_text(text)
    return path


def test_all_that_a_file_may_say(tmp_path: Path) -> None:
    config = load_config(write(tmp_path, FULL), environ={})
    spec = config.subject(ROWS)
    assert spec.name == "mine" and spec.command == ("node", "client.mjs", "{url}") and spec.cwd == tmp_path / "app"
    assert spec.offers == {"wire", "stop", "process", "report", "tokens"} and spec.env == {"LOG": "debug"}
    assert spec.inherit_env == ("ACME_*", "STAGE")
    assert spec.absent == {"orders": "it only watches"} and spec.readings == {"token-life": "90"}
    assert (spec.level, spec.stop, spec.instances) == ("reports", "command", 3)
    assert spec.entity_types == ("order", "fills")
    assert (config.part, config.strict, config.jobs, config.seed) == ("core", True, 2, 9)
    assert config.out == tmp_path / "results" and config.limits == {"connect": 6.0}


def test_a_byte_order_mark_is_no_part_of_a_file(tmp_path: Path) -> None:
    path = write(tmp_path, "\ufeff" + FULL)
    assert path.read_bytes().startswith(b"\xef\xbb\xbf") and load_config(path, environ={}).path == path


def test_brackets_without_end_are_no_toml(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match="expected TOML"):
        load_config(write(tmp_path, "x=" + 3_000 * "["), environ={})


def test_a_table_of_pyproject_serves_as_well_and_the_nearest_file_is_found(tmp_path: Path) -> None:
    write(tmp_path, "[tool.brokercert.subject]\ncommand = \"node x.mjs --a 'b c'\"\n", "pyproject.toml")
    config = load_config(environ={}, start=tmp_path / "app")
    assert config.path == tmp_path / "pyproject.toml" and config.command == ("node", "x.mjs", "--a", "b c")
    assert config.subject(ROWS).name == "x.mjs"
    (tmp_path / "app" / ".git").mkdir()
    assert load_config(environ={}, start=tmp_path / "app").path is None, "another project is not ours to ask"


def test_the_reference_client_is_meant_only_where_it_is_asked_for() -> None:
    with pytest.raises(UsageError, match="no client is named"):
        Config().subject(ROWS)
    spec = Config().subject(ROWS, reference=True)
    assert (
        spec.reference
        and spec.name == REFERENCE
        and spec.command == (sys.executable, "-P", "-m", "brokercert.reference.tradovate")
    )


@pytest.mark.parametrize(
    ("command", "name"),
    [
        (("env", "TOKEN=secret", "python3", "bot.py"), "bot.py"),
        (("/usr/bin/env", "-i", "PAUSE=1", "A=2", "node", "bot.mjs"), "bot.mjs"),
        (("env", "-u", "HOME", "--chdir", "/srv", "./bot", "--fast"), "bot"),
        (("env", "python3", "-c", "print()"), "python3 -c"),
        (("env",), "env"),
        (("python3", "A=1.py"), "A=1.py"),
    ],
)
def test_a_client_behind_env_has_its_own_name(command: tuple[str, ...], name: str) -> None:
    assert Config().subject(ROWS, command).name == name


def test_flags_outrank_variables_and_those_the_file(tmp_path: Path) -> None:
    path = write(tmp_path, FULL)
    environ = {"BROKERCERT_SEED": "5", "BROKERCERT_COMMAND": "python c.py", "BROKERCERT_STRICT": "0"}
    config = load_config(path, environ=environ)
    assert config.seed == 5 and config.jobs == 2 and not config.strict
    assert config.subject(ROWS).command == ("python", "c.py")
    assert config.subject(ROWS, ("go", "run")).command == ("go", "run")
    assert config.subject(ROWS, ("go", "run")).cwd == Path.cwd()


def test_a_client_that_cannot_be_stopped_does_not_offer_it(tmp_path: Path) -> None:
    path = write(tmp_path, '[subject]\ncommand = ["x"]\nstop = "none"\n')
    assert "stop" not in load_config(path, environ={}).subject(ROWS).offers


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[subjct]", r"subjct is not known; did you mean subject\?"),
        ("[subject]\ncomand = 'x'", "subject.comand is not known"),
        ("subject = 3", r"subject = 3; expected a table"),
        ("[subject]\ncommand = []", r"subject.command = \[\]; expected a program"),
        ("[subject]\ncommand = 'a \"b'", "No closing quotation"),
        ("[subject]\ncommand = ['']", "subject.command = a list; expected a list of texts, none of them empty"),
        ('[subject]\nname = "bot\\nother: certified"', r"subject.name = 'bot\\nother: certified'; expected one line"),
        ('[subject]\nname = "\\u001b[2J"', r"subject.name = '\\x1b\[2J'; expected one line of printable"),
        ("[subject]\ncwd = 'nowhere'", "subject.cwd = 'nowhere'; expected an existing folder"),
        ("[subject]\nlevel = 'loud'", "subject.level = 'loud'; expected one of wire, reports, commands"),
        ("[subject]\ninstances = 0", "subject.instances = 0; expected a whole number from 1 to 40"),
        ("subject = ['a', 3]", "subject = a list; expected a table"),
        ("[subject.env]\nPORT = 3", 'subject.env.PORT = 3; expected a text: write "3"$'),
        ("[subject.env]\nDEBUG = true", "subject.env.DEBUG = True; expected a text, in quotes$"),
        ("[subject]\ninherit_env = ['A B']", "subject.inherit_env = 'A B'; expected the name of a variable, or its"),
        ("[subject]\ninherit_env = ['*A']", r"subject.inherit_env = '\*A'; expected the name of a variable, or its"),
        ("[subject]\ninherit_env = 'A'", "subject.inherit_env = 'A'; expected a list of texts"),
        ("[subject]\nenv = 'A=1'", r"subject.env = 'A=1'; expected a table of texts, \[subject.env\]"),
        ("[readings]\ntoken-life = 90", 'readings.token-life = 90; expected a text: write "90"$'),
        ("[run]\nstrict = 1", "run.strict = 1; expected true or false"),
        ("[run]\nseed = -1", "run.seed = -1; expected a whole number"),
        ("[limits]\nconnect = 0", "limits.connect = 0; expected a positive number"),
        ("[limits]\nconect = 5", r"limits.conect is not known; did you mean connect\?"),
        ("[capabilities]\noffers = ['flying']", "'flying'; expected one of .*wire"),
        ("[capabilities.absent]\ntokens = ' '", "capabilities.absent.tokens = ' '; expected the reason"),
        ("[capabilities.absent]\nreconnect = 'no'", "capabilities: 'reconnect'|absent.reconnect; expected none of"),
        ("[capabilities.absent]\nwire = 'no'", "absent.wire; expected none of"),
        ("[capabilities]\noffers = ['tokens']\n[capabilities.absent]\ntokens = 'no'", "not offered as well"),
        ("[readings]\nheart = 'x'", r"readings.heart is not known; did you mean heartbeat\?"),
        ("[readings]\ntoken-life = '70'", "readings.token-life = '70'; expected '80' or '90'"),
        ("[run]\npart = 'half'", "run.part = 'half'; expected one of core"),
        ("[run\n", "expected TOML"),
    ],
)
def test_every_error_names_file_and_field(tmp_path: Path, text: str, said: str) -> None:
    path = write(tmp_path, text)
    with pytest.raises(UsageError, match=said) as caught:
        load_config(path, environ={}).subject(ROWS, ("x",))
    assert str(caught.value).startswith(str(path))


SECRET = "hunter2"


@pytest.mark.parametrize(
    "text",
    [
        f"[subject.env]\nPASSWORD = '{SECRET}'\nPORT = 3",
        "[subject.env]\nPIN = 12342",
        f"[subject.env]\nTOKENS = ['{SECRET}']",
        f"[subject.env.LOGIN]\npassword = '{SECRET}'",
        f"[subject]\nenv = [{{ PASSWORD = '{SECRET}' }}]",
        f"[subject]\ncommand = ['bot', '--password', '{SECRET}', 3]",
        f"[subject]\ncommand = {{ PASSWORD = '{SECRET}' }}",
        f'[subject]\ncommand = "bot --password {SECRET} \'open"',
        f"[subject]\nlevel = ['{SECRET}']",
        f"subject = [{{ env = {{ PASSWORD = '{SECRET}' }} }}]",
        f"[run]\nseed = {{ key = '{SECRET}' }}",
        f"[readings]\ntoken-life = ['{SECRET}']",
        f"[limits]\nconnect = {{ a = '{SECRET}' }}",
        f"[capabilities]\noffers = ['{SECRET}', 3]",
    ],
)
def test_no_error_tells_what_stands_beside_or_inside_the_wrong_field(tmp_path: Path, text: str) -> None:
    """Such errors end in the logs of continuous integration, and tables of variables hold passwords."""
    with pytest.raises(UsageError) as caught:
        load_config(write(tmp_path, text), environ={})
    assert SECRET not in str(caught.value) and "12342" not in str(caught.value)


def test_neither_does_one_of_the_command_in_the_environment() -> None:
    with pytest.raises(UsageError, match="environment: BROKERCERT_COMMAND: No closing") as caught:
        load_config(environ={"BROKERCERT_COMMAND": f"bot --password {SECRET} '"}, start=Path("/"))
    assert SECRET not in str(caught.value)


@pytest.mark.parametrize(
    ("name", "value"), [("JOBS", "0"), ("JOBS", "many"), ("SEED", "-1"), ("STRICT", "yes"), ("COMMAND", "'")]
)
def test_variables_are_checked_as_well(name: str, value: str) -> None:
    with pytest.raises(UsageError, match=f"environment: BROKERCERT_{name}"):
        load_config(environ={f"BROKERCERT_{name}": value}, start=Path("/"))


@pytest.mark.parametrize("name", ROWS.never_absent)
def test_what_the_set_is_about_cannot_be_declared_absent(tmp_path: Path, name: str) -> None:
    path = write(tmp_path, f"[capabilities.absent]\n{name} = 'we never do'")
    with pytest.raises(UsageError, match=rf"absent\.{name}; expected none of wire, reconnect"):
        load_config(path, environ={}).subject(ROWS, ("x",))


def test_a_file_that_is_not_there_is_an_error(tmp_path: Path) -> None:
    with pytest.raises(UsageError, match=r"^--config .*none\.toml: no such file; expected a brokercert.toml"):
        load_config(tmp_path / "none.toml", environ={})
    there = write(tmp_path, FULL)
    with pytest.raises(UsageError, match=r"^environment: BROKERCERT_CONFIG = none\.toml: no such file") as caught:
        load_config(environ={"BROKERCERT_CONFIG": "none.toml"}, start=tmp_path)
    assert str(caught.value).endswith(f"the nearest one is {there}")


@pytest.mark.parametrize("name", FIELDS)
def test_every_field_names_itself_where_its_value_is_of_a_wrong_kind(tmp_path: Path, name: str) -> None:
    table, dot, key = name.rpartition(".")
    path = write(tmp_path, (f"[{table}]\n" if dot else "") + f"{key} = 1979-05-27")
    with pytest.raises(UsageError) as caught:
        load_config(path, environ={})
    assert str(caught.value).startswith(f"{path}: {name} = datetime.date(1979, 5, 27); expected ")


def test_every_field_and_every_variable_has_its_place_in_the_configuration() -> None:
    known = {one.name for one in fields(Config)}
    filed = [field for field, _ in FIELDS.values()]
    assert len(set(filed)) == len(filed) and set(filed) < known
    assert {field for field, _ in VARIABLES.values()} < set(filed)
