"""All reports of a run into its folder.

The law: a reader finds a whole file or none. Each is written beside its place and renamed into it; and one that cannot
be made or written keeps none of the others from being written.
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple

from brokercert.verdict import RunRecord

from brokercert_reports.html import render_html, render_plan
from brokercert_reports.junit import render_junit
from brokercert_reports.plan import plan_of_run
from brokercert_reports.seal import record_bytes
from brokercert_reports.sheet import render_csv, render_xlsx
from brokercert_reports.summary import render_summary

RECORD = "run.json"  # from which all others can be rendered again


class Written(NamedTuple):
    """`paths` by kind: `run.json`, `HTML`, `JUnit`, `Markdown`, `Plan`, `Plan, HTML`, `Plan, XLSX`. `failed`: names of
    files, and why each is not there.
    """

    paths: dict[str, Path]
    failed: dict[str, str]


def write_reports(run: RunRecord, folder: Path, *, plain_junit: bool = False) -> dict[str, Path]:
    """Write run.json, report.html, TEST-<set>.xml, summary.md, and the plan as plan.html, plan.csv and plan.xlsx. The
    folder is made where it is missing.

    `plain_junit`: as `render_junit` has it. Answers their paths by kind, as in `Written`. Raises `OSError` where the
    folder cannot be written. All are rendered before the first is written.
    """
    contents = [(kind, name, render()) for kind, name, render in _reports(run, plain_junit)]
    folder.mkdir(parents=True, exist_ok=True)
    paths = {}
    for kind, name, content in contents:
        paths[kind] = folder / name
        _write(paths[kind], content)
    return paths


def write_what_fits(run: RunRecord, folder: Path, record: bytes | None = None, *, plain_junit: bool = False) -> Written:
    """The same, as far as it goes: what cannot be made or written is told, and raises nothing. `record` is the content
    of `run.json` where the run was read from one: its seal holds for those bytes.
    """
    written = Written({}, {})
    with suppress(OSError):  # then each file says why
        folder.mkdir(parents=True, exist_ok=True)
    for kind, name, render in _reports(run, plain_junit, record):
        try:
            _write(folder / name, render())
        except OSError as error:
            written.failed[name] = error.strerror or str(error)
        except Exception as error:  # our own fault; the verdict was reached without it
            written.failed[name] = f"{type(error).__name__}: {error}"
        else:
            written.paths[kind] = folder / name
    return written


def _reports(
    run: RunRecord, plain_junit: bool, record: bytes | None = None
) -> Iterator[tuple[str, str, Callable[[], bytes]]]:
    """Kind, name and content of each, the most important first."""
    yield "run.json", RECORD, lambda: record_bytes(run) if record is None else record
    yield "HTML", "report.html", lambda: render_html(run).encode()
    yield "JUnit", f"TEST-{run.set_id}.xml", lambda: render_junit(run, plain=plain_junit)
    yield "Markdown", "summary.md", lambda: render_summary(run).encode()
    yield "Plan, HTML", "plan.html", lambda: render_plan(plan_of_run(run)).encode()
    yield "Plan", "plan.csv", lambda: render_csv(plan_of_run(run))
    yield "Plan, XLSX", "plan.xlsx", lambda: render_xlsx(plan_of_run(run))


def _write(path: Path, content: bytes) -> None:
    handle, beside = tempfile.mkstemp(prefix=f".{path.name}.", dir=path.parent)
    try:
        with os.fdopen(handle, "wb") as file:
            file.write(content)
        os.chmod(beside, 0o644)  # mkstemp's 0600 would hide a report from the CI system's own user
        os.replace(beside, path)
    except BaseException:
        with suppress(OSError):  # what went wrong first is to be told
            os.unlink(beside)
        raise
