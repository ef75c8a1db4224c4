"""Tells the worst rows of a run.json as annotations of GitHub, ten at most. It needs Python alone.

    python3 ci/annotate.py out/latest/run.json

What a client said is data: it can end no annotation and begin no command of the runner.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator
from pathlib import Path
from typing import Any

MOST = 10  # GitHub shows no more of a step
LONGEST = 400  # characters of a line; the report has all
# A row that fails nothing is not annotated. The order is that of the report, worst first.
KINDS = {
    "fail": "error",
    "harness error": "error",
    "blocked": "error",
    "untested": "error",
    "inconclusive": "error",
    "not observed": "error",
    "warning": "warning",
}
ORDER = list(KINDS)


def annotations(run: dict[str, Any]) -> list[str]:
    """The run's own sentence, then its rows, and last how many more there are."""
    lines = list(_rows(run))
    kind = "notice" if run["outcome"] == "certified" else "error"
    told = [_line(kind, "brokercert", run["sentence"])]
    room = MOST - len(told)
    if len(lines) <= room:
        return told + lines
    more = f"{len(lines) - room + 1} more rows are in the report."
    return [*told, *lines[: room - 1], _line("notice", "brokercert", more)]


def _rows(run: dict[str, Any]) -> Iterator[str]:
    waived = {one["row"] for one in run["waivers"] if one["expiry"] >= run["waived_on"]}
    asked = [row for row in run["rows"] if row["in_part"] and row["verdict"] in KINDS and _decides(row, run)]
    for row in sorted(asked, key=lambda row: ORDER.index(row["verdict"])):
        borne = row["id"] in waived and row["verdict"] == "fail"
        kind = "warning" if borne else KINDS[row["verdict"]]
        said = "fail, waived" if borne else row["verdict"]
        yield _line(kind, f"{row['id']} {row['title']}", f"{said}: {row['reason']}")


def _decides(row: dict[str, Any], run: dict[str, Any]) -> bool:
    """A recommendation is told where it was not followed; a row that nobody asked for, never."""
    if run["selected"] and row["id"] not in run["selected"]:
        return False
    return row["level"] == "MUST" or row["verdict"] == "warning"


def _line(kind: str, title: str, text: str) -> str:
    return f"::{kind} title={_escaped(title, ':,')}::{_escaped(text)}"


def _escaped(text: str, signs: str = "") -> str:
    """As the runner reads it back: a line's end is no line's end, and a sign ends no property."""
    text = " ".join(text.split())
    text = text if len(text) <= LONGEST else f"{text[:LONGEST]}…"
    for sign in ("%", "\r", "\n", *signs):
        text = text.replace(sign, f"%{ord(sign):02X}")
    return text


def main() -> int:
    run = json.loads(Path(sys.argv[1]).read_text("utf-8"))
    sys.stdout.reconfigure(errors="backslashreplace")  # type: ignore[union-attr]
    print("\n".join(annotations(run)))
    return 0


if __name__ == "__main__":
    raise SystemExit(main())
