"""A mock broker, as the engine uses it: whatever its protocol is."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol, runtime_checkable

from brokercert_mock.port.connection import AnyConnection
from brokercert_mock.port.origins import Origins
from brokercert_mock.port.panel import Panel


class Broker(Protocol):
    """A mock broker, as the engine uses it."""

    script_errors: list[BaseException]
    """What a rule or the broker itself broke on: a harness error, never the client's."""
    bytes_read: int
    """On all connections so far."""

    @property
    def port(self) -> int: ...

    @property
    def addresses(self) -> Sequence[str]:
        """On which it listens, all on one port: every one that a client may take."""

    @property
    def connections(self) -> Sequence[AnyConnection]:
        """Those whose TCP connection stands."""

    @property
    def bytes_come(self) -> int:
        """Bytes that have come on all connections so far: those that were read, and those that wait to be."""

    async def start(self, host: str = "127.0.0.1", port: int = 0) -> None: ...

    async def close(self) -> None: ...

    def client_facts(self, host: str, port: int) -> dict[str, str]:
        """What a client is told that reaches it at this address: BROKERCERT_* variables without their prefix
        (docs/subject-protocol.md), URL and credentials ready to use among them.
        """

    def tell_ledger(self, name: str) -> None:
        """Record its own state: a point of comparison."""


@runtime_checkable
class Shown(Protocol):
    """A broker that can be shown live in a browser page (`brokercert serve --web`)."""

    @property
    def url(self) -> str: ...

    def panel(self) -> Panel: ...


@runtime_checkable
class Guarded(Protocol):
    """A broker that can refuse web pages of other places (`brokercert serve`)."""

    origins: Origins | None
    """Which pages may use its port; None: any."""
