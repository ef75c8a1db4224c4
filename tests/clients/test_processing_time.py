"""Clients of known slowness under EVT-150, each as a program in real time, the burst smaller than the full one's.

On a machine that is busy with other things the row says so, and nothing more; then only the figure is looked at, which
is never below what the client takes.
"""

from __future__ import annotations

import asyncio
import sys
from pathlib import Path

import pytest
from brokercert.engine.client.subject import SubjectSpec
from brokercert.engine.play.gate import StartGate
from brokercert.engine.run.run import Quiet, RunRequest, certify
from brokercert.verdict import Finding, RunRecord

HERE = Path(__file__).resolve().parent
SET = "tradovate-stage2"
# Several at once, at a rate that all of them bear on two cores; and alone, at the real rate.
SLOW, FAST = {"burst_messages": 300, "burst_rate": 200}, {"burst_messages": 500}
TIMER = 5.0  # milliseconds by which the client's own timer may be late
TOGETHER = ("delays_150", "delays_80", "buffers", "by_ordinal")

pytestmark = pytest.mark.timeout(90)


def request(name: str, limits: dict[str, float], out: Path) -> RunRequest:
    command = (sys.executable, str(HERE / f"timed_{name}.py"))
    spec = SubjectSpec(name, command=command, level="reports", offers=frozenset({"wire", "stop", "report"}))
    return RunRequest(SET, spec, only=("EVT-150",), limits=limits, out=out / name)


def findings_of(record: RunRecord) -> list[Finding]:
    row = next(row for row in record.rows if row.id == "EVT-150")
    assert {s.state for s in record.scenarios if s.name == "burst-processed"} == {"completed"}
    return list(row.findings)


@pytest.fixture(scope="module")
def found(tmp_path_factory: pytest.TempPathFactory) -> dict[str, list[Finding]]:
    out = tmp_path_factory.mktemp("timed")

    async def play() -> dict[str, list[Finding]]:
        gate = StartGate()
        runs = [certify(request(name, SLOW, out), Quiet(), gate) for name in TOGETHER]
        return dict(zip(TOGETHER, map(findings_of, await asyncio.gather(*runs)), strict=True))

    return asyncio.run(play())


def figure(finding: Finding, name: str) -> tuple[float, float]:
    """Milliseconds and their error."""
    one = next(one for one in finding.measured if one.name == name)
    return one.value * 1000, one.error * 1000


def busy(finding: Finding) -> bool:
    return figure(finding, "the echo process beside it, worst")[0] > 20 or "other programs" in finding.observed


def slow_once(finding: Finding) -> bool:
    """The machine kept a single message of the client's: 99 of 100 were in time."""
    return finding.verdict == "warning" and finding.clause == "worst"


def test_a_pipelined_delay_of_150_ms_fails_with_its_figure(found: dict[str, list[Finding]]) -> None:
    finding = found["delays_150"][0]
    value, error = figure(finding, "processing, p99")
    assert value >= 150
    if not busy(finding):
        assert finding.verdict == "fail" and value - error <= 150 + TIMER
    assert finding.verdict in ("fail", "inconclusive")


def test_one_of_80_ms_passes(found: dict[str, list[Finding]]) -> None:
    finding = found["delays_80"][0]
    assert figure(finding, "processing, median")[0] >= 80
    assert finding.verdict == "pass" or slow_once(finding) or (busy(finding) and finding.verdict == "inconclusive")


def test_buffered_output_is_named(found: dict[str, list[Finding]]) -> None:
    finding = found["buffers"][0]
    assert finding.verdict == "inconclusive"
    assert "your output is buffered" in finding.observed or busy(finding)


def test_messages_may_be_named_by_their_ordinals(found: dict[str, list[Finding]]) -> None:
    finding = found["by_ordinal"][0]
    assert "of 300 messages" in finding.observed and "never reported" not in finding.observed
    assert finding.verdict == "pass" or slow_once(finding) or (busy(finding) and finding.verdict == "inconclusive")


@pytest.mark.parametrize(("name", "delay"), [("delays_150", 150), ("delays_80", 80)])
def test_a_delay_is_its_own_figure_at_the_real_rate(name: str, delay: int, tmp_path: Path) -> None:
    finding = findings_of(asyncio.run(certify(request(name, FAST, tmp_path), Quiet())))[0]
    value, error = figure(finding, "processing, p99")
    assert value >= delay
    if not busy(finding):
        assert value - error <= delay + TIMER
        assert finding.verdict == ("fail" if delay > 100 else "pass") or (delay < 100 and slow_once(finding))


def test_one_that_blocks_fails_with_its_backlog(tmp_path: Path) -> None:
    finding = findings_of(asyncio.run(certify(request("blocks", FAST, tmp_path), Quiet())))[0]
    value, _ = figure(finding, "processing, p99")
    assert value > 450, "500 messages in 0.5 s take it 1 s"
    assert finding.verdict == "fail" or (busy(finding) and finding.verdict == "inconclusive")
    if finding.verdict == "fail":
        assert "messages waited at a time" in finding.observed
