"""Defects of how often the end of a request is told."""

from __future__ import annotations

from brokercert.mutants.tradovate.carrying import Carrying, CarryingQueue
from brokercert.mutants.tradovate.mutant import mutant


class _TellingQueue(CarryingQueue):
    TWICE = True


@mutant(
    "tells-two-ends-of-what-waited",
    "REQ-040",
    also="RLP-090",
    reason="each request has one end; the first was told before the broker had been asked",
)
class CarriesAndTells(Carrying):
    """Tells a request that waits for its penalty as failed when its socket dies, sends it later, and tells that too."""

    queue = _TellingQueue
