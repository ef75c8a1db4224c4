"""What the bytes of a connection mean: the broker, as its shells see it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, Any, Protocol

from brokercert_mock.port.budget import Budget
from brokercert_mock.port.connection import AnyConnection
from brokercert_mock.port.ground import Ground
from brokercert_mock.port.origins import Origins
from brokercert_mock.port.rules.turns import UpgradeTurn
from brokercert_mock.port.settings import AnySettings

if TYPE_CHECKING:
    from brokercert_mock.port.shell import Shell


class RestAnswer(Protocol):
    """Answers a request once."""

    def __call__(self, status: int, text: str, kind: str, headers: Sequence[tuple[str, str]] = (), /) -> None:
        """`kind`: the content type; `headers`: more of them."""


class Host(Protocol):
    """What a shell tells, and asks. Connections are of the dialect that made them."""

    ground: Ground
    shell_settings: AnySettings
    bytes_read: int
    budget: Budget  # of all connections together
    deflate: bool  # whether an offer of permessage-deflate is accepted, from here on
    origins: Origins | None  # which web pages may use the port; None: any

    @property
    def websocket_path(self) -> str:
        """Of the WebSocket: lower case, without a slash at its end."""
        ...

    def machine_of(self, address: str) -> str:
        """Where a client connects from."""
        ...

    def on_accept(self, shell: Shell) -> AnyConnection:
        """A TCP connection was accepted. What it is."""
        ...

    def on_lost(self, shell: Shell) -> None:
        """It is gone."""

    def on_target(self, target: str) -> None:
        """A request's target, before it is recorded."""

    def on_upgrade_request(self, turn: UpgradeTurn[Any]) -> None:
        """An upgrade is asked for."""

    def refusal(self, conn: Any, target: str) -> tuple[int, str] | None:
        """Status and text with which the upgrade is refused; None: it is not."""
        ...

    def on_switched(self, conn: Any) -> None:
        """The answer was 101, under a rule or not."""

    def on_upgraded(self, conn: Any) -> None:
        """The answer was 101, and no rule does something else from here on."""

    def on_rest_request(
        self, conn: Any, method: str, target: str, headers: dict[str, str], body: str, answer: RestAnswer
    ) -> None:
        """A REST request, body included."""
