"""The shell where the server refuses, penalizes, locks out or is not there; in virtual time."""

from __future__ import annotations

import asyncio
import json
from http import HTTPStatus

import pytest
from scripted_server import SECRETS, TICKET, Broker, Socket, in_virtual_time, nothing, reset, start


def test_an_outage_is_met_with_back_off_and_ends_with_recovery() -> None:
    async def play(broker: Broker) -> None:
        down = True

        async def on_open(socket: Socket) -> bool:
            return not down

        broker.on_open = on_open
        life = start(broker)
        await asyncio.sleep(90)
        attempts = list(broker.attempts)
        assert 10 <= len(attempts)
        for first in attempts:
            assert sum(first <= at < first + 60 for at in attempts) <= 24
            assert sum(first <= at < first + 5 for at in attempts) <= 8
        down = False
        await asyncio.sleep(15)
        assert broker.sockets[-1].endpoints() == ["authorize", "user/syncrequest"]
        assert await life.stop() == 0

    in_virtual_time(play)


def test_an_authorize_that_is_never_answered_is_given_up_and_tried_on_a_new_socket() -> None:
    async def play(broker: Broker) -> None:
        broker.answers["authorize", 1] = nothing
        life = start(broker)
        await asyncio.sleep(12)
        assert len(broker.attempts) == 2 and 8 < broker.attempts[1] < 9
        assert broker.sockets[0].endpoints() == ["authorize"]  # one, and nothing else
        assert broker.sockets[1].endpoints() == ["authorize", "user/syncrequest"]
        assert await life.stop() == 0

    in_virtual_time(play)


def test_a_refused_token_is_not_hammered() -> None:
    async def play(broker: Broker) -> None:
        broker.answers["authorize", 0] = lambda socket, ident: socket.reply(ident, "Invalid access token", 401)
        life = start(broker)
        await asyncio.sleep(300)
        at = [socket.requests[0][0] for socket in broker.sockets]
        assert len(at) >= 5  # it does not give up for good either
        assert all(sum(first <= one < first + 60 for one in at) <= 3 for first in at)
        assert all(socket.endpoints() == ["authorize"] for socket in broker.sockets)
        assert await life.stop() == 0

    in_virtual_time(play)


def test_a_ticket_to_the_sync_is_retried_with_its_body_on_the_same_socket() -> None:
    async def play(broker: Broker) -> None:
        async def once(socket: Socket, ident: int) -> None:
            del broker.answers["user/syncrequest", 1]
            await socket.reply(ident, TICKET)

        broker.answers["user/syncrequest", 1] = once
        life = start(broker)
        await asyncio.sleep(20)
        (socket,) = broker.sockets
        (t1, _, id1, first), (t2, _, id2, again) = socket.requests[1:]
        assert id2 != id1 and 3.0 <= t2 - t1 < 3.1
        assert json.loads(again) == {**json.loads(first), "p-ticket": "tick-1"}
        assert life.client.stores[0].entities["order"] and len(socket.beats) == 7
        assert await life.stop() == 0

    in_virtual_time(play)


@pytest.mark.parametrize(("status", "most"), [(HTTPStatus.SERVICE_UNAVAILABLE, 30), (HTTPStatus.TOO_MANY_REQUESTS, 1)])
def test_an_upgrade_that_is_refused_is_tried_again_in_time_but_after_429_not_within_the_hour(
    status: HTTPStatus, most: int
) -> None:
    async def play(broker: Broker) -> None:
        broker.upgrade = lambda number: status
        life = start(broker)
        await asyncio.sleep(90)
        assert min(most, 10) <= len(broker.attempts) <= most
        broker.upgrade = lambda number: None
        await asyncio.sleep(3600)
        assert broker.sockets[-1].endpoints() == ["authorize", "user/syncrequest"]
        assert await life.stop() == 0

    in_virtual_time(play)


def test_a_lock_out_answered_to_authorize_is_kept_and_costs_no_token() -> None:
    async def play(broker: Broker) -> None:
        broker.answers["authorize", 0] = lambda socket, ident: socket.reply(ident, None, 429)
        life = start(broker)
        await asyncio.sleep(600)
        count = sum(len(socket.requests) for socket in broker.sockets)
        assert await life.stop() == 0
        assert count == 1

    in_virtual_time(play)


def test_a_lock_out_outlives_the_socket_that_it_was_said_on() -> None:
    async def play(broker: Broker) -> None:
        broker.answers["user/syncrequest", 1] = lambda socket, ident: socket.reply(ident, None, 429)
        life = start(broker)
        await asyncio.sleep(5)
        await reset(broker.sockets[0])
        await asyncio.sleep(600)
        synced = [socket.number for socket in broker.sockets if "user/syncrequest" in socket.endpoints()]
        assert await life.stop() == 0
        assert synced == [1]

    in_virtual_time(play)


def test_after_the_lock_out_it_syncs() -> None:
    async def play(broker: Broker) -> None:
        async def once(socket: Socket, ident: int) -> None:
            del broker.answers["user/syncrequest", 0]
            await socket.reply(ident, None, 429)

        broker.answers["user/syncrequest", 0] = once
        life = start(broker)
        await asyncio.sleep(3700)
        held = dict(life.client.stores[0].entities)
        assert await life.stop() == 0
        assert held

    in_virtual_time(play)


def test_asked_to_stop_in_a_back_off_it_leaves_at_once_and_does_not_come_back() -> None:
    async def play(broker: Broker) -> None:
        broker.upgrade = lambda number: HTTPStatus.SERVICE_UNAVAILABLE
        life = start(broker)
        await asyncio.sleep(40)
        count = len(broker.attempts)
        assert await life.stop(within=0.1) == 0
        await asyncio.sleep(60)
        assert len(broker.attempts) == count

    in_virtual_time(play)


def test_nothing_that_it_says_holds_a_secret() -> None:
    async def play(broker: Broker) -> None:
        broker.answers["authorize", 1] = lambda socket, ident: socket.reply(ident, "Invalid access token", 401)
        more = {"BROKERCERT_USER": "me", "BROKERCERT_PASSWORD": "hunter2", "BROKERCERT_SEC": "s3cr3t"}
        life = start(broker, **more)
        await asyncio.sleep(60)
        assert life.lines and not [line for line in life.lines if any(secret in line for secret in SECRETS)]
        assert await life.stop() == 0

    in_virtual_time(play)
