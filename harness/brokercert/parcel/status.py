"""How the commands of the parcel end (docs/exit-codes.md), and what is wrong with a bundle, as one sentence."""

from __future__ import annotations

import enum


class Status(enum.IntEnum):
    """None of them is 1, which is said of a client only."""

    WHOLE = 0  # and of a certified run; of `diff`: the same or better
    DRAFT = 4  # whole, and nothing is certified by it
    WORSE = 5
    WRONG = 6  # it is not what its sender made, or it does not follow from its traces
    OTHERWISE = 7  # whole, and this version judges its traces otherwise than the one that made it
    UNREADABLE = 8  # it cannot be checked here: no bundle, of a newer format, its set is not installed


class BundleError(Exception):
    """What is wrong with a bundle, and where: one sentence. `status`: how the command ends."""

    def __init__(self, text: str, status: Status = Status.WRONG) -> None:
        super().__init__(text)
        self.status = status
