"""How often an endpoint may be asked in an hour, where that is counted at all."""

from __future__ import annotations

import json
import random
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from brokercert_mock import Settings
from brokercert_mock.port.recorder import NullRecorder
from brokercert_mock.tradovate.requests.limits import HOUR, LIMITS, LOGIN, Counts
from brokercert_mock.tradovate.requests.penalties import Penalties
from mock_bench import Bench, running
from test_claimed import ask
from test_sessions import get
from test_takes_correct_clients import credentials, rest

PAGE = Path(__file__).parents[2] / "docs" / "protocol" / "tradovate.md"


@dataclass
class Clock:
    """As much of a broker's ground as is asked for the time."""

    now: float = 0.0
    recorder: NullRecorder = field(default_factory=NullRecorder)

    def clock(self) -> float:
        return self.now


@pytest.mark.parametrize("limit", LIMITS, ids=lambda limit: limit.endpoint)
def test_an_hour_has_so_many_and_rolls(limit: Any) -> None:
    ground = Clock()
    counts = Counts(ground, LIMITS)  # type: ignore[arg-type]
    for _ in range(limit.an_hour):
        assert counts.over(limit.endpoint) is None
        counts.count(limit.endpoint, 401, None)
        ground.now += 0.01
    assert counts.over(limit.endpoint) == limit
    ground.now = HOUR - 0.001
    assert counts.over(limit.endpoint) == limit
    ground.now = HOUR
    assert counts.over(limit.endpoint) is None, "the first is an hour ago"


def test_where_failures_count_a_success_does_not() -> None:
    counts = Counts(Clock(), LIMITS)  # type: ignore[arg-type]
    for _ in range(50):
        counts.count(LOGIN, 200, {"accessToken": "x"})
        counts.count("account/list", 500, None)
    assert counts.over(LOGIN) is None and counts.over("account/list") is None
    for data in ({"errorText": "no"},) * 5:
        counts.count(LOGIN, 200, data)
    assert counts.over(LOGIN) is not None


def test_the_page_has_the_same_table() -> None:
    text = PAGE.read_text("utf-8").split("### 7.1")[1].split("### 7.2")[0]
    rows = [
        [cell.strip() for cell in line.strip("|").split("|")] for line in text.splitlines() if line.startswith("| ")
    ]
    told = {
        (name.strip("` ").lower(), counts == "failures", int(number.split()[0].strip(",").replace(",", "")), mark)
        for counts, names, number, mark in rows[1:]
        if counts in ("all", "failures")
        for name in names.split(", ")
    }
    marks = {"documented": "[documented]", "claimed": "[claimed, RS]"}
    assert told == {(limit.endpoint, limit.failures, limit.an_hour, marks[limit.mark]) for limit in LIMITS}


async def login(bench: Bench, password: str) -> Any:
    body = json.dumps({**json.loads(credentials(bench)), "password": password}).encode()
    ((status, _, data),) = await rest(bench, ("POST", f"/v1/{LOGIN}", {}, body))
    assert status == 200
    return data


@pytest.mark.asyncio
@pytest.mark.parametrize("captcha", [True, False])
async def test_a_sixth_token_request_after_five_failures_gets_a_ticket(captcha: bool) -> None:
    async with running(Settings(endpoint_limits="claimed", login_captcha=captcha)) as bench:
        for _ in range(5):
            assert "errorText" in await login(bench, "wrong")
        told = await login(bench, bench.broker.credentials.password)
        assert told["p-captcha"] is captcha and told["p-time"] == 15 and "accessToken" not in told


@pytest.mark.asyncio
@pytest.mark.parametrize(("limits", "ticket"), [("off", False), ("claimed", True)])
async def test_a_sixteenth_renewal_gets_a_ticket_where_requests_are_counted(limits: Any, ticket: bool) -> None:
    async with running(Settings(endpoint_limits=limits)) as bench:
        token = bench.broker.issue_token().access
        for _ in range(15):
            status, data = await get(bench, "auth/renewaccesstoken", token)
            assert status == 200
            token = data["accessToken"]
        status, data = await get(bench, "auth/renewaccesstoken", token)
        assert status == 200 and ("p-ticket" in data, "p-captcha" in data) == (ticket, False)


@pytest.mark.asyncio
async def test_socket_and_rest_count_together() -> None:
    async with running(Settings(endpoint_limits="claimed")) as bench, bench.authorized() as ws:
        token = bench.broker.issue_token().access
        for number in range(300):
            assert "p-ticket" not in str(await ask(ws, 10 + number, "user/syncRequest", {"splitResponses": True}))
        told = (await ask(ws, 900, "user/syncrequest", {"splitResponses": True}))["d"]
        assert told["p-time"] == 3 and "p-ticket" in (await get(bench, "user/syncrequest", token))[1]


def test_a_retry_with_its_ticket_is_performed_once_its_time_is_over() -> None:
    ground = Clock()
    penalties = Penalties(ground, Settings(endpoint_limits="claimed"), random.Random(1))  # type: ignore[arg-type]

    def asked(ticket: str | None) -> dict[str, Any]:
        data: dict[str, Any] = penalties.answer("auth/renewaccesstoken", ticket, 1, lambda: (200, {"performed": True}))[
            1
        ]
        return data

    assert all("performed" in asked(None) for _ in range(15))
    told = asked(None)
    ground.now += told["p-time"] - 1
    assert "p-ticket" in asked(told["p-ticket"]), "too early"
    ground.now += 1
    assert "performed" in asked(told["p-ticket"])
    assert "p-ticket" in asked(told["p-ticket"]), "it is good for one request"


@pytest.mark.parametrize("times", [(9.0, 3.0), (3.0, 9.0)])
def test_the_longer_of_two_tickets_holds_for_what_brings_none(times: tuple[float, float]) -> None:
    ground = Clock()
    penalties = Penalties(ground, Settings(), random.Random(1))  # type: ignore[arg-type]
    tickets = {time: penalties.ticket("order/item", time, None, 1)["p-ticket"] for time in times}

    def asked(ticket: str | None = None) -> tuple[int, object]:
        return penalties.answer("order/item", ticket, 1, lambda: (200, "performed"))

    ground.now += 3
    assert asked(tickets[3.0]) == (200, "performed"), "its own time is over"
    assert asked() != (200, "performed")
    ground.now += 6
    assert asked(tickets[9.0]) == asked() == (200, "performed")
