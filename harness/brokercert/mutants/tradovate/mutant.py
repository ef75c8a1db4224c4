"""The Tradovate dialect's register of mutants: in the folders beside it, one an area, by the decorator below."""

from __future__ import annotations

from brokercert.mutants.register import Mutant, Register

__all__ = ["MUTANTS", "Mutant", "mutant"]

MUTANTS = Register()
mutant = MUTANTS.mutant
