"""The page `docs/plays.md`: which scenarios exercise which row. No verb of its own: `dev.py generate` makes it.

The page pins the list. A scenario that is struck from a row takes a question away, and no test of judging notices that:
what is not played is not judged. So the page changes with it, and a reviewer sees the change.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from brokercert.engine.play.scenario import Suite, load_suite
from brokercert.requirements import RequirementSet, load_set

HEAD = """# Which scenarios exercise which row

Made by `python3 dev.py generate` from the scenarios. A change of it says that a question was added or taken away.
`brokercert explain ID` says what a row asks.
"""


def plays_page(set_ids: Sequence[str]) -> str:
    """The whole page, for these sets."""
    return HEAD + "".join(_of_set(load_set(set_id), load_suite(set_id)) for set_id in set_ids)


def _of_set(rows: RequirementSet, suite: Suite) -> str:
    listed = suite.listed()
    cells = {scenario.name for scenario in suite.scenarios if scenario.cell}
    lines = [f"| {row.id} | {', '.join(_told(listed.get(row.id, ()), cells))} |" for row in rows.rows]
    return "\n".join(["", f"## {rows.name}", "", "| row | scenarios |", "| --- | --- |", *lines, ""])


def _told(names: Sequence[str], cells: set[str]) -> Iterator[str]:
    """The names; the cells of the grid as their number, since each has all rows of the grid."""
    yield from (f"`{name}`" for name in names if name not in cells)
    if count := len(cells & set(names)):
        yield f"{count} cells of the grid"
