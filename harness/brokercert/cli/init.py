"""`brokercert init`: a brokercert.toml for the client in this folder, and a first look at it."""

from __future__ import annotations

import sys
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from brokercert.cli.outlet import say
from brokercert.sets import default_set

if TYPE_CHECKING:
    from brokercert.engine.init.detect import Found

FILE = "brokercert.toml"


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--yes", is_flag=True, help="Ask nothing: take what was guessed and what options say.")
@click.option("--set", "set_name", metavar="SET", help=f"Requirement set (default: {default_set()}).")
@click.option("--start", "start_by", metavar="COMMAND", help="How the client is started, as in `--start 'npm start'`.")
@click.option("--url-variable", metavar="NAME", help="The variable in which it reads the WebSocket address.")
@click.option("--token-variable", metavar="NAME", help="The variable in which it reads its access token.")
@click.option("--library", metavar="NAME", help="It is a library of this name: write a driver that starts it.")
@click.option("--force", is_flag=True, help="Replace files that are there.")
def init(
    yes: bool,
    set_name: str | None,
    start_by: str | None,
    url_variable: str | None,
    token_variable: str | None,
    library: str | None,
    force: bool,
) -> int:
    """Look at this folder, write a commented brokercert.toml, start the client once, and say what came.

    It asks five questions at most, and none with --yes. Nothing that is there is overwritten without --force. For a
    library in Python or Node it writes a driver of some twenty lines.

    Exit 0: the client got a WebSocket; 4: it did not.
    """

    from brokercert.cli.check import NOTHING_CAME, report
    from brokercert.engine.ask.config import Config, load_config
    from brokercert.engine.ask.options import again, client_asked, set_asked
    from brokercert.engine.errors import UsageError
    from brokercert.engine.init.detect import detect
    from brokercert.engine.init.write import Answers, config_text, refuse_overwriting, refuse_variable, write_file
    from brokercert.engine.look.once import look
    from brokercert.engine.look.words import came
    from brokercert.engine.loops import run_loop
    from brokercert.engine.run.folder import check_folder

    folder = Path.cwd()
    path = folder / FILE
    refuse_overwriting(path, force)
    check_folder(folder, "brokercert init")
    found = detect(folder)
    told = f"a client in {found.language} ({found.file})" if found.language else "no project that I know"
    say(f"In {folder}: {told}.")
    ask = _Ask(yes or not sys.stdin.isatty())
    rows = set_asked(Config(), ask("Requirement set", set_name, default_set()), "--set")
    if library:
        found = replace(found, command=(), library=library, language=found.language or "Python")
    command = _command(found, ask, start_by, force)
    env = dict(found.env)
    asked: dict[str, str] = {}
    for question, typed, placeholder in (
        ("Variable with the WebSocket address", url_variable, "url"),
        ("Variable with the access token", token_variable, "token"),
    ):
        guess = next((name for name, one in env.items() if one == placeholder), f"BROKERCERT_{placeholder.upper()}")
        name = ask(question, typed, guess)
        refuse_variable(name, f"--{placeholder}-variable")
        if name in asked:
            raise UsageError(f"{name}: the variable of the address and of the token; expected two variables")
        asked[name] = placeholder
    env |= {name: one for name, one in asked.items() if not name.startswith("BROKERCERT_")}
    answers = Answers(found.name or folder.name, command, found.language, env)
    write_file(path, config_text(answers, rows), force)
    say(f"Wrote {path}. Read it: it holds guesses.")
    config = load_config(path)
    spec = client_asked(config, rows)
    say(f"{spec.name}: one start, 20 s at most, no verdict", err=True)
    seen = run_loop(look(spec, rows), lambda: "ending the client")
    next_time = again(config, rows, part=config.part, strict=config.strict, seed=config.seed)
    report(seen, spec, rows, next_time)
    return 0 if came(seen) else NOTHING_CAME


class _Ask:
    """Asks what no option said. `silent`: takes what was guessed."""

    def __init__(self, silent: bool) -> None:
        self._silent = silent

    def __call__(self, question: str, typed: str | None, guess: str) -> str:
        if typed is not None or self._silent:
            return guess if typed is None else typed
        answer: str = click.prompt(question, default=guess)
        return answer


def _command(found: Found, ask: _Ask, start_by: str | None, force: bool) -> tuple[str, ...]:
    """How it is started: as was said or guessed, or by a driver that is written. Raises `UsageError`."""
    import shlex

    from brokercert.engine.ask.fields import split_command
    from brokercert.engine.errors import UsageError
    from brokercert.engine.init.write import driver_of, write_file

    if found.library and start_by is None:
        driver = driver_of(found.language, found.library)
        if driver is None:
            raise UsageError(
                f"{found.library} is a library in {found.language}, and I write drivers in Python and Node only: write "
                "a program that connects, logs in, and leaves at SIGTERM, and name it by --start"
            )
        name, text, command = driver
        write_file(Path(name), text, force)
        say(f"Wrote {name}, which starts the library {found.library}: correct its three marked lines.")
        return command
    typed = ask("How it is started", start_by, shlex.join(found.command))
    if not typed.strip():
        raise UsageError("how the client is started was not found here; name it as in --start 'node client.mjs'")
    return split_command(typed, "--start")
