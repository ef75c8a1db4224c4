"""`brokercert diff OLD NEW`: what is otherwise between two runs."""

from __future__ import annotations

from pathlib import Path

import click

from brokercert.cli.options import Place
from brokercert.cli.outlet import say

LONGEST = 160  # characters of a value that is shown


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.argument("old", type=Place(exists=True))
@click.argument("new", type=Place(exists=True))
def diff(old: Path, new: Path) -> int:
    """Compare two runs of one set: rows, figures, limits, capabilities, client, tool, and versions of the set.

    OLD and NEW are runs' folders, run.json files or bundles. A bundle is read as it stands: verify says whether it is
    whole. Exit status: 0 the same or better, 5 worse.
    """

    from brokercert.parcel.differ import changes, is_worse, read_any
    from brokercert.parcel.status import Status

    before, after = read_any(old), read_any(new)
    found = changes(before, after)
    for name, run in (("old", before), ("new", after)):
        say(f"{name}: {run.run_id}, {run.started}: {run.sentence}")
    area = ""
    for one in found:
        if one.area != area:
            area = one.area
            say(f"\n{area}")
        mark = "worse: " if one.worse else ""
        say(f"  {mark}{one.name}: {_short(one.old)} -> {_short(one.new)}")
    worse = is_worse(found)
    rows = sum(one.area == "row" for one in found)
    kind = "worse" if worse else "better, or otherwise without a loss" if rows else "the same rows"
    say(f"\n{rows} row(s) with another verdict, {len(found) - rows} other difference(s): {kind}")
    return Status.WORSE.value if worse else 0


def _short(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}…"
