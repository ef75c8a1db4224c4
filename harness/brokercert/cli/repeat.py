"""`certify --repeat N`: the same run N times, and one record of them all."""

from __future__ import annotations

import datetime
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from brokercert.cli.outlet import say

if TYPE_CHECKING:
    from brokercert.engine.run.request import RunRequest
    from brokercert.verdict import RunRecord


def run_times(request: RunRequest, times: int) -> tuple[RunRecord, Path]:
    """The record and its folder. It ends early where a run was interrupted, or failed where that is enough.

    A Ctrl-C between two runs ends it with a record of those that were: *interrupted*. Raises `UsageError`, and
    `KeyboardInterrupt` where there was none yet.
    """
    from brokercert_reports.write import write_what_fits

    from brokercert.cli.finish import told
    from brokercert.engine.run.repeat import repeat_folder, repeated
    from brokercert.engine.run.request import run_id_at
    from brokercert.verdict import Outcome

    run_id = run_id_at(datetime.datetime.now(datetime.UTC))
    runs: list[RunRecord] = []
    between = False
    with repeat_folder(request.out, run_id, request.out_told) as folder:
        for number in range(1, times + 1):
            say(f"run {number} of {times}", err=True)
            try:
                run = run_once(replace(request, out=folder))
            except KeyboardInterrupt:  # it came before this run began, or as it did
                if not runs:
                    raise
                say(f"brokercert: interrupted before run {number} of {times}: {_so_far(runs)}", err=True)
                between = True
                break
            for text in told(write_what_fits(run, folder / run.run_id), folder / run.run_id):
                say(f"brokercert: {text}", err=True)
            runs.append(run)
            if run.outcome is Outcome.INTERRUPTED or (request.fail_fast and run.outcome is Outcome.FAILED):
                break
    return repeated(runs, run_id, interrupted=between), folder


def _so_far(runs: Sequence[RunRecord]) -> str:
    from brokercert_reports.text import several

    return f"{several(len(runs), 'run')} before it {'is' if len(runs) == 1 else 'are'} told below"


def run_once(request: RunRequest) -> RunRecord:
    """One run, with its progress on standard error. Raises `UsageError`."""
    from brokercert.cli.progress import LiveProgress, progress_for
    from brokercert.engine.run import run as engine

    progress = progress_for()
    try:
        return engine.run_certification(request, progress)
    finally:
        if isinstance(progress, LiveProgress):
            progress.stop()
