"""Mutants: the reference client with one defect each, and what each defect must fail. One folder an area.

A check that no mutant fails proves nothing. What a mutant fails is written from the requirement's text, with the
reason; `Mutant.also` are rows that the same defect may bring down with it.
"""

from brokercert.mutants.register import import_all
from brokercert.mutants.tradovate.failures import FAILURES, UNREPORTED
from brokercert.mutants.tradovate.forms import FORMS
from brokercert.mutants.tradovate.mutant import MUTANTS, Mutant

__all__ = ["FAILURES", "FORMS", "MUTANTS", "UNREPORTED", "Mutant"]

import_all(__name__, __path__)
