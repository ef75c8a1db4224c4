"""Rules laid over a broker: what it does differently, said in one readable line each.

    broker.on("authorize", nth=2).refuse(401, "Invalid access token")
    broker.on("user/syncrequest", nth=1).ticket(p_time=3)
    hold = broker.on_open(nth=1).hold(); ...; hold.release()
    with broker.on_upgrade().refuse(503): ...

A rule is told to the recorder each time it is applied, and once more if it never was. It never judges. Counting is over
the broker unless `nth_on_connection` is given; the newest rule that fits is applied.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Literal, Self

if TYPE_CHECKING:
    from brokercert_mock.port.connection import AnyConnection
    from brokercert_mock.tradovate.connection import Connection

Stage = Literal["accept", "upgrade", "open", "request", "event"]


@dataclass(slots=True, eq=False)
class Rule:
    """One rule. `act` is None until its sentence is finished; `cancel()` or the end of a `with` block ends it."""

    stage: Stage
    endpoint: str = ""
    nth: int | None = None
    times: int | None = None
    nth_on_connection: int | None = None
    name: str = ""
    detail: str = ""
    params: dict[str, Any] = field(default_factory=dict)
    applied: int = 0
    cancelled: bool = False
    also: Callable[[Connection], Any] | None = None
    hold_state: Hold | None = None

    def fits(self, total: int, here: int) -> bool:
        """Whether it applies to the `total`-th trigger of the broker, the `here`-th of its connection."""
        if self.cancelled or not self.name:
            return False
        if self.nth is not None and total != self.nth:
            return False
        if self.nth_on_connection is not None and here != self.nth_on_connection:
            return False
        return self.times is None or self.applied < self.times

    def cancel(self) -> None:
        self.cancelled = True

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *_: object) -> None:
        self.cancel()


class Hold:
    """Something kept back until `release`. `held` are the connections on which it is."""

    def __init__(self, rule: Rule) -> None:
        self._rule = rule
        self._waiting: list[tuple[AnyConnection, Callable[[], None]]] = []
        self._arrived = asyncio.Event()
        self.released = False

    @property
    def held(self) -> list[int]:
        return [conn.id for conn, _ in self._waiting]

    def keep(self, conn: AnyConnection, go: Callable[[], None]) -> None:
        self._waiting.append((conn, go))
        self._arrived.set()

    async def wait_held(self, within: float) -> bool:
        """Until something is held, at most `within` seconds."""
        try:
            async with asyncio.timeout(within):
                await self._arrived.wait()
        except TimeoutError:
            return False
        return True

    def release(self) -> None:
        """Let everything go, and hold nothing more."""
        self.released = True
        self._rule.cancel()
        waiting, self._waiting = self._waiting, []
        for _, go in waiting:
            go()


@dataclass(slots=True)
class RuleBook:
    """The rules of one broker, and how often each trigger came."""

    rules: list[Rule] = field(default_factory=list)
    totals: dict[str, int] = field(default_factory=dict)
    here: dict[tuple[int, str], int] = field(default_factory=dict)

    def add(self, rule: Rule) -> Rule:
        self.rules.append(rule)
        return rule

    def match(self, stage: Stage, conn: int, endpoint: str = "") -> Rule | None:
        """Count a trigger, and give the newest rule that fits it."""
        key = f"{stage}:{endpoint}"
        total = self.totals[key] = self.totals.get(key, 0) + 1
        here = self.here[conn, key] = self.here.get((conn, key), 0) + 1
        for rule in reversed(self.rules):
            if rule.stage == stage and rule.endpoint == endpoint and rule.fits(total, here):
                rule.applied += 1
                return rule
        return None


class _Sentence:
    def __init__(self, book: RuleBook, rule: Rule) -> None:
        self._book, self._rule = book, rule

    def _make(self, name: str, detail: str = "", **params: Any) -> Rule:
        self._rule.name, self._rule.detail, self._rule.params = name, detail, params
        return self._book.add(self._rule)

    def _hold(self, name: str) -> Hold:
        hold = Hold(self._rule)
        self._rule.hold_state = hold
        self._make(name)
        return hold


class OnRequest(_Sentence):
    """What is done with a request to one endpoint, over socket or REST."""

    def refuse(self, status: int, text: str) -> Rule:
        """Answer with an error and do nothing."""
        return self._make("refuse", f"{status} {text}", status=status, data=text)

    def answer_with(self, status: int, data: Any = None) -> Rule:
        """Answer with this, and do nothing."""
        return self._make("answer-with", str(status), status=status, data=data)

    def status(self, status: int) -> Rule:
        """Answer with a status alone, as 429 is."""
        return self._make("answer-with", str(status), status=status, data=None)

    def answer_after(self, seconds: float) -> Rule:
        return self._make("answer-after", f"{seconds:g} s", seconds=seconds)

    def never_answer(self) -> Rule:
        return self._make(f"never-answer:{self._rule.endpoint}")

    def hold(self) -> Hold:
        """Keep the answer back until released. What the request asks happens when it is answered."""
        return self._hold("hold")

    def hold_answer(self) -> Hold:
        """Do what is asked now (and tell the events of it), and keep only the answer back until released: a sync's
        snapshot stays as it was.
        """
        return self._hold("hold-answer")

    def in_one_frame(self) -> Rule:
        """Put the answer and the events of what was asked into one frame."""
        return self._make("in-one-frame")

    def ticket(self, p_time: float, *, captcha: bool = False) -> Rule:
        """Answer with a penalty ticket instead (TP §7.2)."""
        detail = f"p-time {p_time:g}{', captcha' if captcha else ''}"
        return self._make("ticket", detail, p_time=p_time, captcha=captcha)

    def last_in_batch(self, messages: Sequence[Any]) -> Rule:
        """Put the answer last in one frame, behind these messages."""
        return self._make("last-in-batch", f"behind {len(messages)} message(s)", messages=list(messages))

    def answer_after_events(self, messages: Sequence[Any]) -> Rule:
        """Send these in a frame of their own first."""
        return self._make("after-events", f"after {len(messages)} message(s)", messages=list(messages), apart=True)

    def answer_twice(self) -> Rule:
        return self._make("answer-twice")

    def then(self, action: Callable[[Connection], Any]) -> Rule:
        """Answer normally, then do this with the connection."""
        self._rule.also = action
        return self._make("then")

    def first(self, action: Callable[[Connection], Any]) -> Rule:
        """Do this with the connection, then what is asked; a connection that was cut gets no answer."""
        self._rule.also = action
        return self._make("first")

    def instead(self, action: Callable[[Connection], Any]) -> Rule:
        """Do this with the connection instead of answering."""
        self._rule.also = action
        return self._make("instead")


class OnAccept(_Sentence):
    """What is done with a TCP connection as soon as it is accepted."""

    def close(self) -> Rule:
        """FIN at once, whatever the client meant to ask."""
        return self._make("accept-closed")


class OnOpen(_Sentence):
    """What is done with the open frame `o`."""

    def hold(self) -> Hold:
        return self._hold("hold-open")

    def never(self) -> Rule:
        return self._make("open-never")

    def after(self, seconds: float) -> Rule:
        return self._make("open-after", f"{seconds:g} s", seconds=seconds)


class OnUpgrade(_Sentence):
    """What is done with an upgrade request."""

    def refuse(self, status: int, body: str = "", headers: Sequence[tuple[str, str]] = ()) -> Rule:
        """Answer with this status and close."""
        return self._make("upgrade-refused", str(status), status=status, body=body, headers=list(headers))

    def never_answer(self) -> Rule:
        return self._make("upgrade-unanswered")

    def close_at_once(self) -> Rule:
        """Close without an answer."""
        return self._make("upgrade-closed")

    def upgrade_then_close(self) -> Rule:
        """Upgrade, and FIN at once."""
        return self._make("upgrade-then-close")

    def shutdown_at_once(self, reason: str = "Maintenance") -> Rule:
        """Upgrade, `o`, a `shutdown` event, close frame 1001."""
        return self._make("shutdown-at-once", reason, reason=reason)


class OnEvents(_Sentence):
    """What is done with the next events."""

    def twice(self) -> Rule:
        """Send each twice."""
        return self._make("event-twice")

    def as_array(self) -> Rule:
        """Send each with its `entity` as an array of one."""
        return self._make("event-as-array")

    def drop(self) -> Rule:
        """Send none of them."""
        return self._make("event-dropped")
