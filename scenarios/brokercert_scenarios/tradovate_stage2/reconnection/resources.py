"""Twenty drops in a row, and what they leave behind: S2 §5."""

from brokercert.engine.play.scenario import scenario
from brokercert.judge.tradovate.model.conversation import Connection, Conversation

from brokercert_scenarios.tradovate_stage2.stage import Stage

STAY = 1.0  # seconds after the sync answer: from there on, to start the ladder of delays again is legal


@scenario(
    "twenty-drops",
    "Twenty losses in a row, each a second after the sync answer",
    exercises=("REC-100",),
    needs=("wire", "process"),
    lasts=165,
    most=900,
)
async def twenty_drops(stage: Stage) -> None:
    if await stage.log_in() is None:
        return
    looked_at = {round(stage.limit(name)) for name in ("drops_settled", "drops")}
    for number in range(1, max(looked_at) + 1):
        since = await stage.lose()
        if await _back(stage, since) is None:
            return
        await stage.hold(STAY, "the client to settle")
        if number in looked_at:
            await stage.resources(f"after drop {number}")


async def _back(stage: Stage, since: int) -> Connection | None:
    """The first socket that is synced again; a client with several is given the time for all below."""

    def synced(talk: Conversation) -> Connection | None:
        return next((c for c in talk.synced if c.accepted > since and c.synced), None)

    return await stage.wait("a sync request", synced, stage.limit("window_recovery"))
