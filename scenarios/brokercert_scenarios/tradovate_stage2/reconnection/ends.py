"""Every further end that a broker may give a connection: S2 §5. One end a scenario, and short ones.

Losses that are close together are one series, of which only the first is judged (limit `series_ends`): back-off may
make a client wait after the others. So each end has a start of the client to itself, and nothing is watched beyond the
way back: what follows on the new socket is the matter of `coming_back.py`.

An end that is normal, says nothing or has a meaning of its own is REC-015's; every other is REC-010's.
"""

from __future__ import annotations

from collections.abc import Callable

from brokercert.engine.play.scenario import scenario
from brokercert_mock import Connection

from brokercert_scenarios.tradovate_stage2.stage import Stage

LASTS = 6

# Close codes that no scenario has for its own, of the whole range that may go over the wire (RFC 6455, 7.4): a client
# that knows each code of a list, and takes the others for final, knows it as little as one that knows a single code.
FURTHER = (1002, 1003, 1007, 1009, 1010, 1014)
REGISTERED = range(3000, 4000)
PRIVATE = range(4000, 5000)


async def _ended(stage: Stage, how: Callable[[Connection], object]) -> None:
    if await stage.log_in(syncs=False) is not None:
        await stage.recovered(await stage.lose(how))


@scenario("loss-close-1005", "Close frame without a code", exercises=("REC-015",), lasts=LASTS)
async def loss_close_1005(stage: Stage) -> None:
    await _ended(stage, lambda socket: socket.close(None))


@scenario("loss-close-1008", "Close frame 1008 (policy)", exercises=("REC-010",), lasts=LASTS)
async def loss_close_1008(stage: Stage) -> None:
    await _ended(stage, lambda socket: socket.close(1008, "Policy violation"))


@scenario("loss-close-1013", "Close frame 1013 (try again later)", exercises=("REC-010",), lasts=LASTS)
async def loss_close_1013(stage: Stage) -> None:
    await _ended(stage, lambda socket: socket.close(1013, "Try again later"))


@scenario("loss-close-4000", "Close frame 4000 (a private code)", exercises=("REC-015",), lasts=LASTS)
async def loss_close_4000(stage: Stage) -> None:
    await _ended(stage, lambda socket: socket.close(4000, "Server timeout"))


@scenario(
    "loss-close-further",
    "A close frame with a code of the standard that no other scenario has, drawn by the seed",
    exercises=("REC-010",),
    lasts=LASTS,
)
async def loss_close_further(stage: Stage) -> None:
    code = stage.broker.rng.choice(FURTHER)
    await _ended(stage, lambda socket: socket.close(code, "Closed"))


@scenario(
    "loss-close-registered",
    "A close frame with a code from 3000 to 3999, drawn by the seed",
    exercises=("REC-010",),
    lasts=LASTS,
)
async def loss_close_registered(stage: Stage) -> None:
    code = stage.broker.rng.choice(REGISTERED)
    await _ended(stage, lambda socket: socket.close(code, "Closed"))


@scenario(
    "loss-close-private",
    "A close frame with a code from 4000 to 4999, drawn by the seed",
    exercises=("REC-015",),
    lasts=LASTS,
)
async def loss_close_private(stage: Stage) -> None:
    code = stage.broker.rng.choice(PRIVATE)
    await _ended(stage, lambda socket: socket.close(code, "Closed"))


@scenario(
    "loss-protocol-close-1000",
    'The frame c[1000,"Normal closure"], and the TCP connection is left open',
    exercises=("REC-015",),
    lasts=LASTS,
)
async def loss_protocol_close_1000(stage: Stage) -> None:
    await _ended(stage, lambda socket: socket.protocol_close(1000, "Normal closure", then_close=False))


@scenario(
    "loss-protocol-close-2010",
    'The frame c[2010,"Another connection still open"], and the TCP connection is left open',
    exercises=("REC-010",),
    lasts=LASTS,
)
async def loss_protocol_close_2010(stage: Stage) -> None:
    await _ended(stage, lambda socket: socket.protocol_close(2010, "Another connection still open", then_close=False))


@scenario(
    "loss-protocol-close-twice",
    'The frame c[3000, "Go away!"] twice, as the documents write it, and the TCP connection is left open',
    exercises=("REC-010",),
    lasts=LASTS,
)
async def loss_protocol_close_twice(stage: Stage) -> None:
    await _ended(stage, lambda socket: socket.protocol_close(3000, "Go away!", then_close=False, times=2, spaced=True))
