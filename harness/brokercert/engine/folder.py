"""The folder of a run: there while it is played, and gone again where nothing was run."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from brokercert.engine.errors import UsageError


@contextmanager
def run_folder(out: Path, run_id: str, told: str) -> Iterator[Path]:
    """`out`/`run_id` with its `traces`, and without a trace of it where a `UsageError` ends the block.

    `told` is who said `out`. Raises `UsageError`.
    """
    folder = out / run_id
    ours = [place for place in (folder, *folder.parents) if not place.exists()]
    try:
        (folder / "traces").mkdir(parents=True)
    except OSError as error:
        _remove(ours)
        why = error.strerror or str(error)
        raise UsageError(
            f"{told}: no run can be written to {out}: {why}; expected a folder, there or to be made"
        ) from error
    try:
        yield folder
    except UsageError:
        shutil.rmtree(folder, ignore_errors=True)
        _remove(ours[1:])
        raise


def _remove(places: list[Path]) -> None:
    """Folders that we made, innermost first, if they are empty: another run may have come into them."""
    for place in places:
        with suppress(OSError):
            place.rmdir()
