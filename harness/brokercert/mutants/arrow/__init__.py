"""Mutants of the Arrow dialect: its reference client with one defect each, and what each defect must fail.

One module an area. What the page's own three samples get wrong is among them (docs/arrow-samples.md).
"""

from brokercert.mutants.arrow.mutant import MUTANTS
from brokercert.mutants.register import import_all

__all__ = ["MUTANTS"]

import_all(__name__, __path__)
