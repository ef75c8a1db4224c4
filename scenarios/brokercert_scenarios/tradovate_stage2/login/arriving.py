"""Login: S2 §1."""

from brokercert.engine.play.scenario import scenario
from brokercert.engine.run.preflight import first_connection
from brokercert.judge.tradovate.model.conversation import SECOND, Answer, Connection, Conversation
from brokercert.trace.names import RuleName
from brokercert_mock.port.rules.shared import Refuse

from brokercert_scenarios.tradovate_stage2.lasting import LOSSES, held_after, hold_from_last, later_sockets, withheld
from brokercert_scenarios.tradovate_stage2.stage import Stage

FOLLOWS = 2.0  # seconds after a refusal: what a client sends that takes it for success
SECOND_SYNC = 100.0  # seconds: a client that syncs again every minute and a half has done so by then (EVT-010)
LONGER = 25.0  # seconds: the first answer is held back, and a whole window must begin with the second try, 20 s later


@scenario(
    "preflight",
    "Before all: one start of the client, with nothing wrong",
    exercises=("LOG-010",),
    lasts=6,
    before_all=True,
)
async def preflight(stage: Stage) -> None:
    await first_connection(stage)


@scenario(
    "login-timed",
    "Log in, lose the connection, log in again: every socket is timed",
    exercises=("LOG-010", "LOG-030", "LOG-035"),
    exclusive=True,
    lasts=8,
)
async def login_timed(stage: Stage) -> None:
    first = await stage.log_in(syncs=False)
    if first is None:
        return
    since = await stage.lose()
    await stage.recovered(since)


@scenario(
    "steady",
    "A healthy session of more than a minute and a half",
    exercises=tuple(
        "LOG-020 LOG-060 LOG-090 REQ-010 HBT-010 HBT-020 HBT-070 EVT-010 EVT-020 EVT-030 CON-060".split(),
    ),
    path="proxied",
    lasts=106,
)
async def steady(stage: Stage) -> None:
    if await stage.log_in(syncs=False) is None:
        return
    with stage.window("steady"):
        await stage.hold(max(stage.limit("window_heartbeat"), stage.limit("window_stability"), SECOND_SYNC) + 3)


@scenario(
    "open-held",
    "The open frame `o` is held back for four seconds, on the first socket and after each of two losses",
    exercises=("LOG-025",),
    lasts=24,
)
async def open_held(stage: Stage) -> None:
    hold = stage.broker.on_open().hold()
    await stage.start()
    if await stage.wait("an upgrade", lambda talk: talk.upgraded, stage.limit("window_first_authorize") + 1):
        window = stage.limit("withhold") + 1
        await hold_from_last(stage, window, "an authorize that should not come yet", withheld("o"))
    hold.release()
    await stage.wait("authorize", lambda talk: talk.authorized, stage.limit("window_first_authorize") + 1)
    await stage.arrived()
    for _ in range(LOSSES):
        if not stage.talk.authorized:
            return
        hold = stage.broker.on_open().hold()
        since = await stage.lose()
        await held_after(stage, "o", since, "an authorize that should not come yet")
        hold.release()
        await stage.recovered(since)


async def _refused(stage: Stage, status: int, text: str) -> None:
    with _refuses(stage, status, text):
        if await answered_late(stage):
            await stage.arrived()
            await stage.hold(stage.limit("window_refused") + LONGER, "requests that should not follow")


def _refuses(stage: Stage, status: int, text: str) -> Refuse:
    return stage.broker.on("authorize").refuse(status, text)


async def answered_late(stage: Stage) -> bool:
    """Start the client, and hold the answers to its first authorizes back: what it sends meanwhile it sends without
    having read them. False: there were none.
    """
    hold = stage.broker.on("authorize").hold()
    await stage.start()
    asked = await stage.wait(
        "authorize", lambda talk: any(c.authorizes for c in talk.upgraded), stage.limit("window_first_authorize") + 1
    )
    window = stage.limit("withhold") + 1
    await hold_from_last(stage, window, "what is sent without waiting for the answer", withheld("authorize"))
    hold.release()
    return bool(asked)


@scenario(
    "token-refused",
    "Every authorize is refused with 401, the first after four seconds; the socket is left open. So again on a later"
    " socket, with 400 and an empty text",
    exercises=("LOG-040", "LOG-045"),
    lasts=99,
)
async def token_refused(stage: Stage) -> None:
    await _refused(stage, 401, "Invalid access token")
    if "report" in stage.offers and await later_sockets(stage):
        with _refuses(stage, 400, ""):
            since = await stage.lose()
            await told_of_refusal(stage, stage.limit("window_recovery"))
            # Of several sockets, each opens in its turn; of one that was refused, the others may stay away.
            await stage.wait(
                "each socket's refusal",
                lambda talk: sum(t > since for t in _refusals(talk)) >= stage.sockets_of_a_start,
                stage.limit("window_request"),
            )
        await stage.hold(FOLLOWS, "a request that should not follow")


