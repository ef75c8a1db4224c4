"""The end of a run: the reports written, `latest` pointed at them, the result on the console, the exit status."""

from __future__ import annotations

import os
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from brokercert.cli import silence_output
from brokercert.verdict import EXIT_CODES, RunRecord


def finish(run: RunRecord, folder: Path | None) -> int:
    """Write the reports into `folder` (None: nowhere), show the result, and say how to exit."""
    from brokercert_reports.write import write_reports

    return show(run, write_reports(run, folder) if folder else {})


def show(run: RunRecord, reports: Mapping[str, Path]) -> int:
    """The result on standard output."""
    from brokercert_reports.console import render_console
    from rich.console import Console

    class Steady(Console):
        def on_broken_pipe(self) -> None:
            """A reader that has gone (`| head`) does not change what is answered; rich would exit with 1 here."""
            silence_output()

    render_console(run, Steady(), reports=reports)
    return EXIT_CODES[run.outcome].value


def point_latest(folder: Path) -> None:
    """Make `latest`, beside `folder`, mean it; leave it where something else is called so, or links cannot be made."""
    latest = folder.parent / "latest"
    if latest.exists() and not latest.is_symlink():
        return
    new = folder.parent / f".latest-{os.getpid()}"
    with suppress(OSError):  # a file system without links: the reports' paths are printed anyway
        new.unlink(missing_ok=True)
        new.symlink_to(folder.name, target_is_directory=True)
        new.replace(latest)
