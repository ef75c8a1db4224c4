"""Subscriptions beside the sync, and what becomes of them at a loss: S2 overview, §5; TP §4."""

from brokercert.engine.play.scenario import scenario

from brokercert_scenarios.tradovate_stage2.stage import Stage

DENIED = "GCJ6"  # refused inside a 200, as was observed (TP §4): it never stood, and need not come back
QUOTES = f"ESH6,{DENIED},NQH6"
SUBSCRIBING = 3.0  # seconds: what is subscribed to later is not asked for again, and the row not observed


@scenario(
    "loss-subscribed",
    "FIN, after the client has subscribed to quotes if it does so at all; one of three was refused inside a 200",
    exercises=("REC-035",),
    lasts=34,
    env={"BROKERCERT_QUOTES": QUOTES},
    settings={"denied_symbols": (DENIED,)},
)
async def loss_subscribed(stage: Stage) -> None:
    if await stage.log_in() is None:
        return
    await stage.hold(SUBSCRIBING, "subscriptions")
    since = await stage.lose()
    if await stage.recovered(since) is not None:
        await stage.hold(stage.limit("window_default") + 2, "subscriptions that come back")
