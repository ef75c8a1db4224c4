"""What is told to a trace, and when no more."""

from __future__ import annotations

from pathlib import Path

import pytest
from brokercert.trace import TraceWriter, read_trace
from brokercert.trace import records as r
from mock_bench import header


@pytest.mark.parametrize("held", [False, True], ids=["at once", "kept back"])
def test_the_end_is_the_last_record_whatever_is_told_after_it(tmp_path: Path, held: bool) -> None:
    """A broker that a standstill keeps from closing in time tells more: judged again, that is no interrupted run."""
    writer = TraceWriter(tmp_path / "trace.jsonl", header(), began=0.0)
    if held:
        writer.hold()
    writer.add(r.Accepted(t=1, conn=1))
    writer.add(r.Finished(t=2, state="completed"))
    writer.add(r.Ended(t=3, conn=1, by="client", how="fin"))
    writer.close()
    last = read_trace(tmp_path / "trace.jsonl").records[-1]
    assert isinstance(last, r.Finished) and writer.records[-1] == last
