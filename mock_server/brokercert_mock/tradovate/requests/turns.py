"""A request's turn: what is asked, the rule that is laid over it, and the order of its answer and its events."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass
from typing import Any, Protocol

from brokercert_mock.port.ground import Ground
from brokercert_mock.port.rules.book import RuleBook
from brokercert_mock.port.rules.shared import RequestRule
from brokercert_mock.port.rules.turns import Act, RequestTurn
from brokercert_mock.tradovate.connection import Connection
from brokercert_mock.tradovate.requests.parameters import names
from brokercert_mock.tradovate.requests.penalties import Penalties
from brokercert_mock.tradovate.settings import Settings

Answer = tuple[int, Any]  # status, `d`
Reply = Callable[[int, Any], None]
Block = Callable[[], AbstractContextManager[None]]


class Asked(Protocol):
    """A request as it came, over socket or REST."""

    @property
    def conn(self) -> Connection: ...

    @property
    def endpoint(self) -> str: ...

    @property
    def on_socket(self) -> bool: ...

    @property
    def ticket(self) -> str | None:
        """The penalty ticket that it brings back."""
        ...

    @property
    def values(self) -> Mapping[str, Any]:
        """Its parameters, from query and body."""
        ...

    def perform(self) -> Answer:
        """Do what is asked, and give its answer."""
        ...

    def reply(self, status: int, data: Any, before: Sequence[Any] = ()) -> None:
        """Send the answer; on a socket behind these messages, in the same frame."""


@dataclass(frozen=True)
class Turn(RequestTurn):
    """What a rule may do with a request of this protocol, beside what it may do with any broker's.

    * `perform` does what is asked and gives the answer; under a penalty, the answer is a new ticket.
    * `carry_out` performs and hands the answer on, with its events after or before it.
    * `ticket` makes a penalty of so many seconds, with a captcha or not.
    * `one_frame` is a block whose messages go into one frame.
    """

    asked: Asked
    perform: Callable[[], Answer]
    carry_out: Callable[[Reply], None]
    ticket: Callable[[float, bool | None], dict[str, Any]]
    one_frame: Block

    @property
    def conn(self) -> Connection:
        return self.asked.conn


class Turns:
    """The requests of one broker's clients, each under the rule for it. `until_answered`: events within come after."""

    def __init__(
        self,
        ground: Ground,
        settings: Settings,
        book: RuleBook,
        penalties: Penalties,
        until_answered: Block,
        one_frame: Block,
    ) -> None:
        self._ground, self._settings, self._book, self._penalties = ground, settings, book, penalties
        self._block: Block = nullcontext if settings.order_events == "before answer" else until_answered
        self._one_frame = one_frame

    def take(self, asked: Asked) -> None:
        """Do what is asked and answer it, or what the rule for it says instead."""

        def suits(rule: RequestRule[Any]) -> bool:
            takes = asked.on_socket or not rule.socket_only
            return takes and (not rule.when.only or names(asked.values, rule.when.only))

        trigger = self._book.count(RequestRule, asked.conn.id, asked.endpoint)

        def lay(beneath: RequestRule[Any] | None = None) -> None:
            rule = self._book.newest(trigger, suits, beneath)
            if rule is None:
                self._turn(asked).go_on()
            else:
                rule.apply(self._turn(asked, lambda: lay(rule)))

        lay()

    def _turn(self, asked: Asked, go_on: Act | None = None) -> Turn:
        """`go_on`: what the rule beneath says; None: there is none."""
        endpoint = asked.endpoint

        def perform() -> Answer:
            if endpoint in self._settings.denied_endpoints:
                return 401, self._settings.denied_text or None
            return self._penalties.answer(endpoint, asked.ticket, asked.perform)

        def carry_out(reply: Reply) -> None:
            with self._block():
                reply(*perform())

        return Turn(
            self._ground,
            asked.conn.id,
            endpoint,
            go_on=go_on or (lambda: carry_out(asked.reply)),
            answer_with=lambda status, data: self._answer_with(asked, status, data),
            asked=asked,
            perform=perform,
            carry_out=carry_out,
            ticket=lambda p_time, captcha: self._penalties.ticket(endpoint, p_time, captcha),
            one_frame=self._one_frame,
        )

    def _answer_with(self, asked: Asked, status: int, data: Any) -> None:
        asked.reply(status, data)
        if asked.endpoint == "authorize" and status in (401, 403) and self._settings.bad_token_closes:
            asked.conn.close(1000, "Bye")
