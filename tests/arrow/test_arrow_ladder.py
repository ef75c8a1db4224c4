"""The whole ladder, three hundred attempts long, in virtual time; and one try more."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest
from brokercert.engine.client.environment import subject_environment
from brokercert.engine.client.subject import SubjectSpec
from brokercert.engine.play.gate import StartGate
from brokercert.engine.play.scenario import load_dialect
from brokercert.engine.play.stage import Setup
from brokercert.engine.play.virtual import VirtualLoop
from brokercert.judge import judge_trace
from brokercert.reference.arrow import ArrowSubject, OrderUpdatesClient
from brokercert.reference.arrow.ladder import Ladder
from brokercert.requirements import load_set
from brokercert.trace import Header, TraceWriter, trace_of
from brokercert.verdict import Finding, Verdict
from brokercert_scenarios.arrow_orders.stage import ArrowStage

ROWS = load_set("arrow-orders")
DIALECT = load_dialect("arrow-orders")
LIMITS = {name: limit.value for name, limit in ROWS.limits.items()}
HOUR = 3600.0


async def _outage(client: Any, folder: Path) -> list[Finding]:
    loop = asyncio.get_running_loop()
    header = Header(
        format=1, tool="test", tier="virtual", clock="virtual", source="mock", set_id="arrow-orders", set_version="1",
        set_hash="", scenario="for-ever", exercises=("AOR-010", "AOR-020"), path="direct", exclusive=False, seed=1,
        subject="test", level="in process", offers=tuple(sorted(DIALECT.reference.offers)), absent={}, readings={},
        limits=LIMITS,
    )  # fmt: skip
    writer = TraceWriter(None, header, began=loop.time())
    broker = DIALECT.broker({"keep_alive": 20.0}, writer, 1, None)
    await broker.start()
    env = subject_environment(broker, host="127.0.0.1", port=broker.port, scenario="for-ever", state_dir=folder)
    spec = SubjectSpec("ladder", factory=client, level="in process", offers=DIALECT.reference.offers)
    stage = ArrowStage(
        Setup(
            scenario="for-ever",
            broker=broker,
            writer=writer,
            spec=spec,
            env={**env, "BROKERCERT_LEVEL": "commands"},
            state_dir=folder,
            gate=StartGate(),
            limits=LIMITS,
        )
    )
    try:
        assert await stage.log_in() is not None
        stage.broker.on_upgrade().refuse(503, "down")
        stage.lose_all()
        await stage.hold(1.2 * HOUR)
    finally:
        await stage.finish()
        await broker.close()
    return judge_trace(trace_of(header, writer.records), ROWS, DIALECT.judging)


def outage(client: Any, folder: Path) -> dict[str, list[Finding]]:
    with asyncio.Runner(loop_factory=VirtualLoop) as runner:
        findings = runner.run(_outage(client, folder))
    return {row: [f for f in findings if f.requirement == row] for row in ("AOR-010", "AOR-020")}


def test_three_hundred_attempts_and_then_one_noreconnect(tmp_path: Path) -> None:
    said = outage(ArrowSubject, tmp_path)
    assert [f.verdict for f in said["AOR-010"]] == [Verdict.PASS]
    assert [(f.verdict, f.observed) for f in said["AOR-020"]] == [(Verdict.PASS, "300 attempts, then `noreconnect`")]


@pytest.mark.parametrize(("more", "verdict"), [(1, Verdict.PASS), (2, Verdict.FAIL)])
def test_301_is_the_other_reading_and_no_other_number_is_one(more: int, verdict: Verdict, tmp_path: Path) -> None:
    class Other(Ladder):
        def __init__(self, most: float, tries: int) -> None:
            super().__init__(most, tries + more)

    class Client(OrderUpdatesClient):
        ladder_class = Other

    class Subject(ArrowSubject):
        client_class = Client

    assert [f.verdict for f in outage(Subject, tmp_path)["AOR-020"]] == [verdict]
