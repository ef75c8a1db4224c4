"""Options that several commands have, said once. Light: `--help` imports it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click


class Place(click.Path):
    """A file or a folder. Refuses an empty text, which a shell makes of a variable that is not set: as a path it would
    mean the working folder.
    """

    def __init__(self, **more: Any) -> None:
        super().__init__(path_type=Path, **more)

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        if value == "":
            what = {"file": "a file", "directory": "a folder"}.get(self.name, "a file or a folder")
            mend = "" if param is None or param.required else "; leave it out for the default"
            self.fail(f"it is empty; expected the name of {what}{mend}", param, ctx)
        return super().convert(value, param, ctx)


CONFIG = click.option(
    "--config",
    "config_path",
    type=Place(dir_okay=False),
    help="A brokercert.toml (default: the nearest one, or [tool.brokercert] in pyproject.toml).",
)
REFERENCE = click.option("--reference", is_flag=True, help="Take brokercert's own reference client, and no other.")
SEED = click.option("--seed", type=click.IntRange(0), default=1, show_default=True, help="Seed of all that is drawn.")
JOBS = click.option("--jobs", type=click.IntRange(0), default=0, help="Processes at once (default: one a core).")
JUNIT = click.option(
    "--junit",
    "junit",
    type=click.Choice(["properties", "plain"]),
    default="properties",
    show_default=True,
    help="Form of the JUnit file; plain is for readers that hold it to a schema.",
)
CLUSTER = click.option(
    "--cluster", metavar="tcp://HOST:PORT", default="", help="Use the workers of a Dask scheduler instead."
)
