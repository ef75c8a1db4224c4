"""Defects of keeping secrets."""

from __future__ import annotations

from typing import Any

from brokercert.mutants.arrow.mutant import mutant
from brokercert.reference.arrow.subject import ArrowSubject


@mutant("logs-its-address", "AOS-010", reason="session and token are in the address")
class LogsItsAddress(ArrowSubject):
    """Prints the address that it connects to."""

    def __init__(self, env: Any, output: Any, **more: Any) -> None:
        super().__init__(env, output, **more)
        output(f"connecting to {self.client.url()}")
