"""Mutants: the reference client with one defect each, and what each defect must fail.

A check that no mutant fails proves nothing. What a mutant fails is written from the requirement's text, with the
reason; `Mutant.also` are rows that the same defect may bring down with it.
"""

from brokercert.mutants.tradovate.failures import FAILURES
from brokercert.mutants.tradovate.mutant import MUTANTS, Mutant

__all__ = ["FAILURES", "MUTANTS", "Mutant"]
