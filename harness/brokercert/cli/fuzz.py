"""`brokercert fuzz [options] [-- COMMAND ...]` and `brokercert replay FIND [-- COMMAND ...]`."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from brokercert.cli.options import CLUSTER, CONFIG, JOBS, REFERENCE, SEED, Place, WithClient
from brokercert.cli.outlet import say
from brokercert.engine.loops import run_loop

if TYPE_CHECKING:
    from brokercert.engine.ask.whom import Door
    from brokercert.engine.client.subject import SubjectSpec
    from brokercert.fuzz.finds import Find
    from brokercert.fuzz.inprocess import Outcome
    from brokercert.fuzz.shards import Shards
    from brokercert.hostile import Level

SETTINGS = {"allow_interspersed_args": False, "help_option_names": ["-h", "--help"]}


@click.command(cls=WithClient, context_settings=SETTINGS)
@click.option(
    "--level",
    type=click.Choice(["websocket", "frame", "json", "message"]),
    help="What is broken (default: frame, json and message in turn).",
)
@click.option("--time", "seconds", type=click.FloatRange(0.1), default=60.0, show_default=True, help="Seconds.")
@click.option("--frames", type=click.IntRange(0), default=0, help="In process: this many frames, and no time limit.")
@SEED
@click.option("--target", metavar="NAME", help="Fuzz a parser of brokercert's own, in process; `list` shows them.")
@click.option("--handler", metavar="MODULE:NAME", help="Fuzz a Python function that takes a frame's text, in process.")
@click.option(
    "--out",
    type=Place(file_okay=False),
    default=Path("out/finds"),
    show_default=True,
    help="Where finds are saved.",
)
@JOBS
@CLUSTER
@CONFIG
@REFERENCE
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
    reference: bool,
    command: tuple[str, ...],
) -> int:
    """Feed a client hostile frames until the time is over. What breaks it is shrunk and saved for `brokercert replay`.

    COMMAND starts the client, as for `certify`, and it is fed over the wire. Without COMMAND: that of brokercert.toml.
    With --reference the handlers of brokercert's own client are fed, in process and on every core. --target and
    --handler work in process too. --frames, --jobs and --cluster are for these three.

    Exit status: 0 nothing was found, 1 something was.
    """
    from brokercert.engine.ask.whom import FUZZ
    from brokercert.engine.errors import UsageError
    from brokercert.engine.run.folder import check_folder
    from brokercert.fuzz.shards import Shards
    from brokercert.fuzz.targets import known_targets

    if target == "list":
        for one in known_targets().values():
            say(f"{one.name}: {one.rejected}")
        return 0
    if (target or handler) and (command or reference):
        raise UsageError("--target and --handler run in process; expected no COMMAND and no --reference beside them")
    check_folder(out, "--out")
    spec = None if target or handler else _named(config_path, command, reference, FUZZ)
    if spec is not None and spec.reference:
        spec, target = None, "client"  # its handlers
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
    return _in_process(Shards(handler or target or "", level, seed, seconds, frames, jobs, cluster), out)


def _over_the_wire(spec: SubjectSpec, level: Level | None, seconds: float, seed: int, out: Path) -> int:
    from brokercert.fuzz import wire

    say(f"{spec.name}, over the wire, seed {seed}")
    outcome = run_loop(
        wire.fuzz(spec, level=level, seconds=seconds, seed=seed, found=lambda find: _saved(find, out)), _ending
    )
    _told(spec.name, outcome, " (seconds without start and restarts)")
    return 1 if outcome.counts else 0


def _in_process(asked: Shards, out: Path) -> int:
    from brokercert.cli import INTERRUPTED
    from brokercert.fuzz import shards
    from brokercert.parallel import LostError

    chosen = shards.target_named(asked.target)
    whom = _whose(chosen.name)
    say(f"{whom}, in process, seed {asked.seed}: {chosen.rejected}")
    try:
        outcome, interrupted = shards.fuzz(asked, lambda cause: say(f"first seen: {cause}", err=True))
    except LostError as error:  # found as well, though nobody is left to say how
        say(f"it ends the process that feeds it: {error}")
        return 1
    for find in outcome.finds:
        _saved(find, out)
    _told(whom, outcome)
    if interrupted:
        say("interrupted: what was found up to then is saved")
        return INTERRUPTED
    return 1 if outcome.counts else 0


def _whose(target: str) -> str:
    """A target's name for the reader: our own parsers are called ours."""
    return target if ":" in target else f"brokercert's own {target}"


