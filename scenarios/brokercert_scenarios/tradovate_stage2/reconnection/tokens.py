"""Tokens that end while the client is away: S2 §5; TP §2."""

from brokercert.engine.play.scenario import scenario

from brokercert_scenarios.tradovate_stage2.login.credentials import FURTHER, MARGIN, TOKEN_LIFE
from brokercert_scenarios.tradovate_stage2.stage import Stage


@scenario(
    "token-expired-away",
    "The token expires during an outage in which nothing can be renewed",
    exercises=("REC-070",),
    needs=("wire", "tokens"),
    lasts=62,
    settings={"token_life": TOKEN_LIFE},
)
async def token_expired_away(stage: Stage) -> None:
    broker = stage.broker
    if await stage.log_in(syncs=False) is None:
        return
    await stage.fresh_event()
    away = "Service unavailable"
    with (
        broker.on_upgrade().refuse(503),
        broker.on("auth/renewaccesstoken").refuse(503, away),
        broker.on("auth/accesstokenrequest").refuse(503, away),
    ):
        since = stage.lose_all()
        last = max(token.until for token in broker.tokens.all())
        await stage.hold(last - broker.clock() + MARGIN, "the end of every token")
        for token in broker.tokens.all():
            broker.expire(token)
    await stage.recovered(since)
    await stage.hold(FURTHER, "further authorizes")


@scenario(
    "token-revoked-away",
    "The token is revoked while the client is away",
    exercises=("REC-070",),
    needs=("wire", "tokens"),
    lasts=10,
    settings={"token_life": TOKEN_LIFE},
)
async def token_revoked_away(stage: Stage) -> None:
    broker = stage.broker
    if await stage.log_in(syncs=False) is None:
        return
    await stage.fresh_event()
    since = stage.now
    for token in broker.tokens.all():
        broker.revoke(token)
    stage.lose_all()
    await stage.recovered(since)
    await stage.hold(FURTHER, "further authorizes")
