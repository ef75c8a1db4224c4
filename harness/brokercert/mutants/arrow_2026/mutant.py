"""The register of the third edition's mutants: in the modules beside it, one an area, by the decorator below."""

from __future__ import annotations

from brokercert.mutants.register import Register

__all__ = ["MUTANTS", "mutant"]

MUTANTS = Register()
mutant = MUTANTS.mutant
