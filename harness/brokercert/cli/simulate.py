"""`brokercert simulate [options]`, and the replay of what it saved."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from brokercert.cli.options import CLUSTER, JOBS, Place
from brokercert.cli.outlet import say
from brokercert.sets import default_set

if TYPE_CHECKING:
    from brokercert.simulation.play import Played
    from brokercert.simulation.run import Seed


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--seeds", type=click.IntRange(1), default=20, show_default=True, help="How many seeds are played.")
@click.option("--seed", type=click.IntRange(0), default=1, show_default=True, help="The first of them.")
@click.option("--hours", type=click.FloatRange(0), default=0.0, help="Hours of virtual time that a seed is played for.")
@click.option(
    "--minutes",
    type=click.FloatRange(0),
    default=0.0,
    help="Minutes of it, added to the hours (default: 10 minutes in all).",
)
@click.option("--faults", type=click.FloatRange(0), default=200.0, show_default=True, help="Faults an hour.")
@click.option(
    "--client",
    default="",
    metavar="NAME",
    help="MODULE:FACTORY of a Python class, `reference` for brokercert's own client, or a mutant by its name.",
)
@JOBS
@CLUSTER
@click.option(
    "--out",
    type=Place(file_okay=False),
    default=Path("out/simulations"),
    show_default=True,
    help="Where a failing seed's scenario file and trace are saved.",
)
def simulate(
    seeds: int,
    seed: int,
    hours: float,
    minutes: float,
    faults: float,
    client: str,
    jobs: int,
    cluster: str,
    out: Path,
) -> int:
    """Play random order flow under random faults in virtual time. Look whether what must hold always does.

    The first seed that breaks an invariant is shrunk to its shortest schedule and saved for `brokercert replay`.

    Exit status: 0 every seed passed, 1 one did not.
    """
    import time

    from brokercert.cli import INTERRUPTED
    from brokercert.engine.errors import UsageError
    from brokercert.engine.run.folder import check_folder
    from brokercert.parallel import in_order, workers
    from brokercert.simulation.run import Seed, client_named, play_seed

    if not client:  # a simulation of ours is no word on anybody's client
        raise UsageError(
            "--client: no client is named; expected MODULE:FACTORY, as in bot.ws:Client, `reference` for brokercert's "
            "own, or a mutant's name"
        )
    check_folder(out, "--out")
    set_id = default_set()
    client_named(set_id, client, seed)  # raises here, not in a worker
    seconds = (hours * 3600 + minutes * 60) or 600.0
    shares = [Seed(set_id, client, number, seconds, faults) for number in range(seed, seed + seeds)]
    say(f"{client}: {seeds} seeds of {seconds:g} s of virtual time")
    began = time.monotonic()
    failed: dict[int, Played] = {}
    count = 0

    def on_result(place: int, played: Played) -> None:
        nonlocal count
        count += 1
        if count % 100 == 0:
            say(f"{count} of {seeds} seeds, {time.monotonic() - began:.0f} s", err=True)
        if played.breach is not None:
            failed[place] = played
            say(f"seed {shares[place].seed}: {played.breach}")

    done = in_order(play_seed, shares, workers(cluster, jobs, few=len(shares) == 1), on_result)
    results = done.complete
    took = time.monotonic() - began
    say(
        f"{client}: {len(results)} seeds, {sum(x.seconds for x in results) / 3600:.1f} h of virtual time,"
        f" {sum(x.faults for x in results)} faults, {sum(x.requests for x in results)} requests,"
        f" {sum(x.checks for x in results)} checks in {took:.1f} s: {len(failed)} failed"
    )
    if done.interrupted:
        say(f"{client}: interrupted: {len(results)} of {seeds} seeds were played")
        return INTERRUPTED
    if failed:
        first = min(failed)
        _shrink(shares[first], failed[first], out)
    return 1 if failed else 0


def _shrink(share: Seed, played: Played, out: Path) -> None:
    """The shortest schedule of the first seed that failed."""
    from brokercert.simulation.run import shrink_seed
    from brokercert.simulation.schedule import shown

    say(f"shrinking seed {share.seed} ...")
    short = shrink_seed(share, played, out)
    say(f"{len(short.schedule.events)} of {played.events} events, {short.tries} tries:")
    for line in shown(short.schedule):
        say(f"  {line}")
    say(f"  {short.breach}")
    say(f"saved: {short.file}, trace {short.trace}")


def replay_scenario(path: Path) -> int:
    """Play a scenario file with the client that it names. 0: every invariant holds now; 1: not. Raises `UsageError`."""
    from brokercert.simulation.play import play
    from brokercert.simulation.run import client_named
    from brokercert.simulation.schedule import load, shown

    saved = load(path)
    played = play(saved.schedule, client_named(saved.set, saved.client, saved.schedule.seed), saved.set)
    for line in shown(saved.schedule):
        say(f"  {line}")
    if played.breach is None:
        say(f"{saved.client}: every invariant holds (before: {saved.breach})")
        return 0
    changed = "" if played.breach.invariant == saved.breach else f" (before: {saved.breach})"
    say(f"{saved.client}: {played.breach}{changed}")
    return 1
