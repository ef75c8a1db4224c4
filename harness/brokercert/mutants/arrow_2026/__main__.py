"""`python -m brokercert.mutants.arrow_2026 NAME`: a mutant as a process, from its environment."""

from __future__ import annotations

import sys

from brokercert.mutants.arrow_2026 import MUTANTS
from brokercert.reference.arrow.__main__ import main

if __name__ == "__main__":
    if len(sys.argv) != 2 or sys.argv[1] not in MUTANTS:
        print(f"usage: python -m brokercert.mutants.arrow_2026 NAME; names: {', '.join(MUTANTS)}", file=sys.stderr)
        sys.exit(2)
    sys.exit(main(MUTANTS[sys.argv[1]].client))
