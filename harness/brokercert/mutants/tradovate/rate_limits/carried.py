"""Defects of what waits for a penalty when its socket dies."""

from __future__ import annotations

from brokercert.mutants.tradovate.carrying import Carrying
from brokercert.mutants.tradovate.mutant import mutant


@mutant(
    "sends-what-waited-though-told-as-failed",
    "RLP-090",
    reason="whoever was told that the request failed has sent another one",
)
class CarriesSilently(Carrying):
    """Tells a request that waits for its penalty as failed when its socket dies, and sends it on the next one."""
