"""Which cells of a suite's grid a run in real time plays: few, with every fault and every phase among them.

The rest is played in virtual time, where the client can run in this process. The choice is the seed's: another seed
plays other cells.
"""

from __future__ import annotations

import random
from collections.abc import Sequence

from brokercert.engine.play.scenario import Scenario


def sampled(cells: Sequence[Scenario], seed: int) -> list[Scenario]:
    """A small choice of `cells` in which each of their faults and phases stands at least once."""
    left = list(cells)
    random.Random(seed).shuffle(left)
    faults = {s.cell.fault for s in left if s.cell}
    phases = {s.cell.phase for s in left if s.cell}
    chosen: list[Scenario] = []
    while faults or phases:
        best = max(left, key=lambda s: (s.cell.fault in faults) + (s.cell.phase in phases) if s.cell else -1)
        assert best.cell is not None
        chosen.append(best)
        left.remove(best)
        faults.discard(best.cell.fault)
        phases.discard(best.cell.phase)
    return chosen
