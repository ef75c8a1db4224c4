"""A place before the other programs of a busy machine, where the system lets us have one.

The mock broker and the client under test mostly wait; what they miss is a core at the right moment. With it a run on a
machine that other programs fill ends certified, where it would be inconclusive without (docs/standstills.md).
"""

from __future__ import annotations

import os
from contextlib import suppress

RAISED = -10  # niceness: of a core that a usual program wants too, nine times in ten ours


def raise_priority() -> None:
    """Of this process and of all that it starts from here on. Only a privileged one may; for any other, nothing
    changes. To be called before there is a thread: each has a priority of its own.
    """
    if not hasattr(os, "setpriority"):
        return
    with suppress(OSError):
        if os.getpriority(os.PRIO_PROCESS, 0) > RAISED:
            os.setpriority(os.PRIO_PROCESS, 0, RAISED)


def niceness() -> int:
    """That of this process; 0 where the system has none."""
    return os.getpriority(os.PRIO_PROCESS, 0) if hasattr(os, "getpriority") else 0
