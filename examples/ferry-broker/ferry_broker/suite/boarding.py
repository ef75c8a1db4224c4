"""Boarding: FP Boarding."""

from brokercert.engine.play.scenario import scenario
from brokercert.engine.run.preflight import first_connection

from ferry_broker.suite.stage import FerryStage


@scenario(
    "preflight",
    "Before all: one start of the client, with nothing wrong",
    exercises=("FBO-010",),
    lasts=1,
    before_all=True,
)
async def preflight(stage: FerryStage) -> None:
    await first_connection(stage)
