"""What every mock broker has in common: its port, its connections, its timers and rules, and the faults of the port.

A dialect's broker says what a connection is, what an upgrade and a REST request are answered with, and what happens on
a socket. Everything is told to a `Recorder`. One event loop, many brokers.
"""

from __future__ import annotations

import asyncio
import random
import socket
import ssl
from collections import deque
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from typing import Any, ClassVar, Generic, Self, TypeVar

from brokercert_mock.port.addresses import addresses_of, bound_to_all
from brokercert_mock.port.connection import KEPT, AnyConnection
from brokercert_mock.port.recorder import NullRecorder, Recorder
from brokercert_mock.port.rules import OnAccept, OnEvents, OnRequest, OnUpgrade, Rule, RuleBook
from brokercert_mock.port.shell import Shell
from brokercert_mock.tradovate.settings import AnySettings

C = TypeVar("C", bound=AnyConnection)
RestAnswer = Callable[[int, str, str], None]  # status, text, content type

FEW_TIMERS = 256  # up to which none is looked at


class AnyBroker(Generic[C]):
    """One broker on one port. `clock` gives seconds (None: the running loop's). The same seed gives the same state."""

    websocket_path: ClassVar[str]  # lower case, without a slash at its end

    def __init__(
        self, settings: AnySettings, recorder: Recorder | None, seed: int, clock: Callable[[], float] | None
    ) -> None:
        self.shell_settings = settings
        self.recorder: Recorder = recorder or NullRecorder()
        self.loop = asyncio.get_running_loop()
        self.clock = clock or self.loop.time
        self.rng = random.Random(seed)
        self.history: dict[int, C] = {}  # by number: those that stand, and of the ended ones the last
        self._count = 0
        self._ended: deque[int] = deque()
        self.script_errors: list[BaseException] = []
        self.book = RuleBook()
        self._shells: dict[Shell, C] = {}  # in the order of accepting: a set's would differ from run to run
        self._timers: set[asyncio.TimerHandle] = set()
        self._most_timers = FEW_TIMERS
        self._servers: list[asyncio.Server] = []
        self._tls: ssl.SSLContext | None = None
        self._port = 0
        self._host = "127.0.0.1"
        self.addresses: tuple[str, ...] = (self._host,)  # on which it listens
        self._changed = asyncio.Event()
        self._blocked: list[socket.socket] = []
        self.bytes_read = 0  # on all connections

    # What a dialect adds.

    def make_connection(self, ident: int, shell: Shell) -> C:
        raise NotImplementedError

    def on_started(self) -> None:
        """It listens."""

    def on_closing(self) -> None:
        """It is about to end."""

    def on_target(self, target: str) -> None:
        """A request's target, before it is recorded: what is secret in it is told here."""

    def refusal(self, conn: C, target: str) -> tuple[int, str] | None:
        """Status and text with which an upgrade is refused, that no rule is about. None: it is not."""
        return None

    def on_upgraded(self, conn: C, upgrade_rule: Rule | None) -> None:
        raise NotImplementedError

    def on_rest_request(
        self, conn: C, method: str, target: str, headers: dict[str, str], body: str, answer: RestAnswer
    ) -> None:
        raise NotImplementedError

    # Life.

    async def start(self, host: str = "127.0.0.1", port: int = 0, tls: ssl.SSLContext | None = None) -> None:
        """Listen on `host`, and on every address of the name by which clients are told to reach it; port 0 takes a free
        one. Raises OSError, and `AddressError` where that name cannot be served.
        """
        self._host, self._tls = host, tls
        self.addresses = await addresses_of(host, "localhost" if tls else "")  # some stacks refuse certificates for IPs
        sockets = bound_to_all(self.addresses, port)
        self._port = sockets[0].getsockname()[1]
        await self._listen(sockets)
        self.on_started()

    async def _listen(self, sockets: Iterable[socket.socket]) -> None:
        for one in sockets:
            # Known before it is waited for: whoever is cancelled meanwhile closes it.
            self._servers.append(
                await self.loop.create_server(lambda: Shell(self), sock=one, ssl=self._tls, start_serving=False)
            )
        for server in self._servers:
            await server.start_serving()

    def _stop_listening(self) -> None:
        for server in self._servers:
            server.close()
        self._servers.clear()

    @property
    def port(self) -> int:
        return self._port

    @property
    def url(self) -> str:
        return f"{'wss' if self._tls else 'ws'}://{self._name()}:{self._port}{self.websocket_path}"

    @property
    def rest_url(self) -> str:
        return f"{'https' if self._tls else 'http'}://{self._name()}:{self._port}/v1"

    def _name(self) -> str:
        return "localhost" if self._tls else self._host

    async def close(self) -> None:
        """Stop listening and end what is left, waiting for no client. Tells of rules that were never triggered."""
        self.on_closing()
        for timer in list(self._timers):
            timer.cancel()
        self._timers.clear()
        self._stop_listening()
        self._unblock()
        for rule in self.book.rules:
            if rule.name and not rule.applied:
                self.recorder.rule_unused(self.clock(), rule.name)
        for shell in list(self._shells):
            shell.abort()

    async def refuse_port(self) -> None:
        """From here on connections are truly refused: the port is bound, nobody listens. Live ones go on."""
        requested = self.clock()
        self._bound()
        self.recorder.fault(requested, self.clock(), "port-refused", 0, "")

    async def leave_unanswered(self) -> None:
        """From here on connects are not answered at all, as by a dead machine. Live connections go on.

        The port listens with a queue that is full, so that the system drops what comes. There is no record of it.
        """
        requested = self.clock()
        for blocked in self._bound():
            blocked.listen(0)
            for _ in range(2):  # a queue of length 0 holds one connection; the second one finds out that it is full
                filler = socket.socket(blocked.family)
                filler.setblocking(False)
                filler.connect_ex(blocked.getsockname())
                self._blocked.append(filler)
        self.recorder.fault(requested, self.clock(), "port-unanswered", 0, "")

    def _bound(self) -> list[socket.socket]:
        """The port, taken and not listening, on each address."""
        self._stop_listening()
        blocked = bound_to_all(self.addresses, self._port)
        self._blocked += blocked
        return blocked

    def _unblock(self) -> None:
        for blocked in self._blocked:
            blocked.close()
        self._blocked.clear()

    async def accept_again(self) -> None:
        """Listen on the same port again."""
        requested = self.clock()
        self._unblock()
        await self._listen(bound_to_all(self.addresses, self._port))
        self.recorder.fault(requested, self.clock(), "port-open", 0, "")

    def machine_of(self, address: str) -> str:
        """Where a client connects from, told by one address: all on which this listens are one machine's."""
        return self._host if address in self.addresses else address

    # Rules.

    def on(
        self,
        endpoint: str,
        *,
        nth: int | None = None,
        times: int | None = None,
        nth_on_connection: int | None = None,
    ) -> OnRequest:
        """A rule for requests to one endpoint (in any letter case), over socket or REST."""
        name = endpoint.lower().lstrip("/")
        return OnRequest(self.book, Rule("request", name, nth, times, nth_on_connection))

    def on_accepting(self, *, nth: int | None = None, times: int | None = None) -> OnAccept:
        """A rule for TCP connections, before anything is read from them."""
        return OnAccept(self.book, Rule("accept", "", nth, times))

    def on_upgrade(self, *, nth: int | None = None, times: int | None = None) -> OnUpgrade:
        """A rule for upgrade requests."""
        return OnUpgrade(self.book, Rule("upgrade", "", nth, times))

    def on_events(self, *, next: int | None = None) -> OnEvents:
        """A rule for the next so many events, or for all."""
        return OnEvents(self.book, Rule("event", "", None, next))

    # Connections.

    @property
    def connections(self) -> list[C]:
        """Those whose TCP connection stands."""
        return list(self._shells.values())

    @property
    def bytes_come(self) -> int:
        """Bytes that have come on all connections: those that were read, and those that wait to be read."""
        return self.bytes_read + sum(shell.unread for shell in self._shells)

    async def wait(self, condition: Callable[[Self], bool], within: float) -> bool:
        """Until `condition(self)` holds, looked at after everything that happens; False after `within` seconds."""
        try:
            async with asyncio.timeout(within):
                while not condition(self):
                    self._changed.clear()
                    await self._changed.wait()
        except TimeoutError:
            return bool(condition(self))
        return True

    def changed(self) -> None:
        self._changed.set()

    def call_later(self, delay: float, act: Callable[[], Any]) -> asyncio.TimerHandle:
        """A timer that dies with the broker."""

        def run() -> None:
            self._timers.discard(handle)
            with self.guarding():
                act()

        handle = self.loop.call_later(delay, run)
        self._timers.add(handle)
        if len(self._timers) > self._most_timers:  # most of them were cancelled, and a handle does not tell of that
            self._timers = {timer for timer in self._timers if not timer.cancelled()}
            self._most_timers = max(FEW_TIMERS, 2 * len(self._timers))
        return handle

    @contextmanager
    def guarding(self) -> Iterator[None]:
        """The boundary to asyncio's callbacks: a bug of the broker or of a rule is kept, for the runner to tell."""
        try:
            yield
        except Exception as error:
            if len(self.script_errors) < KEPT:
                self.script_errors.append(error)

    # What the shell tells.

    def on_accept(self, shell: Shell) -> C:
        self._count += 1
        connection = self.make_connection(self._count, shell)
        self.history[connection.id] = connection
        self._shells[shell] = connection
        self.recorder.accepted(connection.accepted_at, connection.id)
        rule = self.book.match("accept", connection.id)
        if rule is not None:
            self.tell_rule(rule, connection)
            shell.deafen()
            connection.fin()
        self.changed()
        return connection

    def on_lost(self, shell: Shell) -> None:
        ended = self._shells.pop(shell, None)
        if ended is not None:
            self._ended.append(ended.id)
            if len(self._ended) > KEPT:
                del self.history[self._ended.popleft()]
        self.changed()

    def on_upgrade_request(self, conn: C) -> Rule | None:
        rule = self.book.match("upgrade", conn.id)
        if rule is not None:
            self.tell_rule(rule, conn)
        return rule

    def withhold(self, rule: Rule, conn: C, what: str, go: Callable[[], None]) -> None:
        """Keep `what` back on this connection until the rule's hold is released; `go` lets it go."""
        hold = rule.hold_state
        assert hold is not None
        if hold.released:
            go()
            return
        self.recorder.withheld(self.clock(), what, conn.id)

        def release() -> None:
            self.recorder.released(self.clock(), what, conn.id)
            go()

        hold.keep(conn, release)
        self.changed()

    def tell_rule(self, rule: Rule, conn: C) -> None:
        self.recorder.rule(self.clock(), rule.name, conn.id, rule.detail)
