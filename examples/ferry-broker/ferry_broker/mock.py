"""The mock Ferry broker: who is aboard, and which fares were asked for. Everything is told to a `Recorder`."""

from __future__ import annotations

import json
from collections.abc import Callable
from dataclasses import dataclass

from brokercert_mock.port.broker import AnyBroker
from brokercert_mock.port.connection import AnyConnection, Wire
from brokercert_mock.port.ground import Ground
from brokercert_mock.port.host import RestAnswer
from brokercert_mock.port.recorder import Recorder
from brokercert_mock.port.rules import shared
from brokercert_mock.port.settings import AnySettings
from brokercert_mock.port.shell import Shell

UNKNOWN_BADGE = 4001  # FP Boarding
STEP = 10  # cents: FP Fares


@dataclass(frozen=True, slots=True)
class FerrySettings(AnySettings):
    """How a `FerryBroker` behaves. Times in seconds."""

    fare_every: float | None = 0.4
    """A fare to each client that is aboard [ours: the page has no interval]. None: the ferry asks for none."""


class FerryConnection(AnyConnection):
    """One connection of a client. `board` is told that it shows a badge."""

    def __init__(
        self,
        ground: Ground,
        ident: int,
        wire: Wire,
        close_wait: float,
        board: Callable[[FerryConnection, object], None],
    ) -> None:
        super().__init__(ground, ident, wire, close_wait)
        self._board = board
        self.aboard = False

    def on_text(self, text: str, at: float) -> None:
        try:
            message = json.loads(text)
        except (ValueError, RecursionError):
            return
        if isinstance(message, dict) and message.get("op") == "board" and not self.aboard:
            self._board(self, message.get("badge"))


class FerryBroker(AnyBroker[FerryConnection]):
    """One ferry on one port."""

    websocket_path = "/ferry"
    rest_prefix = ""
    takes = (  # what a scenario may ask of it; the port applies all of these itself
        shared.AcceptClosed,
        shared.UpgradeRefused,
        shared.UpgradeUnanswered,
        shared.UpgradeClosed,
        shared.UpgradeThenClose,
    )

    def __init__(
        self,
        settings: FerrySettings | None = None,
        recorder: Recorder | None = None,
        seed: int = 1,
        clock: Callable[[], float] | None = None,
    ) -> None:
        self.settings = settings or FerrySettings()
        super().__init__(self.settings, recorder, seed, clock)
        self.badge = "".join(self.rng.choice("abcdefghjkmnpqrstuvwxyz23456789") for _ in range(16))
        self.fares: list[int] = []  # cents
        self.recorder.secret("badge", self.badge)

    def client_facts(self, host: str, port: int) -> dict[str, str]:
        """What a client is told: BROKERCERT_URL and BROKERCERT_BADGE."""
        return {"URL": f"ws://{host}:{port}{self.websocket_path}", "BADGE": self.badge}

    def tell_ledger(self, name: str) -> None:
        self.recorder.ledger(self.clock(), name, {"fares": list(self.fares)})

    # Boarding and fares.

    def board(self, conn: FerryConnection, badge: object) -> None:
        """Let a client aboard that shows its badge."""
        if badge != self.badge:
            conn.close(UNKNOWN_BADGE, "unknown badge")
            return
        conn.aboard = True
        conn.send_text(json.dumps({"op": "aboard"}))
        self._ask_later(conn)

    def ask(self, conn: FerryConnection) -> None:
        """Ask for the next fare."""
        self.fares.append(STEP * self.rng.randrange(5, 50))
        conn.send_text(json.dumps({"op": "fare", "n": len(self.fares), "cents": self.fares[-1]}))

    def _ask_later(self, conn: FerryConnection) -> None:
        every = self.settings.fare_every

        def ask() -> None:
            if conn.is_open:
                self.ask(conn)
                self._ask_later(conn)

        if every is not None:
            self.call_later(every, ask)

    # What the shell tells.

    def make_connection(self, ident: int, shell: Shell) -> FerryConnection:
        return FerryConnection(self.ground, ident, shell, self.settings.close_wait, self.board)

    def on_upgraded(self, conn: FerryConnection) -> None:
        """Nothing: the client has the first word."""

    def on_rest_request(
        self, conn: FerryConnection, method: str, target: str, headers: dict[str, str], body: str, answer: RestAnswer
    ) -> None:
        answer(404, "Not found", "text/plain")
