"""Folders that are written to: a run's is there while it is played, and gone again where no client was run; and any is
found unusable before the work is done, not after.

The law: what was recorded of a client is never removed.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from tempfile import TemporaryFile

from brokercert.engine.client.ended import has_client
from brokercert.engine.errors import UsageError
from brokercert.engine.run.latest import LATEST, is_no_link, leads_to, point_latest, take_back
from brokercert.trace import TraceError, read_trace
from brokercert.trace.file import FOLDER


@contextmanager
def run_folder(out: Path, run_id: str, told: str) -> Iterator[Path]:
    """`out`/`run_id` with its `traces`; gone again where a `UsageError` ends the block and no client ever ran. `latest`
    leads to it from the first: a run that is killed can do nothing about it any more.

    `told` is who said `out`. Raises `UsageError`, which names the folder where it stays; any other error that ends the
    block gets a note that names it.
    """
    if is_no_link(out):
        raise UsageError(
            f"{told}: {out / LATEST} is no link, so that it would go on to show an earlier run, or whatever it is; "
            "expected the link to the newest run, or nothing of that name; move it away, or name another folder"
        )
    folder = out / run_id
    ours = made(folder, f"{told}: no run can be written to {out}")
    before = leads_to(out)
    try:
        (folder / "traces").mkdir(FOLDER)
        point_latest(folder)
        yield folder
    except UsageError as error:
        if any(_ran(path) for path in (folder / "traces").glob("*.jsonl")):
            raise UsageError(f"{error}; {_kept(folder)}") from error
        take_back(folder, before)
        shutil.rmtree(folder, ignore_errors=True)
        remove(ours[1:])
        raise
    except Exception as error:
        if any((folder / "traces").glob("*.jsonl")):
            error.add_note(f"brokercert: {_kept(folder)}")
        raise


def _kept(folder: Path) -> str:
    return f"what was recorded until then stands in {folder}, for `brokercert judge {folder}`"


def _ran(path: Path) -> bool:
    """Whether a client ran in this trace, as far as the file can tell: one that cannot be read is not thrown away."""
    try:
        return has_client(read_trace(path))
    except TraceError:
        return True


def check_folder(folder: Path, told: str) -> None:
    """Whether it is there or can be made; it is left as it was. `told` is who said it. Raises `UsageError`."""
    wrong = f"{told}: nothing can be written to {folder}"
    ours = made(folder, wrong)
    try:
        with TemporaryFile(dir=folder):
            pass
    except OSError as error:
        raise _unusable(wrong, error) from error
    finally:
        remove(ours)


def made(folder: Path, wrong: str) -> list[Path]:
    """Make it; what of it and its parents was not there, innermost first. `wrong` begins the `UsageError`."""
    ours: list[Path] = []
    try:
        ours += [place for place in (folder, *folder.parents) if not os.path.lexists(place)]
        folder.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        remove(ours)
        raise _unusable(wrong, error) from error
    return ours


def _unusable(wrong: str, error: OSError) -> UsageError:
    return UsageError(f"{wrong}: {error.strerror or error}; expected a folder, there or to be made")


def remove(places: list[Path]) -> None:
    """Folders that we made, innermost first, if they are empty: another run may have come into them."""
    for place in places:
        with suppress(OSError):
            place.rmdir()
