"""Login: S2 §1."""

from brokercert.engine.play.scenario import scenario
from brokercert.engine.run.preflight import first_connection

from brokercert_scenarios.tradovate_stage2.stage import Stage


@scenario(
    "preflight",
    "Before all: one start of the client, with nothing wrong",
    exercises=("LOG-010",),
    lasts=2,
    before_all=True,
)
async def preflight(stage: Stage) -> None:
    await first_connection(stage)


@scenario(
    "login-timed",
    "Log in, lose the connection, log in again: every socket is timed",
    exercises=("LOG-010", "LOG-030"),
    exclusive=True,
    lasts=8,
)
async def login_timed(stage: Stage) -> None:
    first = await stage.log_in()
    if first is None:
        return
    since = await stage.lose()
    await stage.recovered(since)


@scenario(
    "steady",
    "A healthy session of more than a minute",
    exercises=tuple(
        "LOG-020 LOG-060 LOG-090 REQ-010 HBT-010 HBT-020 HBT-070 EVT-010 EVT-020 EVT-030".split(),
    ),
    path="proxied",
    lasts=78,
)
async def steady(stage: Stage) -> None:
    if await stage.log_in() is None:
        return
    with stage.window("steady"):
        await stage.hold(max(stage.limit("window_heartbeat"), stage.limit("window_stability")) + 3)


@scenario(
    "open-held",
    "The open frame `o` is held back for four seconds",
    exercises=("LOG-025",),
    lasts=9,
)
async def open_held(stage: Stage) -> None:
    hold = stage.broker.on_open().hold()
    await stage.start()
    if await stage.wait("an upgrade", lambda talk: talk.upgraded, stage.limit("window_first_authorize") + 1):
        await stage.hold(stage.limit("withhold") + 1, "an authorize that should not come yet")
    hold.release()
    await stage.wait("authorize", lambda talk: talk.authorized, stage.limit("window_first_authorize") + 1)
    await stage.arrived()


async def _refused(stage: Stage) -> None:
    stage.broker.on("authorize").refuse(401, "Invalid access token")
    await stage.start()
    refused = await stage.wait(
        "a refused authorize",
        lambda talk: next((c for c in talk.upgraded if c.refused), None),
        stage.limit("window_first_authorize") + 1,
    )
    if refused is not None:
        await stage.hold(stage.limit("window_refused") + 1, "requests that should not follow")


@scenario(
    "token-refused",
    "Every authorize is refused; the socket is left open",
    exercises=("LOG-040", "LOG-045"),
    lasts=63,
)
async def token_refused(stage: Stage) -> None:
    await _refused(stage)


@scenario(
    "token-refused-closed",
    "Every authorize is refused, and the socket closed",
    exercises=("LOG-040", "LOG-045"),
    lasts=63,
    settings={"bad_token_closes": True},
)
async def token_refused_closed(stage: Stage) -> None:
    await _refused(stage)


@scenario(
    "answer-in-batch",
    "The answer to authorize stands last in a frame of three messages",
    exercises=("LOG-070",),
    lasts=6,
)
async def answer_in_batch(stage: Stage) -> None:
    before = [
        {"e": "clock", "d": '{"t":"2026-01-05T14:30:00.000Z","s":20}'},
        {"e": "props", "d": {"entityType": "userReadStatus", "eventType": "Updated", "entity": {"id": 1}}},
    ]
    stage.broker.on("authorize", nth=1).last_in_batch(before)
    await stage.start()
    authorized = await stage.wait("authorize", lambda talk: talk.authorized, stage.limit("window_first_authorize") + 1)
    if not authorized:
        return
    await stage.wait("a request after it", lambda talk: talk.synced, stage.limit("window_first_sync") + 1)
    if stage.talk.synced or stage.left:
        await stage.arrived()
        return
    stage.step("nothing followed; whether the client goes on after a plain answer is shown on its next socket")
    since = stage.lose_all()
    await stage.recovered(since)


async def _not_answered(stage: Stage) -> None:
    await stage.start()
    first = await stage.wait("an upgrade", lambda talk: talk.upgraded, stage.limit("window_first_authorize") + 1)
    if not first:
        return
    connection = first[0]
    await stage.wait(
        "the client to give up",
        lambda talk: connection.loss or [c for c in talk.upgraded if c.accepted > connection.accepted],
        stage.limit("window_first_authorize") + stage.limit("give_up") + 2,
    )
    since = connection.loss.t if connection.loss else stage.now
    if connection.authorized is None:
        await stage.wait(
            "a new socket that is authorized",
            lambda talk: [c for c in talk.authorized if c is not connection],
            stage.limit("window_recovery"),
        )
    stage.step(f"given up at {since / 1e6:.3f} s")
    await stage.arrived()


@scenario(
    "authorize-unanswered",
    "The first authorize is never answered",
    exercises=("LOG-080",),
    lasts=14,
)
async def authorize_unanswered(stage: Stage) -> None:
    stage.broker.on("authorize", nth=1).never_answer()
    await _not_answered(stage)


@scenario(
    "open-never",
    "The first socket's open frame never comes",
    exercises=("LOG-080",),
    lasts=14,
)
async def open_never(stage: Stage) -> None:
    stage.broker.on_open(nth=1).never()
    await _not_answered(stage)
