"""Mutants of the Arrow dialect: its reference client with one defect each, and what each defect must fail.

What the page's own three samples get wrong is among them (docs/arrow-samples.md).
"""

from brokercert.mutants.arrow.mutant import MUTANTS

__all__ = ["MUTANTS"]
