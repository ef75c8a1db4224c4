"""Orders over a socket, and what is told of them in short."""

import json
from typing import Any

from mock_bench import Bench, messages, reply
from websockets.asyncio.client import ClientConnection


async def ask(ws: ClientConnection, ident: int, endpoint: str, body: Any) -> Any:
    await ws.send(f"{endpoint}\n{ident}\n\n{json.dumps(body)}")
    return (await reply(ws, ident))["d"]


def order(bench: Bench, **fields: Any) -> dict[str, Any]:
    account = bench.broker.credentials.accounts[0]
    body = {"accountId": account, "action": "Buy", "symbol": "ESH6", "orderQty": 2, "orderType": "Limit"}
    return body | {"price": 5000.25, "timeInForce": "Day", "isAutomated": True} | fields


def told(frame: list[Any]) -> list[str]:
    """A frame's messages in short: `order Created PendingNew`, `answer`."""
    result = []
    for message in frame:
        data = message.get("d", {})
        if "i" in message:
            result.append("answer")
            continue
        entity = data["entity"]
        state = entity.get("ordStatus") if data["entityType"] == "order" else entity.get("commandStatus")
        words = [data["entityType"], data["eventType"], entity.get("execType"), state]
        result.append(" ".join(x for x in words if x))
    return result


async def frames(ws: ClientConnection, last: str) -> list[list[str]]:
    """Frames in short, up to and with the one that tells `last`."""
    result = []
    while not result or last not in result[-1]:
        result.append(told(await messages(ws)))
    return result


PLACED = [
    ["order Created PendingNew", "command Created Pending", "orderVersion Created"],
    ["commandReport Created RiskPassed"],
    ["command Updated RiskPassed"],
    ["executionReport Created New"],
    ["commandReport Created AtExecution"],
    ["command Updated AtExecution"],
    ["order Updated Working"],
]


async def synced(bench: Bench, ws: ClientConnection) -> None:
    bench.broker.quiet(True)
    await ask(ws, 90, "user/syncrequest", {"users": [bench.broker.db.user_id]})
