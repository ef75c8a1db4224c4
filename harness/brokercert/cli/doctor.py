"""`brokercert doctor`: what on this machine will trouble a run, each line with its remedy."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import TYPE_CHECKING

import click

from brokercert.cli.options import CONFIG
from brokercert.cli.outlet import say

if TYPE_CHECKING:
    from brokercert.engine.ask.config import Config
    from brokercert.engine.doctor.line import Line
    from brokercert.requirements import RequirementSet

IS_BAD = 4  # brokercert.verdict.ExitCode.INCOMPLETE: nothing is said of a client
WIDTH = 14  # columns of a name


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--set", "set_name", metavar="SET", help="Requirement set (default: as for certify).")
@click.option("--no-client", is_flag=True, help="Do not start the client that is configured.")
@CONFIG
def doctor(set_name: str | None, no_client: bool, config_path: Path | None) -> int:
    """Look at this machine, and say of each thing that a run needs whether it is there. It changes nothing.

    Each line is ok, warn or bad; what is not ok has a remedy. Exit 0: no line is bad; 4: one is.
    """
    from brokercert.engine.ask.config import load_config
    from brokercert.engine.ask.options import set_asked
    from brokercert.engine.doctor.line import State
    from brokercert.engine.loops import run_loop

    config = load_config(config_path)
    rows = set_asked(config, set_name, "--set")

    async def all_of_them() -> list[Line]:
        return [_shown(line) async for line in _lines(config, rows, no_client)]

    found = run_loop(all_of_them(), lambda: "looking at this machine")
    counts = {state: sum(line.state is state for line in found) for state in State}
    say(", ".join(f"{count} {state}" for state, count in counts.items()))
    return IS_BAD if counts[State.BAD] else 0


async def _lines(config: Config, rows: RequirementSet, no_client: bool) -> AsyncIterator[Line]:
    """The load comes first: whatever else is done here would be measured with it."""
    from brokercert.engine.doctor import around, machine

    yield await machine.load(_timed(rows))
    yield machine.python()
    yield machine.loopback("IPv4")
    yield machine.loopback("IPv6")
    yield machine.ports()
    yield machine.files()
    yield machine.clock()
    yield around.proxies()
    yield await around.toxiproxy()
    yield around.namespaces()
    for line in around.tools():
        yield line
    if not no_client:
        yield await around.client(config, rows)


def _timed(rows: RequirementSet) -> list[str]:
    """The rows of scenarios that are played alone, since they measure a time."""
    from brokercert.engine.play.scenario import load_suite

    names = {row for one in load_suite(rows.id).scenarios if one.exclusive for row in one.exercises}
    return [row.id for row in rows.rows if row.id in names]


def _shown(line: Line) -> Line:
    """Printed at once: one of them starts a client."""

    say(f"{line.state:<4}  {line.name:<{WIDTH}}  {line.told}")
    if line.remedy:
        say(f"{'':<4}  {'':<{WIDTH}}  remedy: {line.remedy}")
    return line
