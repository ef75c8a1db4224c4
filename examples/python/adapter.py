"""What brokercert asks of client.py at the level *commands*: a report for what it did, and answers on standard input.

An adapter is thin: it tells what the client believes and has it send what it is asked to send. It decides nothing.
"""

import asyncio
import functools
import json
import sys
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from client import Client

IN_FORCE = ("AtExecution", "OnHold", "ExecutionSuspended")
FIELDS = {
    "order": ("accountId", "contractId", "action", "ordStatus"),
    "fill": ("orderId", "qty", "price"),
    "position": ("accountId", "contractId", "netPos", "netPrice"),
    "cashBalance": ("accountId", "amount"),
    "account": ("name",),
}


def say(event: str, **more: Any) -> None:
    """A report: one JSON line, at once."""
    print(json.dumps({"event": event, **more}), flush=True)


async def listen(client: "Client", stop: Callable[[], object]) -> None:
    """Do what the lines of standard input ask, until it ends."""
    reader = asyncio.StreamReader(limit=2**20)
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    async for line in reader:
        command = json.loads(line)
        ident = command["id"]
        if command["command"] == "snapshot":
            say("snapshot", id=ident, entities=state_of(client.state.entities))
        elif command["command"] == "request":
            told = functools.partial(outcome, ident)
            client.request(command["endpoint"], command["body"], told, command["query"], command["priority"])
        elif command["command"] == "stop":
            stop()
        else:
            say("unsupported", id=ident, command=command["command"])


def outcome(ident: int, status: int, data: Any, error: str) -> None:
    say("outcome", id=ident, status=status, data=data, error=error)


def state_of(entities: dict[str, dict[int, dict[str, Any]]]) -> dict[str, list[dict[str, Any]]]:
    """What the client believes. An order's quantity and price are those of its last New or successful Modify."""
    current: dict[Any, int] = {}
    for ident, command in sorted(entities.get("command", {}).items()):
        kind, status = command.get("commandType"), command.get("commandStatus")
        if kind == "New" or (kind == "Modify" and status in IN_FORCE):
            current[command.get("orderId")] = ident
    state: dict[str, list[dict[str, Any]]] = {
        kind: [{name: entity.get(name) for name in ("id", *names)} for entity in entities.get(kind, {}).values()]
        for kind, names in FIELDS.items()
    }
    for order in state["order"]:
        version = entities.get("orderVersion", {}).get(current.get(order["id"], order["id"]), {})
        order |= {"orderQty": version.get("orderQty"), "price": version.get("price")}
    return state