def _saved(find: Find, out: Path) -> None:
    from brokercert.fuzz.finds import save, shown

    path = save(find, out)
    say(f"find: {find.cause}")
    for line in shown(find.frames[:3]):
        say(f"  {line}")
    say(f"  saved: {path}")


def _told(whom: str, outcome: Outcome, how: str = "") -> None:
    say(f"{outcome.frames:,} hostile frames, {outcome.rate:,.0f} a second{how}")
    for cause, count in sorted(outcome.counts.items(), key=lambda item: (-item[1], item[0])):
        say(f"  {count} x {cause}")
    for note in outcome.notes:
        say(f"  {note}")
    say(f"{whom}: {len(outcome.counts)} causes" if outcome.counts else f"{whom}: nothing found")


@click.command(cls=WithClient, context_settings=SETTINGS)
@CONFIG
@REFERENCE
@click.argument("find", type=Place(exists=True, dir_okay=False))
@click.argument("command", nargs=-1, type=click.UNPROCESSED)
def replay(config_path: Path | None, reference: bool, find: Path, command: tuple[str, ...]) -> int:
    """Feed a saved find again: whether it still breaks what it broke.

    FIND is one of three: (1) a file of `brokercert fuzz`; (2) a scenario file of `brokercert simulate`, which names its
    client; (3) the trace of a scenario with hostile frames. The frames of a trace are fed to the client anew. What
    breaks it is shrunk and saved beside the trace. A client that was fed over the wire must be named: by COMMAND,
    brokercert.toml or --reference.

    Exit status: 0 it takes them now, 1 it does not.
    """
    from brokercert.cli.simulate import replay_scenario
    from brokercert.engine.ask.whom import REPLAY
    from brokercert.engine.errors import UsageError
    from brokercert.fuzz import inprocess, wire
    from brokercert.fuzz.finds import load, shown
    from brokercert.fuzz.shards import target_named
    from brokercert.simulation.schedule import is_scenario

    if is_scenario(find):
        if command or config_path or reference:
            raise UsageError(
                f"{find}: a simulation names its own client; expected no COMMAND, no --config and no --reference"
            )
        return replay_scenario(find)
    if find.suffix == ".jsonl":
        return _replay_trace(find, config_path, command, reference)
    loaded = load(find)
    for line in shown(loaded.frames):
        say(line)
    if loaded.target != "wire" and not command and not reference:
        target = target_named(loaded.target, f"{find}: target")
        broke = run_loop(inprocess.reproduce(target, loaded.frames), _ending)
        return _said(_whose(target.name), broke[0] if broke else "", loaded.cause)
    spec = _named(config_path, command, reference, REPLAY)
    return _said(spec.name, run_loop(wire.reproduce(spec, loaded.frames), _ending), loaded.cause)


def _ending() -> str:
    return "ending the client"


def _said(whom: str, cause: str, before: str = "") -> int:
    if not cause:
        say(f"{whom}: takes them, nothing breaks")
        return 0
    say(f"{whom}: breaks: {cause}" + ("" if cause == before or not before else f" (before: {before})"))
    return 1


def _replay_trace(path: Path, config_path: Path | None, command: Sequence[str], reference: bool) -> int:
    """The hostile frames of a trace, fed to a client anew; what breaks it is shrunk."""
    from brokercert.engine.ask.whom import REPLAY
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
    spec = _named(config_path, tuple(command), reference, REPLAY)
    say(f"{spec.name}: {len(frames)} hostile frames of {trace.header.scenario}")
    found = run_loop(wire.shrunk(spec, frames), _ending)
    if found is None:
        return _said(spec.name, "")
    for line in shown(found.frames):
        say(line)
    say(f"saved: {save(found, path.parent)}")
    return _said(spec.name, found.cause)


def _named(config_path: Path | None, command: tuple[str, ...], reference: bool, door: Door) -> SubjectSpec:
    """The client that is meant. Raises `UsageError`, also where none is named."""
    from brokercert.engine.ask.config import load_config
    from brokercert.engine.ask.options import client_asked, set_asked

    config = load_config(config_path)
    rows = set_asked(config, None, "--set")
    return client_asked(config, rows, command, reference=reference, door=door)
