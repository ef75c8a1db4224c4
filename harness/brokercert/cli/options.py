"""Options that several commands have, said once. Light: `--help` imports it."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from brokercert.cli.outlet import say

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
        say(f"brokercert: {line}", err=True)


def set_typed(name: str) -> RequirementSet:
    """The set that was named, told by its edition where the name has none. Raises `RequirementError`."""
    from brokercert.requirements import set_named

    rows = set_named(name)
    tell_newest(name, rows)
    return rows


@dataclass(frozen=True, slots=True)
class _Typed:
    """The words of a command line: `options` of ours with their values, our other `arguments`, and the `client`'s.
    `ended`: a `--` stands before the client's.
    """

    options: list[str]
    arguments: list[str]
    client: list[str]
    ended: bool


class WithClient(click.Command):
    """A command that takes a client's command behind its own words, as its argument `command`.

    All that stands behind the first `--` is the client's, whatever it is. Where there is no `--`, the client's command
    begins with the first word that is none of ours. An option of ours behind that would be the client's, without a
    word: it is refused.
    """

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        typed = self._split(args)
        words = typed.client
        ours = {name for param in self.params for name in (*param.opts, *param.secondary_opts) if name[:2] == "--"}
        late = next((word for word in words if word.partition("=")[0] in ours), None)
        rest = super().parse_args(ctx, [*typed.options, "--", *typed.arguments])
        if late is not None and not typed.ended:
            raise click.UsageError(
                f"{late} stands behind the client's command, so that the client would get it; if brokercert is meant, "
                f"put it before {words[0]}, else put `--` before {words[0]}",
                ctx,
            )
        ctx.params["command"] = tuple(words)
        return rest

    def _split(self, words: Sequence[str]) -> _Typed:
        """Whose each word is. An option that takes a value takes the next word, also where that is `--`."""
        own = sum(isinstance(param, click.Argument) and param.name != "command" for param in self.params)
        valued = {name for one in self.params if _takes_value(one) for name in (*one.opts, *one.secondary_opts)}
        options: list[str] = []
        arguments: list[str] = []
        place = 0
        while place < len(words):
            word = words[place]
            if word == "--":
                return _Typed(options, arguments, list(words[place + 1 :]), True)
            if word.startswith("-") and word != "-":
                end = place + (2 if word in valued else 1)
                options += words[place:end]
                place = end
            elif len(arguments) < own:
                arguments.append(word)
                place += 1
            else:
                break
        return _Typed(options, arguments, list(words[place:]), False)


def _takes_value(param: click.Parameter) -> bool:
    return isinstance(param, click.Option) and not param.is_flag and not param.count


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
