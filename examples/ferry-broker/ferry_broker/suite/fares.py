"""A quiet ride, with fares: FP Boarding, Staying aboard, Fares."""

from brokercert.engine.play.scenario import scenario

from ferry_broker.suite.stage import FerryStage


@scenario(
    "ride",
    "A healthy ride with fares",
    exercises=("FFA-010", "FBO-020", "FST-010"),
    lasts=3,
)
async def ride(stage: FerryStage) -> None:
    if await stage.aboard() is not None:
        await stage.hold(stage.limits["window_ride"], "fares and `here`")
