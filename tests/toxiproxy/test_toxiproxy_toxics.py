"""What each toxic does to a live connection, and when: the same on both servers, within 30 ms.

Every link is first proved to work, so that silence or an end is the toxic's doing.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

import pytest

Make = Callable[[], Awaitable[Any]]
NEAR = 0.030  # seconds


def near(seconds: float) -> Any:
    return pytest.approx(seconds, abs=NEAR)


@pytest.mark.asyncio
async def test_delays_and_rates(bench: Make) -> None:
    async def latency() -> None:
        made = await bench()
        wire = await made.connect()
        await made.proxy.add("latency", "upstream", {"latency": 200, "jitter": 0})
        wire.send(b"a")
        assert await wire.at_upstream() == (b"a", near(0.2))
        wire.answer(b"b")
        assert await wire.at_client() == (b"b", near(0)), "the other direction is not delayed"

    async def spacing() -> None:
        made = await bench()
        wire = await made.connect()
        await made.proxy.add("latency", "downstream", {"latency": 300, "jitter": 0})
        loop = asyncio.get_running_loop()
        began = loop.time()
        wire.answer(b"1")
        loop.call_later(0.1, wire.answer, b"2")
        assert (await wire.at_client())[0] == b"1"
        first = loop.time() - began
        assert (await wire.at_client())[0] == b"2"
        assert (first, loop.time() - began) == (near(0.3), near(0.4)), "delay keeps the distance of writes"

    async def bandwidth() -> None:
        made = await bench()
        wire = await made.connect()
        await made.proxy.add("bandwidth", "downstream", {"rate": 10})
        wire.answer(b"x" * 5000)
        assert await wire.at_client() == (b"x" * 1000, near(0.1)), "the first piece leaves after a tenth of a second"
        data, rest = await wire.at_client(4000)
        assert (len(data), rest) == (4000, pytest.approx(0.4, abs=NEAR)), "5 kB at 10 kB/s"

    async def slicer() -> None:
        made = await bench()
        wire = await made.connect()
        await made.proxy.add("slicer", "downstream", {"average_size": 4, "size_variation": 0, "delay": 80_000})
        wire.answer(b"chop chop!")
        pieces = [await wire.at_client() for _ in range(4)]
        assert [piece for piece, _ in pieces] == [b"ch", b"op ", b"ch", b"op!"]
        assert [seconds for _, seconds in pieces[1:]] == [near(0.08)] * 3

    async def slow_close() -> None:
        made = await bench()
        wire = await made.connect()
        await made.proxy.add("slow_close", "downstream", {"delay": 300})
        wire.answer(b"bye")
        wire.upstream[1].close()
        assert await wire.at_client() == (b"bye", near(0))
        assert await wire.at_client() == ("EOF", near(0.3))

    async def throttled_and_late() -> None:
        made = await bench()
        wire = await made.connect()
        await made.proxy.add("bandwidth", "downstream", {"rate": 10})
        await made.proxy.add("latency", "downstream", {"latency": 300})
        wire.answer(b"x" * 5000)
        got, seconds = await wire.at_client(3000)
        assert (len(got), seconds) == (3000, near(0.3)), "the time of the bandwidth is part of the latency"
        got, seconds = await wire.at_client(2000)
        assert (len(got), seconds) == (2000, near(0.2)), "and what comes after it goes on at once"

    async def sliced_one_after_the_other() -> None:
        made = await bench()
        wire = await made.connect()
        await made.proxy.add("slicer", "downstream", {"average_size": 4, "size_variation": 0, "delay": 80_000})
        loop = asyncio.get_running_loop()
        began = loop.time()
        wire.answer(b"12345678")
        loop.call_later(0.02, wire.answer, b"9")
        assert [(await wire.at_client())[0] for _ in range(3)] == [b"1234", b"5678", b"9"]
        assert loop.time() - began == near(0.16), "the next is taken after the last delay"

    await asyncio.gather(
        latency(), spacing(), bandwidth(), slicer(), slow_close(), throttled_and_late(), sliced_one_after_the_other()
    )


@pytest.mark.asyncio
async def test_timeout_waits_for_silence_and_closes_when_removed(bench: Make) -> None:
    async def idle() -> None:
        made = await bench()
        wire = await made.connect()
        await made.proxy.add("timeout", "downstream", {"timeout": 300})
        assert await wire.at_client() == ("EOF", near(0.3))
        assert (await wire.at_upstream())[0] == "EOF"

    async def restarted() -> None:
        made = await bench()
        wire = await made.connect()
        await made.proxy.add("timeout", "downstream", {"timeout": 300})
        loop = asyncio.get_running_loop()
        for number in range(1, 5):
            loop.call_later(0.15 * number, wire.answer, b"dropped")
        got, seconds = await wire.at_client()
        assert (got, seconds) == ("EOF", near(0.9)), "each dropped chunk starts the wait anew"

    async def black_hole() -> None:
        made = await bench()
        wire = await made.connect()
        await made.proxy.add("timeout", "downstream", {"timeout": 0})
        wire.answer(b"lost")
        wire.send(b"kept")
        assert (await wire.at_upstream())[0] == b"kept"
        assert (await wire.at_client(within=0.3))[0] == "silence"
        await made.proxy.remove("timeout_downstream")
        assert (await wire.at_client())[0] == "EOF"
        assert (await wire.at_upstream())[0] == "EOF"

    async def end_passes() -> None:
        made = await bench()
        wire = await made.connect()
        for stream in ("upstream", "downstream"):
            await made.proxy.add("timeout", stream, {"timeout": 0})
        wire.client[1].close()
        assert await wire.at_upstream() == ("EOF", near(0))

    await asyncio.gather(idle(), restarted(), black_hole(), end_passes())


@pytest.mark.asyncio
async def test_limit_data_and_reset_peer(bench: Make) -> None:
    async def limit() -> None:
        made = await bench()
        await made.proxy.add("limit_data", "downstream", {"bytes": 10})
        wire = await made.connect()  # its proof is five bytes of the ten
        wire.answer(b"0123456789")
        assert (await wire.at_client(5))[0] == b"01234"
        assert (await wire.at_client())[0] == "EOF"
        assert (await wire.at_upstream())[0] == "EOF"

    async def limit_nothing() -> None:
        made = await bench()
        wire = await made.connect()
        await made.proxy.add("limit_data", "downstream", {"bytes": 0})
        assert (await wire.at_client(within=0.2))[0] == "silence", "an idle connection stays"
        wire.answer(b"x")
        assert (await wire.at_client())[0] == "EOF"

    async def reset() -> None:
        made = await bench()
        await (await made.connect()).prove()
        await made.proxy.add("reset_peer", "upstream", {"timeout": 100})
        wire = await made.connect(prove=False)
        wire.answer(b"a")
        assert (await wire.at_client())[0] == b"a"
        assert (await wire.at_client(within=0.3))[0] == "silence", "an idle direction is not touched"
        wire.send(b"x")
        assert await wire.at_upstream() == ("RST", near(0.1))
        assert (await wire.at_client())[0] == "RST"

    async def reset_of_a_live_one() -> None:
        made = await bench()
        wire = await made.connect()
        await made.proxy.add("reset_peer", "downstream", {"timeout": 0})
        wire.answer(b"x")
        assert (await wire.at_client())[0] == "EOF", "a connection older than the toxic ends by FIN"
        assert (await wire.at_upstream())[0] == "EOF"

    await asyncio.gather(limit(), limit_nothing(), reset(), reset_of_a_live_one())


@pytest.mark.asyncio
async def test_every_change_of_the_toxics_flushes_what_is_under_way(bench: Make) -> None:
    async def flushed(change: Callable[[Any], Awaitable[object]]) -> None:
        made = await bench()
        wire = await made.connect()
        await made.proxy.add("latency", "downstream", {"latency": 4000, "jitter": 0})
        wire.answer(b"z")
        assert (await wire.at_client(within=0.2))[0] == "silence"
        await change(made.proxy)
        assert await wire.at_client() == (b"z", near(0))

    await asyncio.gather(
        flushed(lambda proxy: proxy.remove("latency_downstream")),
        flushed(lambda proxy: proxy.update("latency_downstream", {"latency": 3000})),
        flushed(lambda proxy: proxy.add("noop", "downstream", {})),
    )


@pytest.mark.asyncio
async def test_ends_and_refusals(bench: Make) -> None:
    async def refused_upstream() -> None:
        made = await bench()
        wire = await made.connect()
        closed = await asyncio.start_server(lambda *_: None, "127.0.0.1", 0)
        port = closed.sockets[0].getsockname()[1]
        closed.close()
        await closed.wait_closed()
        await made.driver.ask("PATCH", f"/proxies/{made.proxy.name}", {"upstream": f"127.0.0.1:{port}"})
        assert (await wire.at_client())[0] == "EOF", "a change of the upstream drops every connection"
        client = await asyncio.open_connection(*made.proxy.listen)
        made.opened.append(client)
        assert await client[0].read() == b"", "the connect succeeds, then comes a clean end"

    async def no_half_close() -> None:
        made = await bench()
        wire = await made.connect()
        wire.client[1].write_eof()
        assert (await wire.at_upstream())[0] == "EOF"
        assert (await wire.at_client())[0] == "EOF", "one direction's end is the connection's"

    async def reset_becomes_an_end() -> None:
        made = await bench()
        wire = await made.connect()
        wire.upstream[1].transport.abort()
        assert (await wire.at_client())[0] == "EOF"

    async def disabled(delete: bool) -> None:
        made = await bench()
        wire = await made.connect()
        await (made.proxy.destroy() if delete else made.proxy.disable())
        assert (await wire.at_client())[0] == "EOF"
        assert (await wire.at_upstream())[0] == "EOF"
        with pytest.raises(ConnectionRefusedError):
            await asyncio.open_connection(*made.proxy.listen)

    async def lost_in_flight() -> None:
        made = await bench()
        wire = await made.connect()
        await made.proxy.add("latency", "downstream", {"latency": 4000, "jitter": 0})
        wire.answer(b"lost")
        assert (await wire.at_client(within=0.1))[0] == "silence"
        await made.proxy.disable()
        assert (await wire.at_client())[0] == "EOF", "what is under way is not delivered"

    async def same_again() -> None:
        made = await bench()
        wire = await made.connect()
        await made.proxy.enable()
        await wire.prove()

    await asyncio.gather(
        refused_upstream(),
        no_half_close(),
        reset_becomes_an_end(),
        disabled(delete=False),
        disabled(delete=True),
        lost_in_flight(),
        same_again(),
    )


@pytest.mark.asyncio
async def test_an_end_travels_as_data_does_and_takes_nothing_away(bench: Make) -> None:
    async def answer_under_way() -> None:
        made = await bench()
        wire = await made.connect()
        await made.proxy.add("latency", "downstream", {"latency": 300, "jitter": 0})
        wire.answer(b"x" * 100)
        asyncio.get_running_loop().call_later(0.05, wire.client[1].write_eof)
        assert await wire.at_client(100) == (b"x" * 100, near(0.3)), "the client has ended its own direction only"
        assert (await wire.at_client())[0] == "EOF"

    async def order_under_way() -> None:
        made = await bench()
        wire = await made.connect()
        await made.proxy.add("latency", "upstream", {"latency": 300, "jitter": 0})
        wire.send(b"x" * 100)
        asyncio.get_running_loop().call_later(0.05, wire.upstream[1].write_eof)
        assert await wire.at_upstream(100) == (b"x" * 100, near(0.3)), "the broker has ended its own direction only"
        assert (await wire.at_upstream())[0] == "EOF"

    async def the_other_direction_ends_by_its_own_chain() -> None:
        made = await bench()
        wire = await made.connect()
        await made.proxy.add("slow_close", "downstream", {"delay": 300})
        wire.client[1].write_eof()
        assert await wire.at_client() == ("EOF", near(0.3))

    async def toxics_behind_what_makes_an_end() -> None:
        made = await bench()
        wire = await made.connect()
        await made.proxy.add("limit_data", "downstream", {"bytes": 10}, name="first")
        await made.proxy.add("slow_close", "downstream", {"delay": 300}, name="second")
        wire = await made.connect(prove=False)
        wire.answer(b"x" * 10)
        assert await wire.at_client(10) == (b"x" * 10, near(0))
        assert await wire.at_client() == ("EOF", near(0.3))

    async def an_end_behind_slow_data() -> None:
        made = await bench()
        wire = await made.connect()
        await made.proxy.add("bandwidth", "downstream", {"rate": 10}, name="first")
        await made.proxy.add("slow_close", "downstream", {"delay": 200}, name="second")
        wire.answer(b"x" * 3000)
        wire.upstream[1].write_eof()
        assert await wire.at_client(3000) == (b"x" * 3000, near(0.3))
        assert await wire.at_client() == ("EOF", near(0.2)), "the end waits for the data, and then for its own delay"

    await asyncio.gather(
        answer_under_way(),
        order_under_way(),
        the_other_direction_ends_by_its_own_chain(),
        toxics_behind_what_makes_an_end(),
        an_end_behind_slow_data(),
    )


@pytest.mark.asyncio
async def test_a_change_flushes_what_is_before_it_and_nothing_behind_it(bench: Make) -> None:
    async def removed(first: bool) -> None:
        """`latency` stands behind the one that is removed, or before it."""
        made = await bench()
        wire = await made.connect()
        for name in ("other", "slow") if first else ("slow", "other"):
            toxic = ("latency", {"latency": 400, "jitter": 0}) if name == "slow" else ("slow_close", {"delay": 1})
            await made.proxy.add(toxic[0], "downstream", toxic[1], name=name)
        wire.answer(b"x" * 100)
        assert (await wire.at_client(within=0.05))[0] == "silence"
        await made.driver.ask("DELETE", f"/proxies/{made.proxy.name}/toxics/other")
        assert await wire.at_client(100) == (b"x" * 100, near(0.35 if first else 0))

    async def added_behind() -> None:
        made = await bench()
        wire = await made.connect()
        await made.proxy.add("latency", "downstream", {"latency": 400, "jitter": 0}, name="slow")
        wire.answer(b"x" * 100)
        assert (await wire.at_client(within=0.05))[0] == "silence"
        await made.proxy.add("slow_close", "downstream", {"delay": 1}, name="other")
        assert await wire.at_client(100) == (b"x" * 100, near(0))

    await asyncio.gather(removed(first=True), removed(first=False), added_behind())


@pytest.mark.asyncio
async def test_fifty_outages_on_one_port(bench: Make) -> None:
    made = await bench()
    listen = made.proxy.listen
    for _ in range(50):
        wire = await made.connect()
        await made.proxy.disable()
        assert (await wire.at_client())[0] == "EOF"
        await made.proxy.enable()
    assert made.proxy.listen == listen
    await (await made.connect()).prove()