async def told_of_refusal(stage: Stage, within: float = 0.0) -> None:
    """Until the client has told of the refusal that comes `within` so many seconds; or was watched for that time. One
    that tells nothing by itself is not waited for.
    """
    if "report" not in stage.offers:
        return
    if not await stage.wait("a refusal", _refusals, within):
        return
    since = min(_refusals(stage.talk))
    left = stage.limit("window_refused") + 1 - (stage.now - since) / SECOND
    await stage.wait("a report of the refusal", lambda talk: any(e.t >= since for e in talk.told.errors), left)


def _refusals(talk: Conversation) -> list[int]:
    return [c.refused.t for c in talk.upgraded if c.refused]


@scenario(
    "token-refused-closed",
    "Every authorize is refused with 403, the first after four seconds, and the socket closed",
    exercises=("LOG-040", "LOG-045"),
    lasts=91,
    settings={"bad_token_closes": True},
)
async def token_refused_closed(stage: Stage) -> None:
    await _refused(stage, 403, "Access is denied")


@scenario(
    "answer-in-batch",
    "The answer to authorize comes after four seconds, last in a frame of three messages; so again after two losses",
    exercises=("LOG-070",),
    lasts=15,
)
async def answer_in_batch(stage: Stage) -> None:
    before = [
        {"e": "clock", "d": '{"t":"2026-01-05T14:30:00.000Z","s":20}'},
        {"e": "props", "d": {"entityType": "userReadStatus", "eventType": "Updated", "entity": {"id": 1}}},
    ]
    rule = stage.broker.on("authorize").last_in_batch(before)
    if not await answered_late(stage):
        return
    went_on = await _all_go_on(stage, stage.limit("window_first_sync") + 1)
    for _ in range(LOSSES):
        if went_on:
            within = stage.limit("window_recovery") + stage.limit("window_first_sync")
            went_on = await _all_go_on(stage, within, await stage.lose())
    if went_on is False:
        stage.step("on some socket nothing followed; what follows a plain answer is shown by another start")
        rule.cancel()
        await stage.start_again()
        await stage.synced(within=stage.limit("window_recovery"))


async def _all_go_on(stage: Stage, within: float, since: int = -1) -> bool | None:
    """Whether each socket that was accepted after `since` and authorized asks something then; None: there is none."""

    def granted(talk: Conversation) -> list[tuple[Connection, Answer]]:
        return [(c, answer) for c, answer in talk.granted if c.accepted > since]

    def settled(talk: Conversation) -> bool:
        return bool(granted(talk)) and all(c.loss or _went_on(c, answer) for c, answer in granted(talk))

    for _ in range(2):  # a socket may log in while what the last one asked arrives
        if not settled(stage.talk):
            await stage.wait("a request after each login, or the sockets' ends", settled, within)
            await stage.arrived()
    return all(_went_on(c, answer) for c, answer in granted(stage.talk)) if granted(stage.talk) else None


def _went_on(c: Connection, answer: Answer) -> bool:
    """Whether something was asked on that socket after its login."""
    return c.requests[-1].record > answer.record


async def _not_answered(stage: Stage, rule: str) -> None:
    """Up to the way back of each socket that the rule of that name struck: other sockets of the client are not its."""
    await stage.start()
    within = stage.limit("window_first_authorize") + 1
    if await stage.wait("a socket that is not answered", lambda talk: struck_by(talk, rule), within) is None:
        return
    await stage.wait(
        "the client to give up",
        lambda talk: all(stage.is_given_up(c) for c in struck_by(talk, rule)),
        stage.limit("window_first_authorize") + stage.limit("give_up") + 2,
    )
    stage.step(f"given up at {stage.now / SECOND:.3f} s, or never")

    def is_back(c: Connection) -> bool:
        return c.authorized is not None or any(heir.authorized for heir in stage.lanes.heirs(c))

    await stage.wait(
        "a new socket that is authorized, for each of them",
        lambda talk: all(is_back(c) for c in struck_by(talk, rule)),
        stage.limit("window_recovery"),
    )
    await stage.arrived()


def struck_by(talk: Conversation, rule: str) -> list[Connection]:
    """The sockets that a rule of that name was applied to."""
    return [talk.connections[applied.what.conn] for applied in talk.rules if applied.what.name == rule]


@scenario(
    "authorize-unanswered",
    "The first authorize is never answered, of each socket of a healthy start",
    exercises=("LOG-080",),
    lasts=14,
)
async def authorize_unanswered(stage: Stage) -> None:
    stage.broker.on("authorize", times=stage.sockets_of_a_start).never_answer()
    await _not_answered(stage, RuleName.unanswered("authorize"))


@scenario(
    "open-never",
    "The first open frame never comes, on each socket of a healthy start",
    exercises=("LOG-080",),
    lasts=14,
)
async def open_never(stage: Stage) -> None:
    stage.broker.on_open(times=stage.sockets_of_a_start).never()
    await _not_answered(stage, RuleName.OPEN_NEVER)
