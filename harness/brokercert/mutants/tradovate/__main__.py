"""`python -m brokercert.mutants.tradovate [--hasty] NAME`: a mutant as a process, from its environment.

With `--hasty` its delays before an attempt do not grow, so that many losses in a row take little time.
"""

from __future__ import annotations

import dataclasses
import sys
from collections.abc import Callable, Mapping

from brokercert.mutants.tradovate import MUTANTS
from brokercert.reference.tradovate.__main__ import main
from brokercert.reference.tradovate.client import ReferenceClient

HASTY = "--hasty"


def hasty(client: type[ReferenceClient]) -> Callable[[Mapping[str, str], Callable[[str], None]], ReferenceClient]:
    """The same client, its longest delay no more than its first."""

    def make(env: Mapping[str, str], output: Callable[[str], None]) -> ReferenceClient:
        made = client(env, output)
        made.config = dataclasses.replace(made.config, longest_delay=made.config.first_delay)
        return made

    return make


if __name__ == "__main__":
    options, names = sys.argv[1:-1], sys.argv[-1:]
    if options not in ([], [HASTY]) or names[0] not in MUTANTS:
        print(
            f"usage: python -m brokercert.mutants.tradovate [{HASTY}] NAME; names: {', '.join(MUTANTS)}",
            file=sys.stderr,
        )
        sys.exit(2)
    mutant = MUTANTS[names[0]].client
    sys.exit(main(hasty(mutant) if options else mutant))
