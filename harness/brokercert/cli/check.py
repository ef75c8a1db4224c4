"""`brokercert check [options] [-- COMMAND ...]`: one start of a client, in words."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from brokercert.cli.options import CONFIG, REFERENCE, WithClient
from brokercert.cli.outlet import say

if TYPE_CHECKING:
    from brokercert.engine.ask.options import Again
    from brokercert.engine.client.subject import SubjectSpec
    from brokercert.engine.look.once import Seen
    from brokercert.requirements import RequirementSet

NOTHING_CAME = 4  # brokercert.verdict.ExitCode.INCOMPLETE: something was not shown; of a client nothing is said
SHOWN = 8  # rows that are named of those that a line would add


@click.command(
    cls=WithClient, context_settings={"allow_interspersed_args": False, "help_option_names": ["-h", "--help"]}
)
@click.option("--set", "set_name", metavar="SET", help="Requirement set (default: as for certify).")
@CONFIG
@REFERENCE
@click.argument("command", nargs=-1, type=click.UNPROCESSED)
def check(set_name: str | None, config_path: Path | None, reference: bool, command: tuple[str, ...]) -> int:
    """Start a client once against the mock broker, for 20 s at most, and say in words what came.

    There is no verdict. It also says which rows can be asked of the client, and what each line of brokercert.toml would
    add. COMMAND is as for certify. Exit 0: the client got a WebSocket; 4: it did not.
    """
    from brokercert.engine.ask.config import load_config
    from brokercert.engine.ask.options import again, client_asked, set_asked
    from brokercert.engine.ask.whom import CHECK
    from brokercert.engine.look.once import look
    from brokercert.engine.look.words import came
    from brokercert.engine.loops import run_loop

    config = load_config(config_path)
    rows = set_asked(config, set_name, "--set")
    spec = client_asked(config, rows, command, reference=reference, door=CHECK)
    say(f"{spec.name}: one start, 20 s at most, no verdict", err=True)
    seen = run_loop(look(spec, rows), lambda: "ending the client")
    next_time = again(
        config, rows, part="", strict=config.strict, seed=config.seed, typed=command,
        reference=spec.reference,
    )  # fmt: skip
    report(seen, spec, rows, next_time)
    return 0 if came(seen) else NOTHING_CAME


def report(seen: Seen, spec: SubjectSpec, rows: RequirementSet, again: Again) -> None:
    """Print what was seen, what can be asked, and what to type next."""

    for text in _report(seen, spec, rows, again):
        say(text)


def _report(seen: Seen, spec: SubjectSpec, rows: RequirementSet, again: Again) -> Iterator[str]:
    from brokercert.engine.look.words import came, last_lines, told

    yield f"What {spec.name} did:"
    yield from (f"  - {text}" for text in told(seen))
    lines = last_lines(seen)
    if lines:
        yield "Its last lines:"
        yield from (f"    {line}" for line in lines)
    if not came(seen):
        yield (
            "Next: give it the address and the token, by BROKERCERT_URL and BROKERCERT_TOKEN, or under [subject.env] "
            'of brokercert.toml as in `MY_URL = "{url}"` (docs/adapting-a-client.md)'
        )
        yield from _not_inherited(spec)
        return
    yield from _asked(spec, rows)
    part = next(iter(rows.parts), "")
    yield f"Next: {again.command_line(part=part)}"


def _not_inherited(spec: SubjectSpec) -> Iterator[str]:
    """What of the shell it may have missed. Names alone: a value may be a token."""
    import os

    from brokercert_reports.text import listing, several

    from brokercert.engine.client.inherited import left_out

    names = left_out(os.environ, spec.inherit_env)
    if names:
        yield (
            f"It did not inherit {several(len(names), 'variable')} of this shell: {listing(names, SHOWN)}. List what "
            'it needs under [subject], as in inherit_env = ["NAME"]'
        )


def _asked(spec: SubjectSpec, rows: RequirementSet) -> Iterator[str]:
    """Which rows can be asked of it, and what a line would add."""
    from brokercert_reports.text import listing, several

    from brokercert.engine.look.askable import askable, lines
    from brokercert.engine.play.scenario import load_suite

    suite = load_suite(rows.id)
    now = askable(rows, suite, spec.offers)
    yield f"What can be asked of it at level {spec.level}: {len(now)} of {len(rows.rows)} rows of {rows.name}"
    for part in rows.parts:
        within = rows.part(part)
        yield f"  - of part {part}: {len(set(now) & set(within))} of {several(len(within), 'row')}"
    more = lines(rows, suite, spec)
    if more:
        yield "What each of these lines of brokercert.toml would add alone, where it is true of the client:"
        for line in more:
            which = f"{several(len(line.rows), 'row')} ({listing(line.rows, SHOWN)})"
            yield f"  - {line.text} under [{line.table}]: {which}. {line.means}"
