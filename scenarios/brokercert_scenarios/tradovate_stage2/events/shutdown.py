"""`shutdown`, for each reason that the documents name, and again and again: TP §4, §10."""

from brokercert.engine.play.scenario import scenario
from brokercert.trace.names import WindowName
from brokercert_mock import Connection

from brokercert_scenarios.tradovate_stage2.stage import Stage

LASTS = 26


def _shut_down(socket: Connection, reason: str, text: str = "brokercert") -> None:
    """The event, and the graceful close that follows it half a second later: it has arrived by then. The text is
    optional (TP §4).
    """
    socket.send_event("shutdown", {"reasonCode": reason} | ({"reason": text} if text else {}))
    socket.later(0.5, lambda: socket.close(1001, "Shutdown"))


async def _once(stage: Stage, reason: str, text: str) -> None:
    if await stage.log_in() is None:
        return
    since = await stage.lose(lambda socket: _shut_down(socket, reason, text))
    await stage.hold(stage.limit("window_default") + 2, "attempts to reconnect")
    await stage.recovered(since)


@scenario(
    "shutdown-maintenance",
    "`shutdown` for maintenance, and a close",
    exercises=("EVT-140", "REC-010"),
    lasts=LASTS,
)
async def shutdown_maintenance(stage: Stage) -> None:
    await _once(stage, "Maintenance", "brokercert")


@scenario(
    "shutdown-connection-quota",
    "`shutdown` for too many connections of the user, and a close",
    exercises=("EVT-140", "REC-015"),
    lasts=LASTS,
)
async def shutdown_connection_quota(stage: Stage) -> None:
    await _once(stage, "ConnectionQuotaReached", "Za dużo połączeń 🚦")


@scenario(
    "shutdown-ip-quota",
    "`shutdown` for too many addresses of the user, without a text, and a close",
    exercises=("EVT-140", "REC-015"),
    lasts=LASTS,
)
async def shutdown_ip_quota(stage: Stage) -> None:
    await _once(stage, "IPQuotaReached", "")


@scenario(
    "shutdown-at-once",
    "Ninety seconds in which every socket is upgraded, authorized and shut down again at once",
    exercises=("EVT-140",),
    lasts=96,
)
async def shutdown_at_once(stage: Stage) -> None:
    if await stage.log_in() is None:
        return
    await stage.fresh_event()
    with stage.broker.on("authorize").then(lambda conn: _shut_down(conn, "Maintenance")):
        stage.lose_all(lambda socket: _shut_down(socket, "Maintenance"))
        with stage.window(f"{WindowName.SHUT_DOWN} as soon as authorized"):
            await stage.hold(stage.limit("outage") + 0.5, "attempts to reconnect")
