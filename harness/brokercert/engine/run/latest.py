"""`latest`, the link beside the folders of runs: it leads to the newest run, from when that began.

The law: however a run ends, `latest` does not lead to an earlier one, whose certificate would be taken for its own.
"""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

LATEST = "latest"


def point_latest(folder: Path) -> list[str]:
    """Make `latest`, beside `folder`, mean it; leave it where something else is called so.

    Where no link can be made an older one is removed. What went wrong, in sentences.
    """
    latest = folder.parent / LATEST
    if is_no_link(folder.parent):
        return [f"{latest} is no link, and does not lead to this run: use {folder}, and move {latest} away"]
    try:
        _link(latest, folder.name)
    except OSError as error:
        return _without(latest, error)
    return []


def is_no_link(out: Path) -> bool:
    """Whether something that is not ours is called so: a copy of an earlier run, say, that a CI system brought back."""
    latest = os.fspath(out / LATEST)
    return os.path.lexists(latest) and not os.path.islink(latest)


def leads_to(out: Path) -> str:
    """What `latest` in this folder of runs leads to; empty where there is none."""
    try:
        return os.readlink(out / LATEST)
    except OSError:
        return ""


def take_back(folder: Path, before: str) -> None:
    """Nothing was run in `folder`: `latest` leads where it led before, unless another run has moved it meanwhile."""
    latest = folder.parent / LATEST
    if leads_to(folder.parent) != folder.name:
        return
    with suppress(OSError):
        if before:
            _link(latest, before)
        else:
            latest.unlink()


def _link(latest: Path, target: str) -> None:
    """In one step: whoever looks finds the old one or the new one."""
    new = latest.with_name(f".latest-{os.getpid()}")
    new.unlink(missing_ok=True)
    new.symlink_to(target, target_is_directory=True)
    new.replace(latest)


def _without(latest: Path, error: OSError) -> list[str]:
    if not os.path.islink(latest):
        return []  # a file system without links: the reports' paths are printed anyway
    why = error.strerror or error
    try:
        latest.unlink()
    except OSError:
        return [f"{latest} leads to an earlier run and could not be moved: {why}; remove it"]
    return [f"{latest} led to an earlier run and was removed: no link to this run could be made: {why}"]
