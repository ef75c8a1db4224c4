"""The open files that this process may have: raised for a run where its limit is too low, and not handed on.

The law: a client is started with the limit that its user set. A raised one would hide a leak, and some programs go
through every descriptor that they could have.
"""

from __future__ import annotations

import errno
import resource
import sys
from collections.abc import Callable

from brokercert.engine.client.leftovers import TAGGED

# What the system says where this process, or the whole machine, has no more of something.
SHORT = frozenset((errno.EMFILE, errno.ENFILE, errno.ENOMEM, errno.EAGAIN, errno.ENOBUFS))
NO_LIMIT = 1 << 30  # stands for "unlimited"

_users: int | None = None  # the soft limit before we raised it


def open_files() -> tuple[int, int]:
    """The soft and the hard limit of this process."""
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    return _number(soft), _number(hard)


def _number(limit: int) -> int:
    return NO_LIMIT if limit == resource.RLIM_INFINITY else limit


def raise_open_files(wanted: int) -> int:
    """Raise the soft limit to `wanted`, or as far as the hard one allows. It is never lowered. Returns what it is."""
    global _users
    soft, hard = open_files()
    new = min(wanted, hard)
    if new <= soft:
        return soft
    try:
        resource.setrlimit(resource.RLIMIT_NOFILE, (new, resource.getrlimit(resource.RLIMIT_NOFILE)[1]))
    except (ValueError, OSError):  # a system that has another bound beside: as it was
        return soft
    _users = soft if _users is None else _users
    return new


def for_a_client(tag: int) -> Callable[[], None]:
    """What a client's process is to do before it becomes the client: take the user's limit of open files back, leave no
    core file where it crashes, and bear its tag (`client/leftovers.py`). Costs some two milliseconds a start.
    """
    limits = [(resource.RLIMIT_CORE, (0, resource.getrlimit(resource.RLIMIT_CORE)[1]))]
    if _users is not None:
        limits.append((resource.RLIMIT_NOFILE, (_users, resource.getrlimit(resource.RLIMIT_NOFILE)[1])))
    if sys.platform == "linux":
        limits += _tagged(tag)

    def act() -> None:
        for what, those in limits:
            resource.setrlimit(what, those)

    return act


def _tagged(tag: int) -> list[tuple[int, tuple[int, int]]]:
    """Nothing where this system, or somebody above us, has a limit there already."""
    try:
        hard = resource.getrlimit(TAGGED)[1]
    except (ValueError, OSError):
        return []
    return [(TAGGED, (tag, hard))] if hard == resource.RLIM_INFINITY else []
