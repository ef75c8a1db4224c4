"""What was nearly meant, and how it is said."""

from __future__ import annotations

from pathlib import Path

import brokercert.cli
import click
import pytest
from brokercert.cli.options import WithClient
from brokercert.engine.ask.config import load_config
from brokercert.engine.errors import UsageError
from brokercert.near import CLOSE, hint, likeness, near
from brokercert.requirements import load_set
from hypothesis import given, settings
from hypothesis import strategies as st


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("ulr", "url"),
        ("ordre", "order"),
        ("log-010", "LOG-010"),
        ("certfy", "certify"),
        ("cor", "core"),
        ("conect", "connect"),
        ("lgo-010", "LOG-010"),
        ("rest-url", "rest_url"),
        ("TOKEN", "token"),
    ],
)
def test_a_slip_is_close_to_what_was_meant(name: str, meant: str) -> None:
    assert likeness(name, meant) >= CLOSE and near(name, (meant, "something else"), CLOSE) == (meant,)
    assert hint(name, (meant, "something else")) == f"; did you mean {meant}?"


@pytest.mark.parametrize(("name", "known"), [("print", "port"), ("half", "core"), ("x", "y"), ("", "url")])
def test_another_word_is_not(name: str, known: str) -> None:
    assert likeness(name, known) < CLOSE and near(name, (known,), CLOSE) == ()


def test_what_is_as_good_as_equal_stands_alone_and_what_is_equally_near_stands_together() -> None:
    assert near("log-010", ("LOG-020", "LOG-010", "LOG-011")) == ("LOG-010",)
    assert hint("md_toke", ("md_token", "token"), "{{{}}}") == "; did you mean {md_token}?"
    assert hint("rowa", ("rowb", "rowc", "rowd", "rowe")) == "; did you mean rowb, rowc or rowd?"
    assert hint("zzz", ("url", "token")) == "" == hint("zzz", ())


# At the doors: each a sentence, exit 2, and nothing is run.


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (
            ("certfy",),
            "brokercert: no command 'certfy'; did you mean certify? (`brokercert --help` lists what there is)",
        ),
        (("xyzzy",), "brokercert: no command 'xyzzy' (`brokercert --help` lists what there is)"),
        (
            ("certify", "--part", "cor", "--", "sh"),
            "--part: tradovate-stage2 has no part 'cor'; known: core; did you mean core?",
        ),
        (("certify", "--set", "tradovate-stage", "--", "sh"), "did you mean tradovate-stage2?"),
        (
            ("certify", "--only", "log-010", "--", "sh"),
            "--only log-010: no such requirement in tradovate-stage2; did you mean LOG-010?",
        ),
        (
            ("certify", "--only", "XXX-777", "--", "sh"),
            "no such requirement in tradovate-stage2; `brokercert list` shows them",
        ),
        (("certify", "--onyl", "LOG-010"), "brokercert: no such option '--onyl'. Did you mean '--only'?"),
        (("explain", "LGO-010"), "did you mean LOG-010"),
        (
            ("serve", "--web-port", "8902"),
            "--web-port 8902: without --web there is no page; add --web, or leave it out",
        ),
    ],
)
def test_a_near_miss_on_the_command_line_has_a_hint(
    folder: Path, capfd: pytest.CaptureFixture[str], words: tuple[str, ...], said: str
) -> None:
    assert brokercert.cli.main(words) == 2
    out, err = capfd.readouterr()
    assert said in err and err.startswith("brokercert: ") and "Traceback" not in err and out == ""
    assert err.count("did you mean") <= 1
    assert not (folder / "out").exists()


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("[limits]\nconect = 6", "limits.conect is not known; did you mean connect?"),
        ("[limits]\nzzz = 6", "limits.zzz; expected one of "),
        ("[capabilities]\noffers = ['tsl']", "capabilities: 'tsl' is not known; did you mean tls?"),
        ("[readings]\ntoken-lief = '90'", "readings.token-lief is not known; did you mean token-life?"),
        ("[run]\npart = 'cor'", "run.part: tradovate-stage2 has no part 'cor'; known: core; did you mean core?"),
        ("[run]\nprat = 'core'", "run.prat is not known; did you mean part?"),
        ("[rnu]\npart = 'core'", "rnu is not known; did you mean run?"),
        ("[capabilities]\nzzz = 1", "capabilities.zzz is not known; expected one of offers, absent; remove it"),
    ],
)
def test_a_near_miss_in_the_file_has_a_hint(
    folder: Path, capfd: pytest.CaptureFixture[str], text: str, said: str
) -> None:
    (folder / "brokercert.toml").write_text(f"[subject]\ncommand = ['sh']\n{text}\n")
    assert brokercert.cli.main(["certify"]) == 2
    err = capfd.readouterr().err
    assert err.startswith(f"brokercert: {folder}/brokercert.toml") and said in err and err.count("\n") == 1
    assert err.count("did you mean") <= 1


