"""The preflight: one start of the client before all scenarios, with nothing wrong.

The law: a client that never comes costs one start, and not one a scenario; what that start shows stands in a trace of
its own, which is judged like any other. What the harness itself may have caused by standing still is tried again.

It shows the client's healthy shape too (`brokercert.trace.shape`), by which all that follows is played and judged. A
client that opened one socket is known by that. Of one that opened several, or made connections that asked for nothing,
a second start is looked at: its shape may change from start to start.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import Any

from brokercert.engine.play.play import Played
from brokercert.engine.play.stage import AnyStage
from brokercert.engine.run.edition import other_edition_in
from brokercert.engine.run.judgements import Judgements
from brokercert.judge import Judging, is_silent, never_came
from brokercert.judge.plays import MOST, is_touched
from brokercert.judge.shapes import is_clear, merged
from brokercert.judge.sockets import Socket
from brokercert.judge.transcript import SECOND, Transcript
from brokercert.requirements import RequirementSet
from brokercert.trace import Shape, Trace
from brokercert.trace import records as r
from brokercert.verdict import Start

PATIENCE = 10.0  # seconds of silence after which whoever waits is told
SURE = 1.0  # seconds beyond the limit: no judgement without its whole window
STARTED = "started"  # the name of what the client held when it had come


async def first_connection(stage: AnyStage[Any, Any]) -> None:
    """What a suite's preflight plays: start the client, and await its first answered upgrade request; then, where the
    dialect has a use for it, all that it opens by itself.
    """
    within = stage.limit(stage.window_start) + SURE
    loop = asyncio.get_running_loop()
    until = loop.time() + within
    silence = loop.call_later(min(PATIENCE, within), _tell_silence, stage, within)
    try:
        await stage.start()
        came = await stage.wait("an upgrade request and its answer", _answered, until - loop.time())
    finally:
        silence.cancel()
    if came is not None:
        await stage.resources(STARTED)
        await _all_open(stage)


async def _all_open(stage: AnyStage[Any, Any]) -> None:
    """Until nothing new came for as long as the set says: a client may open its sockets one after the other."""
    if stage.window_shape is None:
        return
    settle, most = (round(stage.limit(name) * SECOND) for name in stage.window_shape)
    until = stage.now + most
    while not stage.left and stage.now < until:
        due = min(stage.talk.last_opening() + settle, until)
        if stage.now >= due:
            return
        await stage.hold((due - stage.now) / SECOND, "what else the client opens by itself")


def _answered(talk: Transcript[Any]) -> Socket | None:
    return next((c for c in talk.connections.values() if c.upgraded or (c.head and c.refused_status)), None)


def _tell_silence(stage: AnyStage[Any, Any], within: float) -> None:
    """Said once, and only of a client that lives and has not come."""
    if stage.left or _answered(stage.talk) is not None:
        return
    said = stage.tail()
    printed = "its last lines:" if said else "it has printed nothing."
    stage.remark(
        "\n  ".join(
            (
                f"the client has {_so_far(stage.talk)} {stage.address} within {PATIENCE:g} s of its start, and is "
                f"awaited for {within:g} s; {printed}",
                *said,
            )
        )
    )


def _so_far(talk: Transcript[Any]) -> str:
    return "sent no upgrade request by its connection to" if talk.connections else "not connected to"


@dataclass(frozen=True, slots=True)
class Preflight:
    """Plays the preflight until it tells something. `play_once` plays it, with the number of the playing from 1 on;
    `note` tells whoever waits.
    """

    rows: RequirementSet
    judged: Judgements
    play_once: Callable[[int], Awaitable[Played]]
    note: Callable[[str], None]
    _told: list[Played] = field(default_factory=list)  # the start that told something, and the second look

    async def came(self) -> bool:
        """Whether the run goes on. It ends only where the client never came, and no standstill of ours excuses that."""
        for number in range(1, MOST + 1):
            played = await self.play_once(number)
            findings = self.judged.of(played)
            if other := other_edition_in(played.trace, self.rows):
                self.note(other)
            if never_came(played.trace, findings, self.rows):
                return False
            if not is_silent(played.trace) or not any(map(is_touched, findings)):
                self._told.append(played)
                return True
            if number < MOST:
                self.note("the harness stood still or broke while the client started: the start is tried again")
        self.note(f"the harness stood still or broke in each of {MOST} starts: they tell nothing, and the run goes on")
        return True

    async def shape(self, look: Callable[[int, Shape], Awaitable[Played]], judging: Judging) -> Shape | None:
        """The client's healthy shape, after `came`; None: no start showed it. `look` plays a second start, with the
        number of that playing and the shape that is known.
        """
        if not self._told:
            return None
        first = self._told[0].trace
        shape = shape_in(first, judging)
        if shape is None or is_clear(shape) or first.header.play >= MOST:
            return shape
        played = await look(first.header.play + 1, shape)
        again = None if _stood_still(played.trace) else shape_in(played.trace, judging)
        return shape if again is None else merged(shape, again)


def shape_in(trace: Trace, judging: Judging) -> Shape | None:
    """What a preflight's trace shows of it."""
    return judging.shape_of(judging.folded(trace))


def _stood_still(trace: Trace) -> bool:
    """Whether the harness did: what the client opened meanwhile may not be all."""
    return any(isinstance(x, r.Stall) for x in trace.records)


def start_of(trace: Trace) -> Start | None:
    """What the start cost, as a preflight's trace shows it; None where no client was started, or in a second look."""
    if trace.header.is_second_look:
        return None
    started = next((x.t for x in trace.records if isinstance(x, r.SubjectStarted)), None)
    if started is None:
        return None

    def after(kind: type[r.Body], *, upgrade: bool = False) -> float | None:
        found = next((x.t for x in trace.records if isinstance(x, kind) and (not upgrade or _is_upgrade(x))), None)
        return None if found is None else round((found - started) / 1e6, 3)

    held = next((x for x in trace.records if isinstance(x, r.Resources) and x.name == STARTED), None)
    return Start(
        tries=trace.header.play,
        connected=after(r.Accepted),
        upgraded=after(r.Head, upgrade=True),
        cpu=None if held is None or not held.cpu else held.cpu / 1e6,
    )


def _is_upgrade(record: r.Body) -> bool:
    return isinstance(record, r.Head) and record.upgrade
