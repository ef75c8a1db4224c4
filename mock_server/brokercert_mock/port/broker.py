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
from collections.abc import Callable, Iterable, Mapping
from typing import Any, ClassVar, Generic, Self, TypeVar

from brokercert_mock.port.addresses import addresses_of, bound_to_all
from brokercert_mock.port.budget import Budget
from brokercert_mock.port.connection import AnyConnection
from brokercert_mock.port.faults import Fault
from brokercert_mock.port.ground import KEPT, Ground
from brokercert_mock.port.host import RestAnswer
from brokercert_mock.port.origins import Origins
from brokercert_mock.port.recorder import Recorder
from brokercert_mock.port.rules.book import RuleBook
from brokercert_mock.port.rules.rule import Kinds, When
from brokercert_mock.port.rules.shared import AcceptRule, OnAccepting, OnEvents, OnRequest, OnUpgrade, UpgradeRule
from brokercert_mock.port.rules.turns import AcceptTurn, UpgradeTurn
from brokercert_mock.port.settings import AnySettings
from brokercert_mock.port.shell import Shell

C = TypeVar("C", bound=AnyConnection)


class AnyBroker(Generic[C]):
    """One broker on one port. `clock` gives seconds (None: the running loop's). The same seed gives the same state."""

    websocket_path: ClassVar[str]  # lower case, without a slash at its end
    rest_prefix: ClassVar[str]  # what REST paths begin with, without a slash at its end
    takes: ClassVar[Kinds]  # the kinds of rules that do something here

    def __init__(
        self, settings: AnySettings, recorder: Recorder | None, seed: int, clock: Callable[[], float] | None
    ) -> None:
        self.shell_settings = settings
        self.ground = Ground(recorder, clock)
        self.recorder = self.ground.recorder
        self.loop = self.ground.loop
        self.clock = self.ground.clock
        self.script_errors = self.ground.script_errors
        self.rng = random.Random(seed)
        self.history: dict[int, C] = {}  # by number: those that stand, and of the ended ones the last
        self._count = 0
        self._ended: deque[int] = deque()
        self.book = RuleBook(type(self).__name__, self.takes, self.ground)
        self._shells: dict[Shell, C] = {}  # in the order of accepting: a set's would differ from run to run
        self._servers: list[asyncio.Server] = []
        self._tls: ssl.SSLContext | None = None
        self._port = 0
        self._host = "127.0.0.1"
        self.addresses: tuple[str, ...] = (self._host,)  # on which it listens
        self._blocked: list[socket.socket] = []
        self.bytes_read = 0  # on all connections
        self.budget = Budget(settings.all_may_send, self.clock)
        self.deflate = settings.deflate
        self.origins: Origins | None = None  # any: a client that is judged may send whatever origin it has

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

    def on_switched(self, conn: C) -> None:
        """The answer was 101, under a rule or not."""

    def on_upgraded(self, conn: C) -> None:
        """The answer was 101, and no rule does something else from here on."""
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

    async def _stop_listening(self) -> None:
        """In two turns of the loop. A connection that was accepted in this one gets its transport in the next one, and
        its shell in the one after. If its server was closed by then, asyncio drops it without closing it: the client
        would wait for a broker that does not know it.
        """
        servers, self._servers = self._servers, []
        try:
            for server in servers:
                for listener in server.sockets:
                    self.loop.remove_reader(listener)
            for _ in range(2):
                await asyncio.sleep(0)
        finally:
            for server in servers:
                server.close()

    @property
    def port(self) -> int:
        return self._port

    @property
    def url(self) -> str:
        return f"{'wss' if self._tls else 'ws'}://{self._name()}:{self._port}{self.websocket_path}"

    @property
    def rest_url(self) -> str:
        return f"{'https' if self._tls else 'http'}://{self._name()}:{self._port}{self.rest_prefix}"

    def _name(self) -> str:
        return "localhost" if self._tls else self._host

    async def close(self) -> None:
        """Stop listening and end what is left, waiting for no client. Tells of rules that were never triggered."""
        self.on_closing()
        self.ground.cancel_timers()
        await self._stop_listening()
        self._unblock()
        self.book.tell_unused()
        for shell in list(self._shells):
            shell.abort()

    async def refuse_port(self) -> None:
        """From here on connections are truly refused: the port is bound, nobody listens. Live ones go on."""
        requested = self.clock()
        await self._bound()
        self._tell_fault(requested, Fault.PORT_REFUSED)

    async def leave_unanswered(self) -> None:
        """From here on connects are not answered at all, as by a dead machine. Live connections go on.

        The port listens with a queue that is full, so that the system drops what comes. There is no record of it.
        """
        requested = self.clock()
        for blocked in await self._bound():
            blocked.listen(0)
            for _ in range(2):  # a queue of length 0 holds one connection; the second one finds out that it is full
                filler = socket.socket(blocked.family)
                filler.setblocking(False)
                filler.connect_ex(blocked.getsockname())
                self._blocked.append(filler)
        self._tell_fault(requested, Fault.PORT_UNANSWERED)

    async def _bound(self) -> list[socket.socket]:
        """The port, taken and not listening, on each address."""
        await self._stop_listening()
        blocked = bound_to_all(self.addresses, self._port)
        self._blocked += blocked
        return blocked

    def _unblock(self) -> None:
        for blocked in self._blocked:
            blocked.close()
        self._blocked.clear()

    def _tell_fault(self, requested: float, fault: Fault) -> None:
        """Of the whole port, asked for at that time and in effect now."""
        self.recorder.fault(requested, self.clock(), str(fault), 0, "")

    async def accept_again(self) -> None:
        """Listen on the same port again."""
        requested = self.clock()
        self._unblock()
        await self._listen(bound_to_all(self.addresses, self._port))
        self._tell_fault(requested, Fault.PORT_OPEN)

    def machine_of(self, address: str) -> str:
        """Where a client connects from, told by one address: all on which this listens are one machine's."""
        return self._host if address in self.addresses else address

    # Rules. `nth` counts from 1.

    def on(
        self,
        endpoint: str,
        *,
        nth: int | None = None,
        times: int | None = None,
    ) -> OnRequest:
        """A rule for requests to one endpoint (in any letter case), over socket or REST."""
        return OnRequest(self.book, request_when(endpoint, nth, times))

    def on_accepting(self, *, nth: int | None = None, times: int | None = None) -> OnAccepting:
        """A rule for TCP connections, before anything is read from them."""
        return OnAccepting(self.book, When(nth=nth, times=times))

    def on_upgrade(self, *, nth: int | None = None, times: int | None = None) -> OnUpgrade:
        """A rule for upgrade requests."""
        return OnUpgrade(self.book, When(nth=nth, times=times))

    def on_events(self, *, next: int | None = None) -> OnEvents:
        """A rule for the next so many events, or for all."""
        return OnEvents(self.book, When(times=next))

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
        return await self.ground.wait(lambda: condition(self), within)

    def changed(self) -> None:
        """Something happened: whoever waits looks again."""
        self.ground.changed()

    def call_later(self, delay: float, act: Callable[[], Any]) -> asyncio.TimerHandle:
        """A timer that dies with the broker."""
        return self.ground.call_later(delay, act)

    # What the shell tells.

    def on_accept(self, shell: Shell) -> C:
        self._count += 1
        connection = self.make_connection(self._count, shell)
        self.history[connection.id] = connection
        self._shells[shell] = connection
        self.recorder.accepted(connection.accepted_at, connection.id)
        rule = self.book.met(AcceptRule, connection.id)
        if rule is not None:
            rule.apply(AcceptTurn(connection, shell.deafen))
        self.changed()
        return connection

    def on_lost(self, shell: Shell) -> None:
        ended = self._shells.pop(shell, None)
        if ended is not None:
            self._ended.append(ended.id)
            if len(self._ended) > KEPT:
                del self.history[self._ended.popleft()]
        self.changed()

    def on_upgrade_request(self, turn: UpgradeTurn[C]) -> None:
        rule = self.book.met(UpgradeRule, turn.conn.id)
        if rule is None:
            turn.upgrade(None)
        else:
            rule.apply(turn)


def request_when(
    endpoint: str,
    nth: int | None,
    times: int | None,
    only: Mapping[str, Any] | None = None,
    attempt: int | None = None,
) -> When:
    """Which requests a rule is about: the endpoint as it is counted, in lower case and without a slash before it."""
    return When(endpoint.lower().lstrip("/"), nth, times, only or {}, attempt)
