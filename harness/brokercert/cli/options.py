"""Options that several commands have, said once. Light: `--help` imports it."""

from __future__ import annotations

from pathlib import Path

import click

CONFIG = click.option(
    "--config",
    "config_path",
    type=click.Path(path_type=Path, dir_okay=False),
    help="A brokercert.toml (default: the nearest one, or [tool.brokercert] in pyproject.toml).",
)
REFERENCE = click.option("--reference", is_flag=True, help="Take brokercert's own reference client, and no other.")
SEED = click.option("--seed", type=click.IntRange(0), default=1, show_default=True, help="Seed of all that is drawn.")
JOBS = click.option("--jobs", type=click.IntRange(0), default=0, help="Processes at once (default: one a core).")
CLUSTER = click.option(
    "--cluster", metavar="tcp://HOST:PORT", default="", help="Use the workers of a Dask scheduler instead."
)
