"""Correct clients pass every row about states, however unusual they are; all in virtual time."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping
from typing import Any

import msgspec
import pytest
from brokercert.engine.client.subject import Subject, SubjectSpec
from brokercert.engine.play.virtual import wall
from brokercert.reference.tradovate import ReferenceClient
from brokercert.reference.tradovate.commands import entities_in
from brokercert.reference.tradovate.session import Session
from brokercert.reference.tradovate.store import TERMINAL
from brokercert.verdict import Verdict
from virtual_play import SCENARIOS, SUITE, findings_of
from websockets.asyncio.client import ClientConnection, connect

REFERENCE = SUITE.dialect.reference


class ToldOtherwise(ReferenceClient):
    """Three sockets; tells objects keyed by id, decimals as texts, no finished orders and no flat positions."""

    def __init__(self, env: Mapping[str, str], output: Callable[[str], None], **more: Any) -> None:
        super().__init__({**env, "BROKERCERT_SHARDS": "3"}, output, **more)

    def state(self) -> dict[str, Any]:
        told = super().state()
        told["order"] = [one for one in told["order"] if one["ordStatus"] not in TERMINAL]
        told["position"] = [one for one in told["position"] if one["netPos"]]
        return {
            f"{kind}s": {
                str(one.pop("id")): {
                    name: f"{value:.10f}" if isinstance(value, float) else value for name, value in one.items()
                }
                for one in entities
            }
            for kind, entities in told.items()
        }


class Unhurried(ReferenceClient):
    """Subscribes in plurals to little more than orders; its state follows 1.5 s behind; reports its messages by number;
    remembers the ids of finished orders instead of the orders.
    """

    def __init__(self, env: Mapping[str, str], output: Callable[[str], None], **more: Any) -> None:
        super().__init__(env, output, **more)
        self._seen: list[tuple[float, dict[str, Any]]] = []
        self._numbers: list[int] = []

    def sync_body(self, shard: int) -> dict[str, Any]:
        self._numbers.append(0)
        types = ["Orders", "orderVersions", "commands", "cashBalances", "positions", "fills", "accounts"]
        return super().sync_body(shard) | {"entityTypes": types}

    async def run(self) -> int:
        watching = asyncio.create_task(self._watch())
        try:
            return await super().run()
        finally:
            watching.cancel()

    async def _watch(self) -> None:
        while True:
            told = super().state()
            told["order"] = [one for one in told["order"] if one["ordStatus"] not in TERMINAL]
            self._seen = [*self._seen[-30:], (asyncio.get_running_loop().time(), told)]
            await asyncio.sleep(0.1)

    def state(self) -> dict[str, Any]:
        now = asyncio.get_running_loop().time()
        return next((told for at, told in reversed(self._seen) if at <= now - 1.5), {"order": []})

    def on_event(self, kind: str, data: Any) -> None:
        self._numbers[-1] += 1
        line = {"event": "processed", "connection": len(self._numbers), "message": self._numbers[-1]}
        self.reports._output(msgspec.json.encode(line).decode())


class _Counting(Session):
    """Counts its messages."""

    messages = 0

    def receive(self, text: str, now: float) -> None:
        self.messages += 1
        super().receive(text, now)


class NamesBoth(ReferenceClient):
    """Reports what each line is about, and the message that brought it: a message of three events makes three lines."""

    session_class = _Counting
    connections = 0
    newest: Session | None = None

    def on_event(self, kind: str, data: Any) -> None:
        session = self._sessions[0]
        assert isinstance(session, _Counting)
        if session is not self.newest:
            self.newest, self.connections = session, self.connections + 1
        place = {"connection": self.connections, "message": session.messages}
        if kind == "props":
            for name, ident, change in entities_in(data):
                self.reports.say("processed", entityType=name, id=ident, eventType=change, **place)


class Narrow(ReferenceClient):
    """Subscribes to everything, and relies on orders and accounts: it keeps no fills, and no more than the side of its
    positions.
    """

    def state(self) -> dict[str, Any]:
        told = super().state()
        sides = [one | {"netPos": (one["netPos"] > 0) - (one["netPos"] < 0)} for one in told["position"]]
        return {"order": told["order"], "account": told["account"], "position": sides}


class Compressing(ReferenceClient):
    """Offers permessage-deflate, as most libraries do unless they are told not to."""

    async def open_socket(self) -> ClientConnection:
        return await connect(self.config.url, proxy=None, ping_interval=None, max_size=None)


DECLARED = {Unhurried: ("order", "Fill", "accounts"), Narrow: ("order", "account")}


@pytest.mark.parametrize("scenario", SCENARIOS)
@pytest.mark.parametrize(
    "client",
    [ReferenceClient, ToldOtherwise, Unhurried, NamesBoth, Narrow, Compressing],
    ids=lambda client: client.__name__,
)
def test_a_correct_client_passes(client: Any, scenario: str) -> None:
    def factory(env: Mapping[str, str], output: Callable[[str], None]) -> Subject:
        made: Subject = client(env, output, wall=wall, seed=1)
        return made

    offers = REFERENCE.offers - {"process"}
    declared = DECLARED.get(client, REFERENCE.entity_types)
    spec = SubjectSpec("odd", factory=factory, level="in process", offers=offers, entity_types=declared)
    found = findings_of(spec, scenario)
    # Plurals are another form than the documents show (TP §5.1): a recommendation of EVT-030, and no more.
    warned = [x for x in found if x.requirement == "EVT-030" and x.verdict is Verdict.WARNING]
    assert bool(warned) == (client is Unhurried)
    findings = [x for x in found if x not in warned]
    assert {x.requirement for x in findings} == set(SUITE.by_name(scenario).exercises)
    assert [x for x in findings if x.verdict is not Verdict.PASS] == []
