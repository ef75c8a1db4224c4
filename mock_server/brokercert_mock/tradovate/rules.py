"""The rules that are about this protocol, and the words for them in a scenario's line."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar

from brokercert_mock.port.ground import Ground
from brokercert_mock.port.rules import shared
from brokercert_mock.port.rules.book import Sentence
from brokercert_mock.port.rules.rule import Hold, Kinds, Rule
from brokercert_mock.port.rules.turns import EventTurn, UpgradeTurn
from brokercert_mock.tradovate import wire as frames
from brokercert_mock.tradovate.connection import Connection
from brokercert_mock.tradovate.requests.turns import Turn

Action = Callable[[Connection], Any]


# The open frame.


@dataclass(frozen=True)
class OpenTurn:
    """An upgraded socket that waits for its `o`; `send` sends it."""

    ground: Ground
    conn_id: int
    send: Callable[[], None]


class OpenRule(Rule[OpenTurn]):
    """About the open frame `o`."""

    trigger = "open"


class HoldOpen(OpenRule):
    name = "hold-open"

    def __init__(self) -> None:
        super().__init__()
        self.hold = Hold(self)

    def apply(self, turn: OpenTurn) -> None:
        self.hold.withhold(turn.ground, turn.conn_id, "o", turn.send)


class OpenNever(OpenRule):
    name = "open-never"

    def apply(self, turn: OpenTurn) -> None:
        """An `o` of which nothing is made is not sent."""


class OpenAfter(OpenRule):
    name = "open-after"

    def __init__(self, seconds: float) -> None:
        super().__init__(f"{seconds:g} s")
        self._seconds = seconds

    def apply(self, turn: OpenTurn) -> None:
        turn.ground.call_later(self._seconds, turn.send)


class OnOpen(Sentence):
    """What is done with the open frame `o`."""

    def hold(self) -> Hold:
        return self._make(HoldOpen()).hold

    def never(self) -> OpenNever:
        return self._make(OpenNever())

    def after(self, seconds: float) -> OpenAfter:
        return self._make(OpenAfter(seconds))


# Requests.


class TradovateRequestRule(shared.RequestRule[Turn]):
    """About a request to one endpoint of this protocol."""


class HoldAnswer(TradovateRequestRule):
    name = "hold-answer"

    def __init__(self) -> None:
        super().__init__()
        self.hold = Hold(self)

    def apply(self, turn: Turn) -> None:
        answer = turn.perform()
        self.hold.withhold(turn.ground, turn.conn_id, turn.endpoint, lambda: turn.asked.reply(*answer))


class InOneFrame(TradovateRequestRule):
    name = "in-one-frame"

    def apply(self, turn: Turn) -> None:
        with turn.one_frame():
            turn.go_on()


class Ticket(TradovateRequestRule):
    name = "ticket"

    def __init__(self, p_time: float, captcha: bool | None) -> None:
        super().__init__(f"p-time {p_time:g}{', captcha' if captcha else ''}")
        self._p_time, self._captcha = p_time, captcha

    def apply(self, turn: Turn) -> None:
        turn.asked.reply(200, turn.ticket(self._p_time, self._captcha))


class LastInBatch(TradovateRequestRule):
    name = "last-in-batch"
    socket_only: ClassVar[bool] = True

    def __init__(self, messages: Sequence[Any]) -> None:
        super().__init__(f"behind {len(messages)} message(s)")
        self._messages = list(messages)

    def apply(self, turn: Turn) -> None:
        turn.carry_out(lambda status, data: turn.asked.reply(status, data, self._messages))


class AfterEvents(TradovateRequestRule):
    name = "after-events"
    socket_only: ClassVar[bool] = True

    def __init__(self, messages: Sequence[Any]) -> None:
        super().__init__(f"after {len(messages)} message(s)")
        self._messages = list(messages)

    def apply(self, turn: Turn) -> None:
        turn.conn.send_messages(self._messages)
        turn.go_on()


class AnswerTwice(TradovateRequestRule):
    name = "answer-twice"
    socket_only: ClassVar[bool] = True  # a REST request has one answer

    def apply(self, turn: Turn) -> None:
        def twice(status: int, data: Any) -> None:
            turn.asked.reply(status, data)
            turn.asked.reply(status, data)

        turn.carry_out(twice)


class First(TradovateRequestRule):
    name = "first"

    def __init__(self, action: Action) -> None:
        super().__init__()
        self._action = action

    def apply(self, turn: Turn) -> None:
        self._action(turn.conn)
        turn.go_on()


class Then(TradovateRequestRule):
    name = "then"

    def __init__(self, action: Action) -> None:
        super().__init__()
        self._action = action

    def apply(self, turn: Turn) -> None:
        turn.go_on()
        self._action(turn.conn)


class Instead(TradovateRequestRule):
    name = "instead"

    def __init__(self, action: Action) -> None:
        super().__init__()
        self._action = action

    def apply(self, turn: Turn) -> None:
        self._action(turn.conn)


class OnRequest(shared.OnRequest):
    """What is done with a request to one endpoint, over socket or REST."""

    def hold_answer(self) -> Hold:
        """Do what is asked now (and tell the events of it), and keep only the answer back until released: a sync's
        snapshot stays as it was.
        """
        return self._make(HoldAnswer()).hold

    def in_one_frame(self) -> InOneFrame:
        """Put the answer and the events of what was asked into one frame."""
        return self._make(InOneFrame())

    def ticket(self, p_time: float, *, captcha: bool | None = None) -> Ticket:
        """Answer with a penalty ticket instead (TP §7.2). `p_time` in seconds. `captcha` None: it is left out."""
        return self._make(Ticket(p_time, captcha))

    def last_in_batch(self, messages: Sequence[Any]) -> LastInBatch:
        """Put the answer last in one frame, behind these messages. On a socket only."""
        return self._make(LastInBatch(messages))

    def answer_after_events(self, messages: Sequence[Any]) -> AfterEvents:
        """Send these in a frame of their own first. On a socket only."""
        return self._make(AfterEvents(messages))

    def answer_twice(self) -> AnswerTwice:
        """Send the answer twice. On a socket only."""
        return self._make(AnswerTwice())

    def then(self, action: Action) -> Then:
        """Answer normally, then do this with the connection."""
        return self._make(Then(action))

    def first(self, action: Action) -> First:
        """Do this with the connection, then what is asked; a connection that was cut gets no answer."""
        return self._make(First(action))

    def instead(self, action: Action) -> Instead:
        """Do this with the connection instead of answering."""
        return self._make(Instead(action))


# Upgrades.


class ShutdownAtOnce(shared.UpgradeRule):
    name = "shutdown-at-once"

    def __init__(self, reason: str) -> None:
        super().__init__(reason)
        self._reason = reason

    def apply(self, turn: UpgradeTurn[Connection]) -> None:
        def shut_down() -> None:
            turn.conn.send_text(frames.OPEN)
            turn.conn.send_event("shutdown", {"reasonCode": self._reason})
            turn.conn.close(1001, "Shutdown")

        turn.upgrade(shut_down)


class OnUpgrade(shared.OnUpgrade):
    """What is done with an upgrade request."""

    def shutdown_at_once(self, reason: str = "Maintenance") -> ShutdownAtOnce:
        """Upgrade, `o`, a `shutdown` event, close frame 1001."""
        return self._make(ShutdownAtOnce(reason))


# Events.


class EventAsArray(shared.EventRule):
    name = "event-as-array"

    def apply(self, turn: EventTurn) -> None:
        data = turn.message["d"]
        turn.now.append(frames.event("props", data | {"entity": [data["entity"]]}))


class OnEvents(shared.OnEvents):
    """What is done with the next events."""

    def as_array(self) -> EventAsArray:
        """Send each with its `entity` as an array of one."""
        return self._make(EventAsArray())


TAKES: Kinds = (
    shared.AcceptClosed,
    shared.UpgradeRefused,
    shared.UpgradeUnanswered,
    shared.UpgradeClosed,
    shared.UpgradeThenClose,
    ShutdownAtOnce,
    HoldOpen,
    OpenNever,
    OpenAfter,
    shared.Refuse,
    shared.AnswerWith,
    shared.AnswerAfter,
    shared.NeverAnswer,
    shared.HoldRequest,
    HoldAnswer,
    InOneFrame,
    Ticket,
    LastInBatch,
    AfterEvents,
    AnswerTwice,
    First,
    Then,
    Instead,
    shared.EventTwice,
    shared.EventDropped,
    EventAsArray,
)
