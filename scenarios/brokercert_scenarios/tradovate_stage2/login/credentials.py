"""Tokens that end, and answers to authorize that are no success: S2 §1, §5 and Error handling; TP §2, §7.

Tokens live for 45 s here, so that one ends within a scenario; renewing at any margin and rate is free.
"""

from brokercert.engine.play.scenario import scenario

from brokercert_scenarios.tradovate_stage2.stage import Stage

TOKEN_LIFE = 45.0  # seconds
PAST = -60.0  # seconds: a token that ended a minute ago
MARGIN = 1.0  # seconds after a token's end: past every rounding of it
PENALTY = 3  # seconds
FURTHER = 2.0  # seconds after a success: who repeats an authorize does so at once


@scenario(
    "token-expired",
    "The token that the client is given has expired",
    exercises=("LOG-050",),
    needs=("wire", "tokens"),
    lasts=8,
    settings={"token_life": TOKEN_LIFE, "ready_token_life": PAST},
)
async def token_expired(stage: Stage) -> None:
    stage.broker.expire(stage.broker.ready_token())
    await stage.start()
    tried = await stage.wait(
        "an authorize", lambda talk: [c for c in talk.upgraded if c.authorizes], stage.limit("window_first_authorize")
    )
    if tried:
        await stage.wait("an accepted one", lambda talk: talk.authorized, stage.limit("window_recovery") + 1)
        await stage.hold(FURTHER, "further authorizes")


@scenario(
    "token-expires",
    "The token of a live connection expires",
    exercises=("LOG-055",),
    needs=("wire", "tokens"),
    lasts=70,
    settings={"token_life": TOKEN_LIFE},
)
async def token_expires(stage: Stage) -> None:
    broker = stage.broker
    if await stage.log_in() is None:
        return
    tokens = {socket.token for socket in stage.sockets() if socket.token is not None}
    for token in sorted(tokens, key=lambda token: token.until):
        await stage.hold(max(0.0, token.until - broker.clock()), "the token's end")
        broker.expire(token)
    await stage.hold(stage.limit("window_default") + MARGIN, "what should not follow from it")


async def _hollow(stage: Stage) -> None:
    """The answer is in; what should not follow; then a loss, after which every answer is a plain one."""
    await stage.start()
    first = await stage.wait(
        "the answer to authorize",
        lambda talk: next((c for c in talk.upgraded for a in c.authorizes if a.answer), None),
        stage.limit("window_first_authorize") + 1,
    )
    if first is None:
        return
    await stage.wait(
        "an accepted authorize, or the socket's end",
        lambda talk: talk.authorized or first.loss,
        stage.limit("window_default") + 1,
    )
    if not stage.talk.authorized and first.loss is None:
        stage.lose_all()
    await stage.synced(within=stage.limit("window_recovery"))


@scenario(
    "authorize-ticket",
    "The answer to authorize is a penalty ticket",
    exercises=("LOG-100", "LOG-090"),
    lasts=26,
)
async def authorize_ticket(stage: Stage) -> None:
    stage.broker.on("authorize", nth=1).ticket(p_time=PENALTY)
    await _hollow(stage)
    await stage.hold(stage.limit("window_default"), "what the client prints")


@scenario(
    "authorize-error-text",
    "The answer to authorize is 200 with an error text",
    exercises=("LOG-100",),
    lasts=10,
)
async def authorize_error_text(stage: Stage) -> None:
    stage.broker.on("authorize", nth=1).answer_with(200, {"errorText": "The session cannot be opened"})
    await _hollow(stage)
