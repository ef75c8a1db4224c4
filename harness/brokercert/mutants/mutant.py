"""The Tradovate dialect's mutants: in the modules of this package, by the decorator below."""

from __future__ import annotations

import importlib

from brokercert.mutants.register import Mutant, Register

__all__ = ["MUTANTS", "Mutant", "mutant"]

MUTANTS = Register()
mutant = MUTANTS.mutant

for _module in ("login", "heartbeats", "events", "tickets", "reconnect", "messages"):
    importlib.import_module(f"brokercert.mutants.{_module}")
