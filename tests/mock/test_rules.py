"""Rules do what their sentence says, are told to the recorder, and count as they promise."""

import asyncio
import json
import re
import textwrap
from pathlib import Path

import pytest
from brokercert.trace import records as r
from brokercert_mock import Settings
from mock_bench import Bench, messages, reply, running
from websockets.exceptions import ConnectionClosed, InvalidStatus

pytestmark = pytest.mark.asyncio
DOCS = (Path(__file__).parents[2] / "docs" / "rules.md").read_text()
EXAMPLES = re.findall(r"^([^\n]+)\n\n```python\n(.*?)```", DOCS, re.S | re.M)
SYNC = 'user/syncrequest\n{}\n\n{{"entityTypes":["cashBalance"]}}'


@pytest.mark.parametrize("code", [code for _, code in EXAMPLES], ids=[title.strip() for title, _ in EXAMPLES])
async def test_an_example_of_the_docs_runs(bench: Bench, code: str) -> None:
    async with bench.socket():
        names: dict[str, object] = {"broker": bench.broker}
        exec(f"async def example(broker):\n{textwrap.indent(code, '    ')}", names)
        await names["example"](bench.broker)  # type: ignore[operator]


async def test_only_the_second_authorize_is_refused(bench: Bench) -> None:
    bench.broker.on("authorize", nth=2).refuse(401, "Invalid access token")
    token = bench.broker.issue_token().access
    for status in (200, 401, 200):
        async with bench.socket() as ws:
            await ws.send(f"authorize\n0\n\n{token}")
            assert (await reply(ws, 0))["s"] == status
    assert [x.name for x in bench.of(r.RuleApplied)] == ["refuse"]


async def test_a_hold_keeps_the_answer_and_what_it_means(bench: Bench) -> None:
    hold = bench.broker.on("authorize").hold()
    async with bench.socket() as ws:
        await ws.send(f"authorize\n0\n\n{bench.broker.issue_token().access}")
        assert await hold.wait_held(5)
        conn = bench.broker.connections[0]
        assert conn.authorized_at is None and hold.held == [conn.id]
        hold.release()
        assert (await reply(ws, 0))["s"] == 200
        assert conn.authorized_at is not None
    kinds = [type(x).__name__ for x in bench.writer.records if isinstance(x, r.Withheld | r.Released)]
    assert kinds == ["Withheld", "Released"]


async def test_a_ticket_is_honoured_in_its_own_time_whatever_another_has_drawn(bench: Bench) -> None:
    bench.broker.on("user/syncrequest", attempt=1).ticket(p_time=0.3)
    sync = 'user/syncrequest\n{}\n\n{{"entityTypes":["cashBalance"],"p-ticket":"{}"}}'
    async with bench.authorized() as first, bench.authorized() as second:
        await first.send(SYNC.format(2))
        ticket = (await reply(first, 2))["d"]["p-ticket"]
        await asyncio.sleep(0.28)
        await second.send(SYNC.format(2))
        assert (await reply(second, 2))["d"]["p-time"] == 0.3
        await first.send(sync.format(3, ticket))
        assert "users" in (await reply(first, 3))["d"]
        await first.send(sync.format(4, ticket))  # good for one request
        assert "p-ticket" in (await reply(first, 4))["d"]


async def test_an_attempt_is_told_by_its_ticket_whatever_connection_it_comes_on(bench: Bench) -> None:
    bench.broker.on("user/syncrequest", attempt=1).ticket(p_time=0)
    bench.broker.on("user/syncrequest", attempt=2).ticket(p_time=0)
    sync = 'user/syncrequest\n2\n\n{{"entityTypes":["cashBalance"],"p-ticket":"{}"}}'
    drawn = [""]
    for _ in range(2):
        async with bench.authorized() as ws:
            await ws.send(sync.format(drawn[-1]))
            drawn.append((await reply(ws, 2))["d"]["p-ticket"])
    async with bench.authorized() as ws:
        await ws.send(sync.format(drawn[-1]))
        assert "users" in (await reply(ws, 2))["d"]
        await ws.send(sync.format("nobody's").replace("\n2\n", "\n3\n"))
        assert "p-ticket" in (await reply(ws, 3))["d"]


async def test_what_was_held_is_left_to_the_rule_beneath(bench: Bench) -> None:
    bench.broker.on("authorize").answer_with(200, {"errorText": "older still"})
    bench.broker.on("authorize", nth=1).refuse(401, "Invalid access token")
    hold = bench.broker.on("authorize", nth=1).hold()
    async with bench.socket() as ws:
        await ws.send("authorize\n0\n\nx")
        assert await hold.wait_held(5)
        bench.broker.on("authorize").status(429)  # newer than what is held
        hold.release()
        assert (await reply(ws, 0))["s"] == 401
    assert [x.name for x in bench.of(r.RuleApplied)] == ["hold", "refuse"]


async def test_a_ticket_is_honoured_when_its_time_has_come(bench: Bench) -> None:
    bench.broker.on("user/syncrequest", nth=1).ticket(p_time=0.6)
    async with bench.authorized() as ws:
        await ws.send(SYNC.format(2))
        penalty = (await reply(ws, 2))["d"]
        assert penalty["p-time"] == 0.6 and "p-captcha" not in penalty
        await ws.send(SYNC.format(3))  # too early: a new ticket
        early = (await reply(ws, 3))["d"]
        assert early["p-ticket"] != penalty["p-ticket"] and early["p-time"] <= 0.6
        await asyncio.sleep(early["p-time"])
        body = {"entityTypes": ["cashBalance"], "p-ticket": early["p-ticket"]}
        await ws.send(f"user/syncrequest\n4\n\n{json.dumps(body)}")
        assert (await reply(ws, 4))["d"]["cashBalances"]


