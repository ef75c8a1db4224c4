"""`brokercert certify [options] [-- COMMAND ...]`."""

from __future__ import annotations

from pathlib import Path

import click

from brokercert.cli.options import CONFIG, REFERENCE, Place, tell_newest
from brokercert.sets import default_set


@click.command(context_settings={"allow_interspersed_args": False, "help_option_names": ["-h", "--help"]})
@click.option("--set", "set_id", metavar="SET", help=f"Requirement set (default: {default_set()}).")
@click.option("--part", metavar="PART", help="Certify a named part of the set only, as in `--part core`.")
@click.option("--only", metavar="ID", multiple=True, help="Play only what this requirement needs; repeatable.")
@click.option("--strict/--no-strict", default=None, help="Let a warning fail.")
@click.option(
    "--jobs", type=click.IntRange(1, 40), metavar="N", help="Clients running at once (default: 40; they sleep)."
)
@click.option("--seed", type=click.IntRange(0), metavar="N", help="Seed of all that is drawn (default: 1).")
@click.option("--out", type=Place(file_okay=False), help="Where runs are written (default: out).")
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
    set_id: str | None,
    part: str | None,
    only: tuple[str, ...],
    strict: bool | None,
    jobs: int | None,
    seed: int | None,
    out: Path | None,
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
    from brokercert.cli.progress import LiveProgress, progress_for
    from brokercert.engine.ask.config import load_config
    from brokercert.engine.ask.options import again, client_asked, part_asked, set_asked
    from brokercert.engine.errors import UsageError

    if tier == "virtual":
        raise UsageError("--tier virtual: expected real; a program has a clock of its own, which no one can turn")
    config = load_config(config_path)
    rows = set_asked(config, set_id, "--set")
    tell_newest(set_id or config.set_id, rows)
    part = part_asked(config, rows, part, "--part")
    spec = client_asked(config, rows, command, reference=reference)
    strict = config.strict if strict is None else strict
    seed = config.seed if seed is None else seed

    from brokercert.engine.machine.priority import raise_priority
    from brokercert.engine.run.run import RunRequest, run_certification
    from brokercert.engine.stops import STOPS

    request = RunRequest(
        set_id=rows.id,
        subject=spec,
        part=part,
        only=only,
        strict=strict,
        jobs=config.jobs if jobs is None else jobs,
        seed=seed,
        out=config.out if out is None else out,
        out_told=config.told.get("out", "--out") if out is None else "--out",
        tier="real",
        limits=config.limits,
        again=again(
            config, set_id=rows.name, part=part, strict=strict, seed=seed, typed=command, reference=spec.reference
        ),
    )
    raise_priority()  # before progress has its thread
    progress = progress_for()
    with STOPS.during(lambda: None, lambda: "beginning, or at the end"):  # a signal between the two is not lost
        try:
            run = run_certification(request, progress)
        finally:
            if isinstance(progress, LiveProgress):
                progress.stop()
        return finish(run, request.out / run.run_id, newest=True)
