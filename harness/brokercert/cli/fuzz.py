"""`brokercert fuzz [options] [-- COMMAND ...]` and `brokercert replay FIND [-- COMMAND ...]`."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from brokercert.cli.options import CLUSTER, CONFIG, JOBS, SEED

if TYPE_CHECKING:
    from brokercert.engine.subject import SubjectSpec
    from brokercert.fuzz.finds import Find
    from brokercert.fuzz.inprocess import Outcome
    from brokercert.fuzz.shards import Shards
    from brokercert.hostile import Level

SETTINGS = {"allow_interspersed_args": False, "help_option_names": ["-h", "--help"]}


@click.command(context_settings=SETTINGS)
@click.option(
    "--level",
    type=click.Choice(["websocket", "frame", "json", "message"]),
    help="What is broken (default: frame, json and message in turn).",
)
@click.option("--time", "seconds", type=click.FloatRange(0.1), default=60.0, show_default=True, help="Seconds.")
@click.option("--frames", type=click.IntRange(0), default=0, help="In process: so many frames instead of a time.")
@SEED
@click.option("--target", metavar="NAME", help="Fuzz a parser of brokercert's own, in process; `list` shows them.")
@click.option("--handler", metavar="MODULE:NAME", help="Fuzz a Python function that takes a frame's text, in process.")
@click.option(
    "--out",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("out/finds"),
    show_default=True,
    help="Where finds are saved.",
)
@JOBS
@CLUSTER
@CONFIG
@click.argument("command", nargs=-1, type=click.UNPROCESSED)
def fuzz(
    level: Level | None,
    seconds: float,
    frames: int,
    seed: int,
    target: str | None,
    handler: str | None,
    out: Path,
    jobs: int,
    cluster: str,
    config_path: Path | None,
    command: tuple[str, ...],
) -> int:
    """Feed a client hostile frames until the time is over; save what breaks it, shrunk, for `brokercert replay`.

    COMMAND starts the client, as for `certify`, and it is fed over the wire. Without COMMAND: that of brokercert.toml,
    else the reference client's handlers in process, on every core: --frames, --jobs and --cluster are for that, and for
    --target and --handler. Exit status: 0 nothing was found, 1 something was.
    """
    from brokercert.engine.errors import UsageError
    from brokercert.engine.folder import check_folder
    from brokercert.fuzz.shards import Shards
    from brokercert.fuzz.targets import known_targets

    if target == "list":
        for one in known_targets().values():
            click.echo(f"{one.name}: {one.rejected}")
        return 0
    if (target or handler) and command:
        raise UsageError("--target and --handler run in process; expected no COMMAND beside them")
    check_folder(out, "--out")
    spec = None if target or handler else _client(config_path, command)
    if spec is not None:
        if jobs or cluster or frames:
            raise UsageError(
                "--jobs, --cluster and --frames: a client is fed over the wire alone and for a time; expected --target"
                " or --handler with them"
            )
        return _over_the_wire(spec, level, seconds, seed, out)
    if level == "websocket":
        raise UsageError("--level websocket: what breaks the WebSocket never reaches a handler; give a COMMAND")
    if handler is not None and ":" not in handler:
        raise UsageError(f"--handler {handler}: expected MODULE:NAME, as in bot.ws:on_text")
    return _in_process(Shards(handler or target or "client", level, seed, seconds, frames, jobs, cluster), out)


def _over_the_wire(spec: SubjectSpec, level: Level | None, seconds: float, seed: int, out: Path) -> int:
    from brokercert.fuzz import wire

    click.echo(f"{spec.name}, over the wire, seed {seed}")
    outcome = asyncio.run(
        wire.fuzz(spec, level=level, seconds=seconds, seed=seed, found=lambda find: _saved(find, out))
    )
    _told(outcome, " (seconds without start and restarts)")
    return 1 if outcome.counts else 0


def _in_process(asked: Shards, out: Path) -> int:
    from brokercert.cli import INTERRUPTED
    from brokercert.fuzz import shards
    from brokercert.parallel import LostError

    chosen = shards.target_named(asked.target)
    click.echo(f"{chosen.name}, in process, seed {asked.seed}: {chosen.rejected}")
    try:
        outcome, interrupted = shards.fuzz(asked, lambda cause: click.echo(f"first seen: {cause}", err=True))
    except LostError as error:  # found as well, though nobody is left to say how
        click.echo(f"it ends the process that feeds it: {error}")
        return 1
    for find in outcome.finds:
        _saved(find, out)
    _told(outcome)
    if interrupted:
        click.echo("interrupted: what was found up to then is saved")
        return INTERRUPTED
    return 1 if outcome.counts else 0


def _saved(find: Find, out: Path) -> None:
    from brokercert.fuzz.finds import save, shown

    path = save(find, out)
    click.echo(f"find: {find.cause}")
    for line in shown(find.frames[:3]):
        click.echo(f"  {line}")
    click.echo(f"  saved: {path}")


def _told(outcome: Outcome, how: str = "") -> None:
    click.echo(f"{outcome.frames:,} hostile frames, {outcome.rate:,.0f} a second{how}")
    for cause, count in sorted(outcome.counts.items(), key=lambda item: (-item[1], item[0])):
        click.echo(f"  {count} x {cause}")
    for note in outcome.notes:
        click.echo(f"  {note}")
    click.echo(f"{len(outcome.counts)} causes" if outcome.counts else "nothing found")


@click.command(context_settings=SETTINGS)
@CONFIG
@click.argument("find", type=click.Path(path_type=Path, exists=True, dir_okay=False))
@click.argument("command", nargs=-1, type=click.UNPROCESSED)
def replay(config_path: Path | None, find: Path, command: tuple[str, ...]) -> int:
    """Feed a saved find again: whether it still breaks what it broke.

    FIND is a file of `brokercert fuzz`; a scenario file of `brokercert simulate`, which names its client; or the trace
    of a scenario with hostile frames: then they are fed to the client anew, and what breaks it is shrunk and saved
    beside the trace. Exit status: 0 it takes them now, 1 it does not.
    """
    from brokercert.cli.simulate import replay_scenario
    from brokercert.engine.errors import UsageError
    from brokercert.fuzz import inprocess, wire
    from brokercert.fuzz.finds import load, shown
    from brokercert.fuzz.shards import target_named
    from brokercert.simulation.schedule import is_scenario

    if is_scenario(find):
        if command or config_path:
            raise UsageError(f"{find}: a simulation names its own client; expected no COMMAND and no --config")
        return replay_scenario(find)
    command = command[1:] if command[:1] == ("--",) else command  # click takes the first word as the end of its own
    if find.suffix == ".jsonl":
        return _replay_trace(find, config_path, command)
    loaded = load(find)
    for line in shown(loaded.frames):
        click.echo(line)
    if loaded.target != "wire" and not command:
        broke = asyncio.run(inprocess.reproduce(target_named(loaded.target, f"{find}: target"), loaded.frames))
        cause = broke[0] if broke else ""
    else:
        spec = _named(config_path, command)
        cause = asyncio.run(wire.reproduce(spec, loaded.frames))
    return _said(cause, loaded.cause)


def _said(cause: str, before: str = "") -> int:
    if not cause:
        click.echo("taken: nothing breaks")
        return 0
    click.echo(f"breaks: {cause}" + ("" if cause == before or not before else f" (before: {before})"))
    return 1


def _replay_trace(path: Path, config_path: Path | None, command: Sequence[str]) -> int:
    """The hostile frames of a trace, fed to a client anew; what breaks it is shrunk."""
    from brokercert.engine.errors import UsageError
    from brokercert.fuzz import wire
    from brokercert.fuzz.finds import save, shown
    from brokercert.fuzz.from_trace import hostile_frames
    from brokercert.trace import TraceError, read_trace

    try:
        trace = read_trace(path)
    except TraceError as error:
        raise UsageError(str(error)) from error
    frames = hostile_frames(trace)
    if not frames:
        raise UsageError(f"{path}: no hostile frames in it; expected a trace of a scenario that exercises MSG rows")
    click.echo(f"{len(frames)} hostile frames of {trace.header.scenario}")
    found = asyncio.run(wire.shrunk(_named(config_path, tuple(command)), frames))
    if found is None:
        return _said("")
    for line in shown(found.frames):
        click.echo(line)
    click.echo(f"saved: {save(found, path.parent)}")
    return _said(found.cause)


def _client(config_path: Path | None, command: tuple[str, ...]) -> SubjectSpec | None:
    """The client that is meant; None for the reference client's handlers."""
    from brokercert.engine.config import load_config

    if not command and not load_config(config_path).command:
        return None
    return _named(config_path, command)


def _named(config_path: Path | None, command: tuple[str, ...]) -> SubjectSpec:
    """The client that is meant, the reference client where none is named. Raises `UsageError`."""
    from brokercert.engine.asked import client_asked, set_asked
    from brokercert.engine.config import load_config

    config = load_config(config_path)
    return client_asked(config, set_asked(config, None, "--set"), command)
