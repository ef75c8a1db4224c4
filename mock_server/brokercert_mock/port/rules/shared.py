"""The rules that are about nothing of a protocol: any dialect may take them, and lists those that it does."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, ClassVar, TypeVar

from brokercert_mock.port.rules.book import Sentence
from brokercert_mock.port.rules.rule import Hold, Rule
from brokercert_mock.port.rules.turns import AcceptTurn, EventTurn, RequestTurn, UpgradeTurn

T = TypeVar("T", bound=RequestTurn)


class AcceptRule(Rule[AcceptTurn[Any]]):
    """About a TCP connection, as soon as it is accepted."""

    trigger = "accept"


class AcceptClosed(AcceptRule):
    name = "accept-closed"

    def apply(self, turn: AcceptTurn[Any]) -> None:
        turn.deafen()
        turn.conn.fin()


class UpgradeRule(Rule[UpgradeTurn[Any]]):
    """About an upgrade request."""

    trigger = "upgrade"


class UpgradeRefused(UpgradeRule):
    name = "upgrade-refused"

    def __init__(self, status: int, body: str, headers: Sequence[tuple[str, str]]) -> None:
        super().__init__(str(status))
        self._status, self._body, self._headers = status, body, tuple(headers)

    def apply(self, turn: UpgradeTurn[Any]) -> None:
        turn.refuse(self._status, self._body, self._headers)


class UpgradeUnanswered(UpgradeRule):
    name = "upgrade-unanswered"

    def apply(self, turn: UpgradeTurn[Any]) -> None:
        """A request of which nothing is made waits for good."""


class UpgradeClosed(UpgradeRule):
    name = "upgrade-closed"

    def apply(self, turn: UpgradeTurn[Any]) -> None:
        turn.close()


class UpgradeThenClose(UpgradeRule):
    name = "upgrade-then-close"

    def apply(self, turn: UpgradeTurn[Any]) -> None:
        turn.upgrade(turn.conn.fin)


class RequestRule(Rule[T]):
    """About a request to one endpoint. `socket_only`: over REST it would do nothing, and waits for the socket."""

    trigger = "request"
    socket_only: ClassVar[bool] = False


class Refuse(RequestRule[RequestTurn]):
    name = "refuse"

    def __init__(self, status: int, text: str) -> None:
        super().__init__(f"{status} {text}")
        self._status, self._text = status, text

    def apply(self, turn: RequestTurn) -> None:
        turn.answer_with(self._status, self._text)


class AnswerWith(RequestRule[RequestTurn]):
    name = "answer-with"

    def __init__(self, status: int, data: Any) -> None:
        super().__init__(str(status))
        self._status, self._data = status, data

    def apply(self, turn: RequestTurn) -> None:
        turn.answer_with(self._status, self._data)


class AnswerAfter(RequestRule[RequestTurn]):
    name = "answer-after"

    def __init__(self, seconds: float) -> None:
        super().__init__(f"{seconds:g} s")
        self._seconds = seconds

    def apply(self, turn: RequestTurn) -> None:
        turn.ground.call_later(self._seconds, turn.go_on)


class NeverAnswer(RequestRule[RequestTurn]):
    name = "never-answer"

    @property
    def told(self) -> str:
        """With the endpoint: several may be left unanswered in one scenario."""
        return f"{self.name}:{self.when.endpoint}"

    def apply(self, turn: RequestTurn) -> None:
        """A request of which nothing is made waits for good."""


class HoldRequest(RequestRule[RequestTurn]):
    name = "hold"

    def __init__(self) -> None:
        super().__init__()
        self.hold = Hold(self)

    def apply(self, turn: RequestTurn) -> None:
        self.hold.withhold(turn.ground, turn.conn_id, turn.endpoint, turn.go_on)


class EventRule(Rule[EventTurn]):
    """About an event that is about to be sent."""

    trigger = "event"


class EventTwice(EventRule):
    name = "event-twice"

    def apply(self, turn: EventTurn) -> None:
        turn.now.append(turn.message)
        turn.again.append(turn.message)


class EventDropped(EventRule):
    name = "event-dropped"

    def apply(self, turn: EventTurn) -> None:
        """An event of which nothing is made is not sent."""


class OnAccepting(Sentence):
    """What is done with a TCP connection as soon as it is accepted."""

    def close(self) -> AcceptClosed:
        """FIN at once, whatever the client meant to ask."""
        return self._make(AcceptClosed())


class OnUpgrade(Sentence):
    """What is done with an upgrade request."""

    def refuse(self, status: int, body: str = "", headers: Sequence[tuple[str, str]] = ()) -> UpgradeRefused:
        """Answer with this status and close."""
        return self._make(UpgradeRefused(status, body, headers))

    def never_answer(self) -> UpgradeUnanswered:
        return self._make(UpgradeUnanswered())

    def close_at_once(self) -> UpgradeClosed:
        """Close without an answer."""
        return self._make(UpgradeClosed())

    def upgrade_then_close(self) -> UpgradeThenClose:
        """Upgrade, and FIN at once."""
        return self._make(UpgradeThenClose())


class OnRequest(Sentence):
    """What is done with a request to one endpoint."""

    def refuse(self, status: int, text: str) -> Refuse:
        """Answer with an error and do nothing."""
        return self._make(Refuse(status, text))

    def answer_with(self, status: int, data: Any = None) -> AnswerWith:
        """Answer with this, and do nothing."""
        return self._make(AnswerWith(status, data))

    def status(self, status: int) -> AnswerWith:
        """Answer with a status alone, as 429 is."""
        return self._make(AnswerWith(status, None))

    def answer_after(self, seconds: float) -> AnswerAfter:
        return self._make(AnswerAfter(seconds))

    def never_answer(self) -> NeverAnswer:
        return self._make(NeverAnswer())

    def hold(self) -> Hold:
        """Keep the answer back until released. What the request asks happens when it is answered."""
        return self._make(HoldRequest()).hold


class OnEvents(Sentence):
    """What is done with the next events."""

    def twice(self) -> EventTwice:
        """Send each twice."""
        return self._make(EventTwice())

    def drop(self) -> EventDropped:
        """Send none of them."""
        return self._make(EventDropped())
