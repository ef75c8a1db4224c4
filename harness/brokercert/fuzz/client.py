"""The reference client's handlers as a target: a session that has synced, and whatever a broker may then say."""

from __future__ import annotations

from random import Random
from typing import Any

import msgspec

from brokercert.engine.ask.named import callable_named
from brokercert.fuzz.targets import Plain, Target, target
from brokercert.hostile import LEVELS, Hostile, Level, generate
from brokercert.hostile.valid import ENTITIES
from brokercert.reference.tradovate.config import Config
from brokercert.reference.tradovate.session import Session
from brokercert.reference.tradovate.states import State
from brokercert.reference.tradovate.store import Store

TEXT_LEVELS = LEVELS[1:]  # a handler is given text: what breaks the WebSocket never reaches it
MOST_HELD = 2_000  # entities after which a session starts afresh: ids are strange, and none is ever deleted


def draw(rng: Random, level: Level | None) -> Hostile:
    """A text frame of one level, or of any."""
    return generate(rng, level or TEXT_LEVELS[int(rng.random() * len(TEXT_LEVELS))])


class LiveSession:
    """A session of the reference client. Time stands still, so that nothing is due."""

    session_class: type[Session] = Session

    def __init__(self) -> None:
        self._ident = 0
        self._begin()

    def _begin(self) -> None:
        config = Config.from_environment(
            {
                "BROKERCERT_URL": "ws://127.0.0.1:9/",
                "BROKERCERT_REST_URL": "http://127.0.0.1:9",
                "BROKERCERT_TOKEN": "t",
            }
        )
        self._store = Store()
        self._session = self.session_class(config, "t", {"entityTypes": ["order"]}, self._store, 0.0)
        self._say("o")
        self._answer({})
        self._answer({"orders": []})
        self._session.take()

    def _say(self, text: str) -> None:
        self._session.receive(text, 0.0)

    def _answer(self, data: Any) -> None:
        """Answer the request that it has just sent."""
        ident = int(self._session.take()[-1].split("\n")[1])
        self._say("a" + msgspec.json.encode([{"s": 200, "i": ident, "d": data}]).decode())

    def feed(self, frame: Hostile) -> None:
        self._session.receive(frame.text, 0.0)

    def probe(self) -> str:
        """It is still synced, has asked for nothing, and applies a valid event."""
        if self._session.state is not State.LIVE:
            return f"the session is {self._session.state.name.lower()}"
        asked = [text for text in self._session.take() if text != "[]"]
        if asked:
            return f"it sent {asked[0].splitlines()[0]!r}"
        self._ident = self._ident % 1_000 + 1
        entity = {**ENTITIES["order"], "id": self._ident, "text": str(self._store)}
        data = {"entityType": "order", "eventType": "Updated", "entity": entity}
        self._say("a" + msgspec.json.encode([{"e": "props", "d": data}]).decode())
        if self._store.entities.get("order", {}).get(self._ident) != entity:
            return "a valid event is not applied"
        if sum(map(len, self._store.entities.values())) > MOST_HELD:
            self._begin()
        return ""

    async def close(self) -> None:
        pass


@target(
    "client",
    "The reference client's handlers: nothing is raised, asked or given up; the frame or element is ignored, and the"
    " next valid event is applied.",
    draw,
)
async def _client() -> LiveSession:
    return LiveSession()


def handler_target(name: str) -> Target:
    """Somebody else's handler: a callable that takes the text of a frame, as `MODULE:NAME`. Raises `UsageError`."""
    expected = "expected MODULE:NAME of a function that takes the text of a frame, as in bot.ws:on_text"
    return target_of(name, callable_named("--handler", name, expected))


def target_of(name: str, handler: Any) -> Target:
    """A target of a callable that takes the text of a frame."""

    async def start() -> Plain:
        return Plain(lambda frame: handler(frame.text) and None)

    return Target(name, "Nothing is raised.", draw, start)