@pytest.mark.parametrize(
    ("line", "said"),
    [
        ("entity_types = ['order', 'ordre']", "subject.entity_types: 'ordre' is no entity type; did you mean order?"),
        ("level = 'wier'", "subject.level = 'wier'; expected one of wire, reports, commands; did you mean wire?"),
        ("comand = ['sh']", "subject.comand is not known; did you mean command?"),
        ("entity_types = ['Orders', 'fill', 'something']", ""),
    ],
)
def test_a_near_miss_in_the_subject_has_a_hint(folder: Path, line: str, said: str) -> None:
    path = folder / "brokercert.toml"
    path.write_text(f"[subject]\nname = 'x'\n{line}\n")
    if not said:
        load_config(path).check(load_set("tradovate-stage2"))
        return
    with pytest.raises(UsageError) as refused:
        load_config(path).check(load_set("tradovate-stage2"))
    assert said in str(refused.value)


@pytest.mark.parametrize("command", ["certify", "check", "fuzz"])
@pytest.mark.parametrize("late", ["--config", "--config=x.toml", "--reference"])
def test_an_option_of_ours_behind_the_client_is_not_given_to_it_in_silence(
    folder: Path, capfd: pytest.CaptureFixture[str], command: str, late: str
) -> None:
    assert brokercert.cli.main([command, "no-such-client", "a.py", late, "x"]) == 2
    assert capfd.readouterr().err == (
        f"brokercert: {late} stands behind the client's command, so that the client would get it; if brokercert is "
        "meant, put it before no-such-client, else put `--` before no-such-client "
        f"(`brokercert {command} --help` lists what there is)\n"
    )
    assert brokercert.cli.main([command, "--", "no-such-client", "a.py", late, "x"]) == 2
    assert "'no-such-client' was not found on PATH" in capfd.readouterr().err
    assert brokercert.cli.main([command, "no-such-client", "--own", "x"]) == 2
    assert "'no-such-client' was not found on PATH" in capfd.readouterr().err


def test_every_command_that_takes_a_client_looks_for_options_behind_it() -> None:
    context = click.Context(brokercert.cli.cli)
    for name in brokercert.cli.COMMANDS:
        command = brokercert.cli.cli.get_command(context, name)
        assert command is not None
        if "command" in {parameter.name for parameter in command.params}:
            assert isinstance(command, WithClient), name


def with_client() -> list[str]:
    context = click.Context(brokercert.cli.cli)
    commands = ((name, brokercert.cli.cli.get_command(context, name)) for name in brokercert.cli.COMMANDS)
    return [name for name, command in commands if isinstance(command, WithClient)]


WORDS = st.lists(
    st.sampled_from(["--", "--config", "--config=x", "--reference", "--set", "-h", "--help", "-", "", "x", "a.py"])
    | st.text("-ab =", max_size=5),
    max_size=6,
)


@pytest.mark.parametrize("name", with_client())
@settings(deadline=None)
@given(words=WORDS, before=st.permutations([("--config", "a.toml"), ("--reference",)]), value=st.booleans())
def test_all_behind_the_first_two_dashes_is_the_clients_whatever_it_is(
    name: str, words: list[str], before: list[tuple[str, ...]], value: bool
) -> None:
    command = brokercert.cli.cli.get_command(click.Context(brokercert.cli.cli), name)
    assert command is not None
    ours = [word for option in before for word in option]
    if value:  # an option may take two dashes for its value: they end nothing
        ours[ours.index("a.toml")] = "--"
    places = [__file__] if name == "replay" else []
    for typed in ([*ours, *places], [*places, *ours]):
        told = command.make_context(name, [*typed, "--", *words]).params
        assert told["command"] == tuple(words) and told["reference"]
        assert told["config_path"] == Path("--" if value else "a.toml")


def test_the_client_of_a_replay_may_have_options_that_are_called_as_ours(
    folder: Path, find: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    assert brokercert.cli.main(["replay", str(find), "--", "no-such-client", "--config", "x"]) == 2
    assert "'no-such-client' was not found on PATH" in capfd.readouterr().err
    assert brokercert.cli.main(["replay", "--", str(find), "no-such-client"]) == 2
    assert "missing argument 'FIND'" in capfd.readouterr().err
