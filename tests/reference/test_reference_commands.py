"""The reference client at the level commands: what it reports, the state that it tells, what it does when asked."""

from __future__ import annotations

import asyncio
import json
import sys
from importlib import resources
from typing import Any

import fastjsonschema
import pytest
from brokercert.reference.tradovate.state import current_versions, state_of
from brokercert.reference.tradovate.store import Store
from scripted_server import Broker, Life, Socket, env_of, in_virtual_time, nothing, reset, start

SCHEMA = json.loads(resources.files("brokercert.data").joinpath("subject-protocol.schema.json").read_text())
REPORT = fastjsonschema.compile({**SCHEMA, "oneOf": [{"$ref": "#/definitions/report"}]})


def reports(lines: list[str], event: str = "") -> list[dict[str, Any]]:
    """The reports among the lines; each is of the schema."""
    found = [json.loads(line) for line in lines if line.startswith("{")]
    for report in found:
        REPORT(report)
    return [report for report in found if event in ("", report["event"])]


async def live(broker: Broker, level: str = "commands", **more: str) -> Life:
    life = start(broker, BROKERCERT_LEVEL=level, **more)
    await asyncio.sleep(1)
    return life


def props(kind: str, change: str, entity: Any) -> dict[str, Any]:
    return {"e": "props", "d": {"entityType": kind, "eventType": change, "entity": entity}}


def test_it_tells_of_each_attempt_and_of_each_entity_that_it_took() -> None:
    async def play(broker: Broker) -> None:
        life = await live(broker)
        order = {"id": 7, "ordStatus": "Filled"}
        events = [props("order", "Updated", order), props("fill", "Created", [{"id": 8}, {"id": 9}]), {"e": "clock"}]
        await broker.sockets[0].ws.send("a" + json.dumps(events))
        await asyncio.sleep(0.1)
        await reset(broker.sockets[0])
        await asyncio.sleep(3)
        assert reports(life.lines, "connecting") == [{"event": "connecting"}] * 2
        assert [(x["entityType"], x["id"], x["eventType"]) for x in reports(life.lines, "processed")] == [
            ("order", 7, "Updated"),
            ("fill", 8, "Created"),
            ("fill", 9, "Created"),
        ]
        await life.stop()

    in_virtual_time(play)


def test_at_the_level_wire_it_says_nothing_of_that() -> None:
    async def play(broker: Broker) -> None:
        life = await live(broker, "wire")
        await broker.sockets[0].ws.send("a" + json.dumps([props("fill", "Created", {"id": 8})]))
        await asyncio.sleep(0.1)
        await life.stop()
        assert reports(life.lines) == []

    in_virtual_time(play)


def test_a_refused_login_is_told_to_the_user() -> None:
    async def refuse(socket: Socket, ident: int) -> None:
        await socket.reply(ident, "Access is denied", 401)

    async def play(broker: Broker) -> None:
        broker.answers["authorize", 0] = refuse
        life = await live(broker, "reports")
        await life.stop()
        (error,) = reports(life.lines, "error")
        assert "Access is denied" in error["text"]

    in_virtual_time(play)


def test_it_does_what_it_is_asked_and_says_unsupported_of_the_rest() -> None:
    async def play(broker: Broker) -> None:
        async def order(socket: Socket, ident: int) -> None:
            await socket.reply(ident, {"failureReason": "UnknownReason", "failureText": "Access is denied"})

        broker.answers["order/placeorder", 0] = order

        async def sync(socket: Socket, ident: int) -> None:
            await socket.reply(ident, {"users": [], "orders": [{**told, "timestamp": "t"}]})

        told = {"id": 7, "accountId": 1, "contractId": 2, "action": "Buy", "ordStatus": "Working"}
        broker.answers["user/syncrequest", 0] = sync
        life = await live(broker)
        await life.client.command({"command": "whistle", "id": 0})
        await life.client.command({"command": "snapshot", "id": 1})
        place = {"command": "request", "id": 2, "endpoint": "order/placeorder", "body": {"orderQty": 1}, "priority": 1}
        await life.client.command(place)
        await life.client.command(
            {"command": "request", "id": 3, "endpoint": "account/list", "query": "", "body": None}
        )
        await life.client.commands.on_line(b"rubbish")
        await asyncio.sleep(0.1)
        await life.client.command({"command": "stop", "id": 4})
        assert await asyncio.wait_for(life.task, 5) == 0
        assert reports(life.lines)[1:] == [
            {"event": "unsupported", "id": 0, "command": "whistle"},
            {
                "event": "snapshot",
                "id": 1,
                "entities": {
                    "order": [told], "fill": [], "position": [], "cashBalance": [],
                    "account": [],
                },
            },
            {"event": "error", "text": "a command that cannot be read"},
            {
                "event": "outcome",
                "id": 2,
                "status": 200,
                "data": {"failureReason": "UnknownReason", "failureText": "Access is denied"},
                "error": "Access is denied",
                "ok": False,
            },
            {"event": "outcome", "id": 3, "status": 200, "data": None, "error": "", "ok": True},
        ]  # fmt: skip
        assert broker.sockets[0].requests[2][1:] == ("order/placeorder", 2, '{"orderQty":1}')

    in_virtual_time(play)


