"""The reference client through one scenario in virtual time, again and again: the body of the trace is always the same.

Shares are small, so that one scenario's repeats meet several processes, each with its own order of hashes and its own
ports: what depends on either is found.
"""

from __future__ import annotations

import hashlib
import tempfile
from collections import Counter
from dataclasses import dataclass
from pathlib import Path

from brokercert.engine.play.scenario import load_suite
from brokercert.engine.run.run import RunRequest
from brokercert.engine.run.virtual_run import play_alone
from brokercert.matrix.subjects import REFERENCE, subject_named
from brokercert.requirements import load_set

SHARE = 10  # repeats: some tenths of a second of work, and a hundred shares of a thousand


@dataclass(frozen=True, slots=True)
class Repeats:
    """`times` repeats of one scenario. It names things only, so that it can go to another machine."""

    set_id: str
    scenario: str
    times: int
    seed: int = 1
    full_volume: bool = False


def shares_of(one: Repeats) -> list[Repeats]:
    """`one` in parts, of which there are two at least: side by side they meet two processes."""
    size = min(SHARE, (one.times + 1) // 2)
    sizes = [min(size, one.times - start) for start in range(0, one.times, size)]
    return [Repeats(one.set_id, one.scenario, size, one.seed, one.full_volume) for size in sizes]


def bodies(share: Repeats) -> Counter[str]:
    """How often each body came, by its SHA-256. Called in workers."""
    rows, scenario = load_set(share.set_id), load_suite(share.set_id).by_name(share.scenario)
    found: Counter[str] = Counter()
    for _ in range(share.times):
        subject = subject_named(share.set_id, REFERENCE, share.seed)
        request = RunRequest(share.set_id, subject, seed=share.seed, tier="virtual", full_volume=share.full_volume)
        with tempfile.TemporaryDirectory(prefix="brokercert-again-") as folder:
            play_alone(scenario, request, rows, "again", Path(folder))
            data = (Path(folder) / "traces" / f"{scenario.name}.jsonl").read_bytes()
        found[hashlib.sha256(data.partition(b"\n")[2]).hexdigest()] += 1
    return found
