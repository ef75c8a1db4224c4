"""`brokercert certify [options] [-- COMMAND ...]`."""

from __future__ import annotations

import shlex
from pathlib import Path

import click

from brokercert.cli.options import CONFIG
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
@click.option("--out", type=click.Path(path_type=Path, file_okay=False), help="Where runs are written (default: out).")
@CONFIG
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
    tier: str,
    command: tuple[str, ...],
) -> int:
    """Run a client through a requirement set and say whether it is certified.

    COMMAND starts the client; it gets the address and credentials in BROKERCERT_* variables, or where the command
    says {url}, {token}, {state_dir} and so on. Without COMMAND: that of brokercert.toml, else the reference client.
    """
    from brokercert.cli.finish import finish, point_latest
    from brokercert.cli.progress import LiveProgress, progress_for
    from brokercert.engine.config import load_config
    from brokercert.engine.errors import UsageError
    from brokercert.engine.process import find_command
    from brokercert.requirements import load_set

    if tier == "virtual":
        raise UsageError("--tier virtual: expected real; a program has a clock of its own, which no one can turn")
    config = load_config(config_path)
    set_id = set_id or config.set_id
    rows = load_set(set_id)
    part = config.part if part is None else part
    if part:
        rows.part(part)  # raises where there is no such part
    spec = config.subject(rows, command)
    find_command(spec)
    strict = config.strict if strict is None else strict

    from brokercert.engine.run import RunRequest, run_certification

    request = RunRequest(
        set_id=set_id,
        subject=spec,
        part=part,
        only=only,
        strict=strict,
        jobs=config.jobs if jobs is None else jobs,
        seed=config.seed if seed is None else seed,
        out=config.out if out is None else out,
        tier="real",
        limits=config.limits,
        command_line=_again(set_id, part, strict, seed, config_path, command),
    )
    progress = progress_for()
    try:
        run = run_certification(request, progress)
    finally:
        if isinstance(progress, LiveProgress):
            progress.stop()
    folder = request.out / run.run_id
    status = finish(run, folder)
    point_latest(folder)
    return status


def _again(
    set_id: str, part: str, strict: bool, seed: int | None, config: Path | None, command: tuple[str, ...]
) -> str:
    """The command line that asks for the same, without `--only`, which each row of the report adds."""
    words = ["brokercert", "certify"]
    words += ["--set", set_id] if set_id != default_set() else []
    words += ["--part", part] if part else []
    words += ["--strict"] if strict else []
    words += ["--seed", str(seed)] if seed is not None else []
    words += ["--config", str(config)] if config else []
    words += ["--", *command] if command else []
    return shlex.join(words)