def test_an_order_in_flight_at_a_loss_ends_and_is_not_sent_again() -> None:
    async def play(broker: Broker) -> None:
        broker.answers["order/placeorder", 0] = nothing
        life = await live(broker)
        for ident in (1, 2):
            await life.client.command({"command": "request", "id": ident, "endpoint": "order/placeorder", "body": {}})
            await asyncio.sleep(0.1)
            if ident == 1:
                await reset(broker.sockets[0])
                await asyncio.sleep(0.1)
        assert [(x["id"], x["status"], x["error"]) for x in reports(life.lines, "outcome")] == [
            (1, 0, "the connection was lost"),
            (2, 0, "no live connection"),
        ]
        await asyncio.sleep(5)
        await life.stop()
        assert sum(socket.endpoints().count("order/placeorder") for socket in broker.sockets) == 1

    in_virtual_time(play)


def test_a_request_goes_out_on_the_socket_of_its_account() -> None:
    async def play(broker: Broker) -> None:
        life = await live(broker, BROKERCERT_SHARDS="3")
        request = {"command": "request", "id": 1, "endpoint": "order/placeorder", "body": {"accountId": 41}}
        await life.client.command(request)
        await asyncio.sleep(0.1)
        await life.stop()
        sent = [socket for socket in broker.sockets if "order/placeorder" in socket.endpoints()]
        body = next(json.loads(body) for _, endpoint, _, body in sent[0].requests if endpoint == "user/syncrequest")
        assert len(sent) == 1 and body["shardingExpression"]["remainder"] == 41 % 3

    in_virtual_time(play)


def test_the_state_is_that_of_all_shards_with_the_current_versions() -> None:
    first, second = Store(), Store()
    order = {"accountId": 1, "contractId": 2, "action": "Buy", "ordStatus": "Working", "timestamp": "t"}
    first.replace(
        {
            "orders": [{"id": 10, **order}],
            "commands": [{"id": 10, "orderId": 10, "commandType": "New"}],
            "orderVersions": [{"id": 10, "orderId": 10, "orderQty": 2, "price": 4500.25}],
        }
    )
    second.replace({"orders": [{"id": 20, **order}], "accounts": [{"id": 5, "name": "DEMO"}], "products": [{"id": 1}]})
    state = state_of([first, second])
    told = {key: value for key, value in order.items() if key != "timestamp"}
    assert state["order"] == [{"id": 10, **told, "orderQty": 2, "price": 4500.25}, {"id": 20, **told}]
    assert state["account"] == [{"id": 5, "name": "DEMO"}] and "product" not in state


def test_a_modification_counts_once_it_is_in_force_and_a_cancel_makes_no_version() -> None:
    def commands(*told: tuple[int, str, str]) -> dict[int, dict[str, Any]]:
        return {i: {"id": i, "orderId": 1, "commandType": kind, "commandStatus": status} for i, kind, status in told}

    def reported(*told: tuple[int, str]) -> dict[int, dict[str, Any]]:
        return {90 + n: {"id": 90 + n, "commandId": i, "commandStatus": s} for n, (i, s) in enumerate(told)}

    new = (1, "New", "Pending")
    assert current_versions(commands(new), {}) == {1: 1}
    assert current_versions(commands(new, (5, "Modify", "Pending")), {}) == {1: 1}
    assert current_versions(commands(new, (5, "Modify", "AtExecution"), (7, "Cancel", "AtExecution")), {}) == {1: 5}
    risky = commands(new, (5, "Modify", "Pending"), (6, "Modify", "Pending"))
    assert current_versions(risky, reported((5, "RiskPassed"), (5, "OnHold"), (6, "RiskRejected"))) == {1: 5}
    assert current_versions({3: {}, 4: {"commandType": "New"}}, {9: {}}) == {}


@pytest.mark.asyncio
async def test_as_a_program_it_listens_to_standard_input_and_writes_a_long_line_without_stopping() -> None:
    orders = [{"id": n, "ordStatus": "Working", "action": "Buy", "accountId": 1, "contractId": 2} for n in range(9000)]

    async def large(socket: Socket, ident: int) -> None:
        await socket.reply(ident, {"users": [], "orders": orders})
        synced.set()

    async def ask(socket: Socket, ident: int) -> None:
        await socket.reply(ident)
        asked.set()

    synced, asked = asyncio.Event(), asyncio.Event()
    async with asyncio.timeout(20), Broker() as broker:
        broker.answers["user/syncrequest", 0] = large
        broker.answers["a/b", 0] = ask
        program = await asyncio.create_subprocess_exec(
            sys.executable, "-m", "brokercert.reference.tradovate",
            env=env_of(broker, BROKERCERT_LEVEL="commands"),
            stdin=asyncio.subprocess.PIPE, stdout=asyncio.subprocess.PIPE, limit=2**24,
        )  # fmt: skip
        assert program.stdin and program.stdout
        assert await program.stdout.readline() == b'{"event":"connecting"}\n'
        await synced.wait()
        while True:  # until it has taken the snapshot of 9,000 orders
            program.stdin.write(b'{"command":"snapshot","id":1}\n')
            if json.loads(await program.stdout.readline())["entities"]["order"]:
                break
        program.stdin.write(b'{"command":"snapshot","id":2}\n{"command":"request","id":3,"endpoint":"a/b"}\n')
        await asked.wait()  # nobody reads the snapshot, and it goes on
        snapshot = json.loads(await program.stdout.readline())
        assert len(snapshot["entities"]["order"]) == 9000
        assert json.loads(await program.stdout.readline())["event"] == "outcome"
        program.stdin.write(b'{"command":"stop","id":4}\n')
        assert await program.wait() == 0
