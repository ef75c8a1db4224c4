"""What is asked of the exchange and by whom, and what came of an order so far."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal
from typing import Any

from brokercert_mock.tradovate.state import Entity

TERMINAL = ("Canceled", "Completed", "Expired", "Filled", "Rejected")
AT_ONCE = ("FOK", "IOC")  # what is not filled as the order reaches the market never is


@dataclass(frozen=True, slots=True)
class Sender:
    """Who sent a command."""

    user_id: int
    session_id: int


@dataclass(frozen=True, slots=True)
class NewOrder:
    """What a New command asks for. `version` and `command` are fields of those entities, `links` of the order
    (`parentId`, `ocoId`); `ident` is a number drawn before, for orders that name each other; `refusal` is for what
    (reason, text) the risk check will turn it down, where that is known already.
    """

    account_id: int
    contract_id: int
    action: str
    version: Mapping[str, Any]
    command: Mapping[str, Any] = field(default_factory=dict)
    links: Mapping[str, int] = field(default_factory=dict)
    ident: int | None = None
    refusal: tuple[str, str] | None = None


@dataclass(slots=True)
class Tally:
    """What came of an order so far, and the command under way (None: none). `asleep`: a bracket that waits for its
    parent, from the moment that it is asked for.
    """

    filled: int = 0
    value: Decimal = field(default_factory=Decimal)
    pending: Entity | None = None
    by_client: bool = False
    asleep: bool = False
