"""Mutants of the Arrow dialect by the third edition: its reference client with one defect each.

A defect that a client of either edition may have is written in the first's mutants, and named here again with the rows
that fall by it.
"""

from brokercert.mutants.arrow_2026.mutant import MUTANTS
from brokercert.mutants.register import import_all

__all__ = ["MUTANTS"]

import_all(__name__, __path__)
