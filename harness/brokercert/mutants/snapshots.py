"""Defects in taking snapshots."""

from __future__ import annotations

import dataclasses
from typing import Any

from brokercert.mutants.mutant import mutant
from brokercert.reference.client import ReferenceClient


@mutant("a-mebibyte-is-enough", "EVT-090", also="HBT-030", reason="a snapshot of 5 MiB is more than it takes: 1009")
class AMebibyte(ReferenceClient):
    """Keeps its library's default limit of 1 MiB for a message."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.config = dataclasses.replace(self.config, largest_message=1024 * 1024)
