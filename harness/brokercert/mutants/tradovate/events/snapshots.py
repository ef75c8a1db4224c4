"""Defects in taking snapshots."""

from __future__ import annotations

import dataclasses
from typing import Any

from brokercert.mutants.tradovate.mutant import mutant
from brokercert.reference.tradovate.client import ReferenceClient
from brokercert.reference.tradovate.requests import Outcome
from brokercert.reference.tradovate.session import Session


@mutant(
    "a-mebibyte-is-enough",
    "EVT-090",
    also={
        "LOG-060": "it ends a connection with 1009 while the server is healthy",
        "HBT-030": "a snapshot of 5 MiB is more than it takes: 1009",
    },
    reason="a snapshot of 5 MiB is more than it takes: 1009",
)
class AMebibyte(ReferenceClient):
    """Keeps its library's default limit of 1 MiB for a message."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.config = dataclasses.replace(self.config, largest_message=1024 * 1024)


class _FirstPartOnly(Session):
    def on_sync_part(self, outcome: Outcome, now: float) -> None:
        pass


@mutant("takes-the-first-part-only", "EVT-095", reason="two thirds of the orders are in the parts that follow")
class FirstPartOnly(ReferenceClient):
    """Takes the first part of a split snapshot for the whole."""

    session_class = _FirstPartOnly
