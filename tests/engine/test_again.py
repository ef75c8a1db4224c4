"""The body of a trace is the same, byte for byte, whichever process plays it; and volumes are full where asked for."""

from __future__ import annotations

from collections import Counter
from pathlib import Path

import pytest
from brokercert.engine.run.run import Quiet, RunRequest, run_certification
from brokercert.matrix.again import Repeats, bodies, shares_of
from brokercert.matrix.subjects import REFERENCE, subject_named
from brokercert.parallel import in_order, local
from brokercert.trace import Trace, read_trace
from brokercert.trace import records as r
from brokercert.verdict import Verdict

SET = "tradovate-stage2"
# What may differ from one process to the next: ports in names and errors, certificates, draws, the order of a set.
SCENARIOS = {
    SET: ("answer-held", "name-unresolved", "tls-untrusted", "outage-refused", "away-proxied", "hostile-run"),
    "arrow-orders": ("events-raised", "outage-ladder"),
}


def test_two_processes_write_the_same_body() -> None:
    shares = [
        share for set_id, names in SCENARIOS.items() for name in names for share in shares_of(Repeats(set_id, name, 4))
    ]
    told: dict[str, Counter[str]] = {share.scenario: Counter() for share in shares}
    for share, found in zip(shares, in_order(bodies, shares, local(2)).complete, strict=True):
        told[share.scenario] += found
    assert {name: found.total() for name, found in told.items()} == dict.fromkeys(told, 4)
    assert {name for name, found in told.items() if len(found) > 1} == set()


def test_shares_are_all_repeats_and_no_more() -> None:
    for times, sizes in ((25, [10, 10, 5]), (20, [10, 10]), (3, [2, 1]), (1, [1])):
        assert [share.times for share in shares_of(Repeats(SET, "steady", times))] == sizes


LONG = pytest.mark.long


def play(folder: Path, name: str, *, full: bool) -> tuple[Trace, set[Verdict]]:
    """A scenario's trace, and what was said of rows that virtual time can show."""
    subject = subject_named(SET, REFERENCE)
    request = RunRequest(SET, subject, out=folder, scenarios=(name,), tier="virtual", full_volume=full)
    run = run_certification(request, Quiet())
    trace = read_trace(folder / run.run_id / "traces" / f"{name}.jsonl")
    return trace, {f.verdict for row in run.rows for f in row.findings if f.scenario == name and row.id != "EVT-150"}


def events(trace: Trace) -> int:
    return sum(isinstance(x, r.Frame) and (x.text or "").startswith('a[{"e":') for x in trace.records)


@pytest.mark.parametrize(
    ("name", "small", "full"),
    [
        pytest.param("load", 20 * 21, 200 * 21, marks=LONG),
        ("snapshot-large", 20 * 16, 50 * 16),
        pytest.param("burst-processed", 0, 10_000, marks=LONG),  # `burst_messages`
    ],
)
def test_volumes_in_virtual_time_are_small_or_those_of_real_time(
    tmp_path: Path, name: str, small: int, full: int
) -> None:
    few, said = play(tmp_path / "small", name, full=False)
    assert said <= {Verdict.PASS} and small <= events(few) < max(full, 1)
    many, said = play(tmp_path / "full", name, full=True)
    assert said <= {Verdict.PASS} and events(many) >= full
    assert many.header.full and not few.header.full
    if name == "snapshot-large":
        size = max(len(x.text or "") for x in many.records if isinstance(x, r.Frame))
        assert (
            size
            >= many.header.limits["snapshot_size"]
            > max(len(x.text or "") for x in few.records if isinstance(x, r.Frame))
        )
    if name == "burst-processed":  # each is taken, though none is timed
        assert sum(isinstance(x, r.SubjectReport) and x.event == "processed" for x in many.records) >= full
