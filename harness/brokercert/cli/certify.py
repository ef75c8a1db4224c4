"""`brokercert certify [options] [-- COMMAND ...]`."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from brokercert.cli.options import CONFIG, JUNIT, REFERENCE, Place, WithClient, tell_newest
from brokercert.cli.outlet import say
from brokercert.sets import default_set

if TYPE_CHECKING:
    from brokercert.engine.client.subject import SubjectSpec
    from brokercert.requirements import RequirementSet

LONGEST = 100  # characters of a version that is told


@click.command(
    cls=WithClient, context_settings={"allow_interspersed_args": False, "help_option_names": ["-h", "--help"]}
)
@click.option("--set", "set_name", metavar="SET", help=f"Requirement set (default: {default_set()}).")
@click.option("--part", metavar="PART", help="Certify a named part of the set only, as in `--part core`.")
@click.option("--only", metavar="ID", multiple=True, help="Play only what this requirement needs; repeatable.")
@click.option("--failed", is_flag=True, help="Play only the rows that were not green in this client's latest run.")
@click.option(
    "--repeat", type=click.IntRange(1, 99), metavar="N", default=1, help="Run N times; the worst verdict counts."
)
@click.option("--fail-fast", is_flag=True, help="End the run at the first row that fails.")
@click.option("--strict/--no-strict", default=None, help="Let a warning fail.")
@click.option(
    "--jobs", type=click.IntRange(1, 40), metavar="N", help="Clients running at once (default: 40; they sleep)."
)
@click.option("--seed", type=click.IntRange(0), metavar="N", help="Seed of all that is drawn (default: 1).")
@click.option("--challenge", metavar="TEXT", help="A partner's own text, of which the seed is made.")
@click.option("--client-version", metavar="TEXT", default="", help="Version of the client (default: of its manifest).")
@click.option(
    "--waivers",
    "waivers_path",
    type=Place(dir_okay=False),
    help="A waivers.toml (default: that beside brokercert.toml, or in the current folder).",
)
@click.option("--out", type=Place(file_okay=False), help="Where runs are written (default: out).")
@JUNIT
@CONFIG
@REFERENCE
@click.option(
    "--tier",
    type=click.Choice(["real", "virtual"]),
    default="real",
    show_default=True,
    help="Time: real certifies; virtual is for clients inside a test program, not for commands.",
)
@click.argument("command", nargs=-1, type=click.UNPROCESSED)
def certify(
    set_name: str | None,
    part: str | None,
    only: tuple[str, ...],
    failed: bool,
    repeat: int,
    fail_fast: bool,
    strict: bool | None,
    jobs: int | None,
    seed: int | None,
    challenge: str | None,
    client_version: str,
    waivers_path: Path | None,
    out: Path | None,
    junit: str,
    config_path: Path | None,
    reference: bool,
    tier: str,
    command: tuple[str, ...],
) -> int:
    """Run a client through a requirement set and say whether it is certified.

    COMMAND starts the client; it gets the address and credentials in BROKERCERT_* variables, or where the command
    says {url}, {token}, {state_dir} and so on. Without COMMAND: that of BROKERCERT_COMMAND, else of brokercert.toml.
    With --reference: brokercert's own client. Where no client is named, nothing is run: exit 2.
    """
    from brokercert.cli.finish import finish
    from brokercert.engine.ask.challenge import checked_challenge, seed_of_challenge
    from brokercert.engine.ask.config import load_config
    from brokercert.engine.ask.options import again, client_asked, part_asked, set_asked
    from brokercert.engine.ask.waivers import todays_waivers
    from brokercert.engine.client.build import build_of
    from brokercert.engine.errors import UsageError

    if tier == "virtual":
        raise UsageError("--tier virtual: expected real; a program has a clock of its own, which no one can turn")
    config = load_config(config_path)
    waivers = todays_waivers(waivers_path, config.path, Path.cwd())
    rows = set_asked(config, set_name, "--set")
    tell_newest(set_name or config.set_id, rows)
    part = part_asked(config, rows, part, "--part")
    spec = client_asked(config, rows, command, reference=reference)
    spec = replace(spec, build=build_of(spec, " ".join(client_version.split())[:LONGEST]))
    strict = config.strict if strict is None else strict
    if challenge is not None:
        if seed is not None:
            raise UsageError("--challenge, beside --seed: expected one of both; the text's own seed is taken")
        seed = seed_of_challenge(checked_challenge(challenge, "--challenge"))
    challenge = challenge or ""
    seed = config.seed if seed is None else seed
    out = config.out if out is None else out
    if failed:
        only, what = _failed(only, out, rows, spec, part)
        say(f"brokercert: {what}", err=True)

    from brokercert.cli.repeat import run_once, run_times
    from brokercert.engine.machine.priority import raise_priority
    from brokercert.engine.run.run import RunRequest
    from brokercert.engine.stops import STOPS

    request = RunRequest(
        set_id=rows.id,
        subject=spec,
        part=part,
        only=only,
        strict=strict,
        jobs=config.jobs if jobs is None else jobs,
        seed=seed,
        challenge=challenge,
        out=out,
        out_told=config.told.get("out", "--out") if out is config.out else "--out",
        tier="real",
        limits=config.limits,
        waivers=waivers,
        fail_fast=fail_fast,
        again=again(
            config,
            rows,
            part=part,
            strict=strict,
            seed=seed,
            challenge=challenge,
            typed=command,
            reference=spec.reference,
        ).with_words(*(("--repeat", str(repeat)) if repeat > 1 else ())),
    )
    raise_priority()  # before progress has its thread
    with STOPS.during(lambda: None, lambda: "beginning, or at the end"):  # a signal between the two is not lost
        if repeat > 1:
            return finish(*run_times(request, repeat), newest=True, junit=junit)
        run = run_once(request)
        return finish(run, request.out / run.run_id, newest=True, junit=junit)


def _failed(
    only: tuple[str, ...], out: Path, rows: RequirementSet, spec: SubjectSpec, part: str
) -> tuple[tuple[str, ...], str]:
    """The rows that `--failed` means, and a line that says which these are. Raises `UsageError`."""
    from brokercert.engine.errors import UsageError
    from brokercert.engine.look.askable import askable
    from brokercert.engine.play.scenario import load_suite
    from brokercert.engine.run.earlier import failed_rows
    from brokercert.engine.run.plan import of_part

    if only:
        raise UsageError("--failed, beside --only: expected one of both; leave one out")
    can_be_asked = set(askable(rows, load_suite(rows.id), spec.offers)) & set(of_part(rows, part))
    found = failed_rows(out, rows, spec.name, can_be_asked)
    return found.rows, found.told
