"""Tokens that end, and answers to authorize that are no success: S2 §1, §5 and Error handling; TP §2, §7.

Tokens live for 45 s here, so that one ends within a scenario; renewing at any margin and rate is free.
"""

from typing import Any

from brokercert.engine.play.scenario import scenario
from brokercert.judge.tradovate.model.conversation import SECOND
from brokercert_mock import Rule

from brokercert_scenarios.tradovate_stage2.lasting import LOSSES, answered, hold_from_last, later_sockets
from brokercert_scenarios.tradovate_stage2.login.arriving import answered_late, told_of_refusal
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
    if await stage.log_in(syncs=False) is None:
        return
    tokens = {socket.token for socket in stage.sockets() if socket.token is not None}
    for token in sorted(tokens, key=lambda token: token.until):
        await stage.hold(max(0.0, token.until - broker.clock()), "the token's end")
        broker.expire(token)
    await stage.hold(stage.limit("window_default") + MARGIN, "what should not follow from it")


async def _hollow(stage: Stage) -> bool:
    """What should not follow answers that are no success, up to the end of these sockets. False: there were none."""
    if not await answered_late(stage):
        return False
    first = [c for c in stage.talk.upgraded if c.authorizes]
    await stage.wait(
        "each to be authorized, or to end",
        lambda talk: all(c.authorized or c.loss for c in first),
        stage.limit("window_default") + 1,
    )
    return True


@scenario(
    "authorize-ticket",
    "The answer to authorize is a penalty ticket, after four seconds; in another start, after each of two losses",
    exercises=("LOG-100", "LOG-090"),
    lasts=38,
)
async def authorize_ticket(stage: Stage) -> None:
    rule = _ticket_each(stage)
    if await _hollow(stage):
        await stage.hold(max(0.0, stage.limit("window_default") - stage.now / SECOND + 1), "what the client prints")
        rule.cancel()
        await stage.start_again()
        if await stage.synced(within=stage.limit("window_recovery")) is not None:
            for _ in range(LOSSES):
                rule = _ticket_each(stage)
                if await stage.recovered(await stage.lose()) is None:
                    return
                rule.cancel()


def _ticket_each(stage: Stage) -> Rule[Any]:
    """As many authorizes as a start has sockets draw a ticket. The next are answered, on whatever socket: an authorize
    has no room for a ticket, so that nothing tells one that comes again.
    """
    return stage.broker.on("authorize", times=stage.sockets_of_a_start).ticket(p_time=PENALTY)


@scenario(
    "authorize-captcha",
    "The answer to authorize is a ticket that only a person can use",
    exercises=("LOG-100",),
    lasts=47,
)
async def authorize_captcha(stage: Stage) -> None:
    stage.broker.on("authorize").ticket(p_time=PENALTY, captcha=True)
    await stage.start()
    drawn = answered(lambda answer: answer.captcha)
    within = stage.limit("window_recovery") + stage.limit("window_first_authorize")
    if await stage.wait("an authorize", lambda talk: list(drawn(talk)), within):
        await hold_from_last(stage, stage.limit("window_captcha") + 1, "an authorize that should not come", drawn)


@scenario(
    "authorize-error-text",
    "The answer to authorize is 200 with an error text, after four seconds; in another start, on a later socket",
    exercises=("LOG-100", "LOG-045"),
    lasts=20,
)
async def authorize_error_text(stage: Stage) -> None:
    rule = _error_text(stage)
    if await _hollow(stage):
        await told_of_refusal(stage)
        rule.cancel()
        if await later_sockets(stage):
            known = len(stage.talk.upgraded)
            _error_text(stage)
            await stage.lose()
            await stage.wait(
                "the next sockets to be authorized, or to end",
                lambda talk: len(talk.upgraded) > known and all(c.authorized or c.loss for c in talk.upgraded[known:]),
                stage.limit("window_recovery") + stage.limit("window_default") + 1,
            )
            await told_of_refusal(stage)


def _error_text(stage: Stage) -> Rule[Any]:
    return stage.broker.on("authorize").answer_with(200, {"errorText": "The session cannot be opened"})
