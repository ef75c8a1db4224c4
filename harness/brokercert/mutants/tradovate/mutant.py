"""The Tradovate dialect's mutants: in the modules of this package, by the decorator below."""

from __future__ import annotations

import importlib

from brokercert.mutants.register import Mutant, Register

__all__ = ["MUTANTS", "Mutant", "mutant"]

MUTANTS = Register()
mutant = MUTANTS.mutant

MODULES = (
    "login frames credentials requests queueing heartbeats streams events tickets restraint reconnect subscriptions"
    " outages messages resources snapshots repetition state recovery fields grid"
)
for _module in MODULES.split():
    importlib.import_module(f"brokercert.mutants.tradovate.{_module}")
