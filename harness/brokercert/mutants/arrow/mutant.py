"""The Arrow dialect's mutants: in the modules of this package, by the decorator below."""

from __future__ import annotations

import importlib

from brokercert.mutants.register import Register

__all__ = ["MUTANTS", "mutant"]

MUTANTS = Register()
mutant = MUTANTS.mutant

for _module in ("connecting", "keeping", "orders"):
    importlib.import_module(f"brokercert.mutants.arrow.{_module}")
