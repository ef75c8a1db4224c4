"""Options that several commands have, said once. Light: `--help` imports it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

if TYPE_CHECKING:
    from brokercert.requirements import RequirementSet


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


def tell_newest(name: str, rows: RequirementSet) -> None:
    """Say, in one line, which edition a set's name without one means."""
    from brokercert.requirements import newest_told

    if line := newest_told(name, rows):
        click.echo(f"brokercert: {line}", err=True)


def set_typed(name: str) -> RequirementSet:
    """The set that was named, told by its edition where the name has none. Raises `RequirementError`."""
    from brokercert.requirements import set_named

    rows = set_named(name)
    tell_newest(name, rows)
    return rows


CONFIG = click.option(
    "--config",
    "config_path",
    type=Place(dir_okay=False),
    help="A brokercert.toml (default: the nearest one, or [tool.brokercert] in pyproject.toml).",
)
REFERENCE = click.option("--reference", is_flag=True, help="Take brokercert's own reference client, and no other.")
SEED = click.option("--seed", type=click.IntRange(0), default=1, show_default=True, help="Seed of all that is drawn.")
JOBS = click.option("--jobs", type=click.IntRange(0), default=0, help="Processes at once (default: one a core).")
CLUSTER = click.option(
    "--cluster", metavar="tcp://HOST:PORT", default="", help="Use the workers of a Dask scheduler instead."
)
