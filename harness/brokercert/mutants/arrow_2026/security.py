"""Defects of keeping secrets."""

from __future__ import annotations

from brokercert.mutants.arrow import security as first
from brokercert.mutants.arrow_2026.mutant import mutant
from brokercert.reference.arrow.edition3 import THIRD


@mutant("logs-its-address", "AOS-010", reason="the token is in the address")
class LogsItsAddress(first.LogsItsAddress):
    """Prints the address that it connects to."""

    edition = THIRD
