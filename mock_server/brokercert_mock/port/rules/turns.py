"""What a rule is handed when its moment comes: the thing that is about to happen, and what may be made of it.

A turn says what can be done, in the words of a rule. How it is done, those know who make the turn.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Any, Generic, TypeVar

from brokercert_mock.port.connection import AnyConnection
from brokercert_mock.port.ground import Ground

C = TypeVar("C", bound=AnyConnection)
Headers = Sequence[tuple[str, str]]
Act = Callable[[], None]


@dataclass(frozen=True)
class AcceptTurn(Generic[C]):
    """A TCP connection that was just accepted. `deafen`: what comes on it is read and thrown away."""

    conn: C
    deafen: Act


@dataclass(frozen=True)
class UpgradeTurn(Generic[C]):
    """An upgrade request that waits for its answer.

    `refuse` answers with a status, a body and more headers, and closes. `close` closes without an answer. `upgrade`
    answers as a broker without rules does; once it has answered 101, it does what it is given in place of what the
    broker does then (None: nothing is replaced). A rule that calls none of them leaves the request unanswered.
    """

    conn: C
    refuse: Callable[[int, str, Headers], None]
    close: Act
    upgrade: Callable[[Act | None], None]


@dataclass(frozen=True)
class RequestTurn:
    """A request to an endpoint, on socket or over REST, that waits for its answer.

    `go_on` does what is asked and answers it. `answer_with` answers with a status and data, and does nothing else.
    """

    ground: Ground
    conn_id: int
    endpoint: str
    go_on: Act
    answer_with: Callable[[int, Any], None]


@dataclass
class EventTurn:
    """An event that is about to be sent. `now` and `again` are what the rule makes of it: `again` is sent after `now`.

    Nothing is sent that stands in neither.
    """

    message: Any
    now: list[Any] = field(default_factory=list)
    again: list[Any] = field(default_factory=list)
