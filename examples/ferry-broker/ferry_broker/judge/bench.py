"""What a Ferry check is handed, and the book that it is registered in."""

from __future__ import annotations

from dataclasses import dataclass

from brokercert.judge.check import AnyBench, CheckBook

from ferry_broker.judge.fold import Ride

BOOK = CheckBook()
check = BOOK.check


@dataclass(frozen=True, slots=True)
class FerryBench(AnyBench):
    """The Ferry dialect's."""

    talk: Ride
