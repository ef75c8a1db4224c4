"""What an edition of the page changes for the client: names, numbers, the ladder, REST. Everything else is shared.

The client itself speaks of an update by the names of the first edition; another edition reads its own into these.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any, Protocol

from brokercert.reference.rest import call

Order = Mapping[str, Any]


class Config(Protocol):
    """What an edition needs of the client's configuration."""

    @property
    def session(self) -> str: ...

    @property
    def token(self) -> str: ...

    @property
    def rest_url(self) -> str: ...

    @property
    def renew_url(self) -> str: ...

    @property
    def login_url(self) -> str: ...

    @property
    def user(self) -> str: ...

    @property
    def password(self) -> str: ...

    @property
    def app_secret(self) -> str: ...


class Edition:
    """The first: the page of 2025 (AR). Times in seconds."""

    first_credential = "session"  # its name in the query; the other one is `token` in each edition
    variable = "SESSION"  # that it is given in
    max_delay = 10.0
    max_tries = 300
    pong_every = 30.0
    read_timeout = 30.0
    immediate = 0  # attempts without a delay, before the first rung
    first_delay = 1.0
    lasting = 0.0  # a connection that lasted so long begins the ladder anew; 0: each, as it opens
    types = frozenset(
        {
            "ORDER_PLACED",
            "ORDER_MODIFIED",
            "ORDER_CANCELLED",
            "ORDER_REJECTED",
            "ORDER_EXECUTED",
            "ORDER_PARTIAL",
            "TRADE_UPDATE",
            "ORDER_STATUS",  # the page's sample has it, its table has not
        }
    )
    same_time_is_old = True  # of two updates of an order with one time, the second is no newer state

    def credentials(self, config: Config) -> list[tuple[str, str]]:
        return [(self.first_credential, config.session), ("token", config.token)]

    # Updates.

    def read(self, message: Order) -> dict[str, Any] | None:
        """An update by the client's own names; None: the object is none."""
        return dict(message) if isinstance(message.get("updateType"), str) else None

    def row(self, row: Order) -> dict[str, Any]:
        """An order of the REST API, likewise."""
        return dict(row)

    def key(self, update: Order) -> tuple[str, ...]:
        """By which a repeat is told."""
        return update["orderId"], update["timestamp"]

    def names(self, update: Order) -> dict[str, Any]:
        """What a report calls it."""
        return {"orderId": update["orderId"], "timestamp": update["timestamp"]}

    def told(self, order: Order) -> dict[str, Any]:
        """An order of a snapshot."""
        return dict(order)

    def called(self, order: str) -> dict[str, Any]:
        """An order by its id alone."""
        return {"orderId": order}

    # REST.

    async def orders(self, config: Config) -> Iterable[Any]:
        """The broker's orders. Raises `RestError`, KeyError, TypeError."""
        session = [("X-Session", config.session)]
        answer = await call(f"{config.rest_url}/orders", bearer=config.token, more_headers=session)
        rows: Iterable[Any] = answer["orders"]
        return rows

    async def renewed(self, config: Config) -> tuple[str, str] | None:
        """Both credentials anew; None: there is nowhere to ask. Raises likewise."""
        if not config.renew_url:
            return None
        fresh = await call(config.renew_url, body={"user": config.user, "password": config.password})
        return fresh["session"], fresh["token"]


FIRST = Edition()