async def test_the_answer_last_in_a_batch(bench: Bench) -> None:
    bench.broker.on("authorize").last_in_batch([{"e": "clock", "d": "1"}, {"e": "clock", "d": "2"}])
    async with bench.socket() as ws:
        await ws.send(f"authorize\n5\n\n{bench.broker.issue_token().access}")
        assert [m.get("i") for m in await messages(ws)] == [None, None, 5]
    frame = next(x for x in bench.frames("broker") if x.text and x.text.startswith("a"))
    assert frame.first_message == 1


async def test_events_twice(bench: Bench) -> None:
    bench.broker.quiet(True)
    bench.broker.on_events(next=1).twice()
    async with bench.authorized() as ws:
        await ws.send(SYNC.format(2))
        await reply(ws, 2)
        bench.broker.market_event()
        bench.broker.market_event()
        first, second, third = [(await messages(ws))[0] for _ in range(3)]
        assert first == second != third


@pytest.mark.parametrize("status", [503, 429])
async def test_an_upgrade_refused_while_the_block_lasts(bench: Bench, status: int) -> None:
    with bench.broker.on_upgrade().refuse(status):
        for _ in range(2):
            with pytest.raises(InvalidStatus) as error:
                async with bench.socket():
                    pytest.fail("the upgrade was to be refused")
            assert error.value.response.status_code == status
    async with bench.socket() as ws:
        assert await ws.recv() == "o"


@pytest.mark.parametrize("how", ["fin", "rst", "close", "no code", "protocol", "protocol twice", "mid-frame"])
async def test_a_connection_ends_as_told(bench: Bench, how: str) -> None:
    async with bench.socket() as ws:
        assert await ws.recv() == "o"
        conn = bench.broker.connections[0]
        match how:
            case "fin":
                conn.fin()
            case "rst":
                conn.rst()
            case "close":
                conn.close(1012, "Service restart")
            case "no code":
                conn.close(None)
            case "protocol":
                conn.protocol_close(3000, "Go away!")
            case "protocol twice":
                conn.protocol_close(3000, "Go away!", times=2)
            case _:
                conn.stop_mid_frame("hello", keep=3, fin=True)
        for _ in range({"protocol": 1, "protocol twice": 2}.get(how, 0)):
            assert await ws.recv() == 'c[3000,"Go away!"]'
        with pytest.raises(ConnectionClosed) as error:
            await ws.recv()
        code = error.value.rcvd.code if error.value.rcvd else None
        assert code == {"close": 1012, "no code": 1005}.get(how)
        await bench.wait(lambda: bench.of(r.Ended))
        end = bench.of(r.Ended)[0]
        assert (end.by, end.how) == ("broker", "rst" if how == "rst" else "fin")
    assert bench.of(r.Fault)


async def test_silence_answers_pings_or_nothing(bench: Bench) -> None:
    async with bench.socket() as ws:
        assert await ws.recv() == "o"
        conn = bench.broker.connections[0]
        conn.go_silent("application")
        await asyncio.wait_for(await ws.ping(), 5)
        conn.go_silent("dead")
        waiter = await ws.ping()
        await ws.send("account/list\n1\n\n")
        await bench.wait(lambda: conn.requests)
        assert not waiter.done()
    sent = [x for x in bench.frames("broker") if x.t > bench.of(r.Fault)[-1].t]
    assert sent == []


async def test_a_refused_port_refuses_and_comes_back(bench: Bench) -> None:
    port = bench.broker.port
    await bench.broker.refuse_port()
    with pytest.raises(ConnectionRefusedError):
        await asyncio.open_connection("127.0.0.1", port)
    await bench.broker.accept_again()
    async with bench.socket() as ws:
        assert await ws.recv() == "o"
    assert bench.broker.port == port


async def test_a_rule_that_was_never_triggered_is_told() -> None:
    async with running() as bench:
        bench.broker.on("nothing/ever").never_answer()
    assert [x.name for x in bench.of(r.RuleUnused)] == ["never-answer:nothing/ever"]


async def test_a_rule_that_raises_is_kept_and_hurts_nobody_else(bench: Bench) -> None:
    bench.broker.on("account/list").then(lambda conn: 1 / 0)
    async with bench.authorized() as ws:
        await ws.send("account/list\n2\n\n")
        assert (await reply(ws, 2))["s"] == 200
        await ws.send("user/list\n3\n\n")
        assert (await reply(ws, 3))["s"] == 200
    assert isinstance(bench.broker.script_errors.pop(), ZeroDivisionError)


@pytest.mark.parametrize(("setting", "limit"), [("auth_deadline", 0.1), ("idle_limit", 0.1)])
async def test_penalties_that_are_off_by_default(setting: str, limit: float) -> None:
    async with running(Settings(**{setting: limit})) as bench, bench.socket() as ws:
        assert await ws.recv() == "o"
        with pytest.raises(ConnectionClosed) as error:
            while True:
                await ws.recv()
        assert error.value.rcvd is not None and error.value.rcvd.code == 1000


async def test_many_brokers_live_in_one_process() -> None:
    async with running(seed=1) as one, running(seed=2) as two, running(seed=1) as again:
        assert len({b.broker.port for b in (one, two, again)}) == 3
        assert one.broker.state().keys() == two.broker.state().keys()
        assert one.broker.credentials == again.broker.credentials != two.broker.credentials
        for bench in (one, two, again):
            async with bench.authorized() as ws:
                await ws.send("account/list\n2\n\n")
                assert (await reply(ws, 2))["s"] == 200
