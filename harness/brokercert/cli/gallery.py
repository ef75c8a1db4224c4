"""`brokercert gallery FOLDER`: one static page over many bundles, and a badge for each."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from brokercert.cli.options import JOBS, Place
from brokercert.cli.outlet import say

if TYPE_CHECKING:
    from brokercert_reports.gallery import Shown


@click.command(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--out", type=Place(file_okay=False), help="Where the page is written (default: gallery in FOLDER).")
@click.option("--title", metavar="TEXT", default="Bundles", show_default=True, help="Title of the page.")
@JOBS
@click.argument("folder", type=Place(exists=True, file_okay=False))
def gallery(folder: Path, out: Path | None, title: str, jobs: int) -> int:
    """Check every bundle (*.zip) of a folder, and make one static page of them, with a badge for each.

    Exit status: 0 every bundle is whole and of a certified run; else that of verify, the largest. What cannot be read
    is told as such, and is 8.
    """
    from brokercert_reports.gallery import render_badge, render_gallery

    from brokercert.engine.ask.given import write_given
    from brokercert.engine.client.environment import tool
    from brokercert.engine.errors import UsageError
    from brokercert.engine.run.folder import check_folder

    bundles = sorted(folder.glob("*.zip"))
    if not bundles:
        raise UsageError(f"{folder}: no bundle in this folder; expected files *.zip, as `brokercert bundle` makes")
    place = out or folder / "gallery"
    check_folder(place, "--out" if out else str(folder))
    place.mkdir(parents=True, exist_ok=True)
    found, statuses = [], []
    for path in bundles:
        status, one = _checked(path, jobs)
        statuses.append(status)
        found.append(one)
        write_given(place / one.badge, render_badge(one).encode(), "gallery")
        say(f"{one.file}: {one.word}")
    write_given(place / "index.html", render_gallery(found, title, tool()).encode(), "gallery")
    say(f"{len(found)} bundle(s): {place / 'index.html'}")
    return max(statuses)


def _checked(path: Path, jobs: int) -> tuple[int, Shown]:
    """The status of verify, and what the page shows of the bundle."""
    from brokercert_reports.gallery import not_whole, shown

    from brokercert.cli.parcel import LITTLE, short
    from brokercert.engine.errors import UsageError
    from brokercert.parallel import workers
    from brokercert.parcel.check import check
    from brokercert.parcel.status import BundleError, Status

    try:
        checked = check(path, make=workers("", jobs, few=path.stat().st_size < LITTLE))
    except (UsageError, OSError) as error:  # a folder, a pipe, a link to nothing, a file that went away or is barred
        why = error.strerror or str(error) if isinstance(error, OSError) else str(error)
        told = why.removeprefix(f"{path}: ")
        return Status.UNREADABLE.value, not_whole(path.name, short(told), wrong=False)
    except BundleError as error:
        wrong = error.status is Status.WRONG
        return error.status.value, not_whole(path.name, short(str(error)), wrong=wrong)
    places = dict.fromkeys(one.row or one.place for one in checked.otherwise)
    told = f"This build judges otherwise: {', '.join(places)}" if places else ""
    if not places and not checked.vouched:
        told = f"Judged the same, and nothing vouches for its pages: {checked.judge}"
    one = shown(path.name, checked.run, draft=checked.draft, signer=checked.signer, told=short(told))
    return checked.status.value, one
