"""Defects of what waits for the end of a penalty."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from brokercert.mutants.tradovate.mutant import mutant
from brokercert.mutants.tradovate.queues import with_queue
from brokercert.reference.tradovate.client import ReferenceClient
from brokercert.reference.tradovate.commands import Reports
from brokercert.reference.tradovate.requests import Lockout, Outcome, Request, RequestQueue
from brokercert.reference.tradovate.session import SYNC, Session


class _UsersQueue(RequestQueue):
    def _waits(self, endpoint: str) -> bool:
        """Whether a request of the user's has to wait; the session's own sync on a new socket is none."""
        return endpoint in self._penalties and endpoint != SYNC


class _LosingQueue(_UsersQueue):
    def submit(self, endpoint: str, done: Callable[[Outcome, float], None], *, now: float, **more: Any) -> None:
        if not self._waits(endpoint):
            super().submit(endpoint, done, now=now, **more)


@mutant("loses-requests-in-a-penalty", "RLP-050", reason="what is asked for during a penalty is queued, none is lost")
class Losing(ReferenceClient):
    """Forgets what it is asked for while the endpoint is under penalty."""

    session_class = with_queue(_LosingQueue)


class _SmallQueue(RequestQueue):
    MOST = 50

    def submit(self, endpoint: str, done: Callable[[Outcome, float], None], *, now: float, **more: Any) -> None:
        if endpoint in self._penalties and len(self._waiting) >= self.MOST:
            done(Outcome(0, None, "the queue is full"), now)
        else:
            super().submit(endpoint, done, now=now, **more)


@mutant(
    "queues-fifty-and-no-more",
    "RLP-050",
    reason="what is asked for during a penalty is queued: turned down for want of room, it is lost all the same",
)
class QueuesFifty(ReferenceClient):
    """Has room for fifty requests in its queue, and tells further ones as failed."""

    session_class = with_queue(_SmallQueue)


class _DoublingQueue(_UsersQueue):
    def submit(self, endpoint: str, done: Callable[[Outcome, float], None], *, now: float, **more: Any) -> None:
        super().submit(endpoint, done, now=now, **more)
        if self._waits(endpoint):
            super().submit(endpoint, lambda outcome, at: None, now=now, **more)


@mutant("doubles-requests-after-a-penalty", "RLP-050", reason="what was queued is sent once")
class Doubling(ReferenceClient):
    """Sends twice what had to wait for the end of a penalty."""

    session_class = with_queue(_DoublingQueue)


class _TwiceEmptiedQueue(_UsersQueue):
    LATER = 0.5  # seconds after the first emptying

    def __init__(self, lockout: Lockout) -> None:
        super().__init__(lockout)
        self._left: list[tuple[str, dict[str, Any]]] = []
        self._second = float("inf")  # when the second timer empties it again

    def submit(self, endpoint: str, done: Callable[[Outcome, float], None], *, now: float, **more: Any) -> None:
        if self._waits(endpoint):
            self._left.append((endpoint, more))
            self._second = self._penalties[endpoint] + self.LATER
        super().submit(endpoint, done, now=now, **more)

    def tick(self, now: float) -> None:
        super().tick(now)
        if now >= self._second:
            left, self._left, self._second = self._left, [], float("inf")
            for endpoint, more in left:
                super().submit(endpoint, lambda outcome, at: None, now=now, **more)

    def due(self) -> float:
        return min(super().due(), self._second)


@mutant(
    "empties-its-queue-twice",
    "RLP-050",
    reason="what was queued is sent once: a second timer that empties the queue sends it again",
)
class TwiceEmptied(ReferenceClient):
    """Empties its queue when a penalty ends, and half a second later once more."""

    session_class = with_queue(_TwiceEmptiedQueue)


class _HastyQueue(RequestQueue):
    def on_ticket(self, request: Request, data: dict[str, Any], now: float) -> None:
        super().on_ticket(request, data, now)
        self._penalties.pop(request.endpoint, None)


@mutant(
    "sends-other-requests-in-a-penalty",
    "RLP-050",
    also="RLP-060",
    reason="a penalty is the endpoint's, so that nothing is sent there before its end; then little is left in a queue",
)
class Hasty(ReferenceClient):
    """Waits a penalty out with the one request that drew it; others to the endpoint are sent at once."""

    session_class = with_queue(_HastyQueue)


class _SocketsOwnQueue(RequestQueue):
    def __init__(self, lockout: Lockout) -> None:
        super().__init__(lockout)
        self._penalties = {}


@mutant(
    "forgets-penalties-with-its-socket",
    "RLP-050",
    reason="a penalty is the endpoint's, and no socket's: nothing is sent there before its end",
)
class ForgetsPenalties(ReferenceClient):
    """Forgets at the loss of a socket which endpoints are under penalty."""

    session_class = with_queue(_SocketsOwnQueue)


class _LevelQueue(RequestQueue):
    def submit(self, endpoint: str, done: Callable[[Outcome, float], None], *, now: float, **more: Any) -> None:
        super().submit(endpoint, done, now=now, **(more | {"priority": 5}))


@mutant("knows-no-priority", "RLP-060", reason="requests leave by the priority that they were given")
class Level(ReferenceClient):
    """Lets queued requests leave as they came, whatever their priority."""

    session_class = with_queue(_LevelQueue)


class _TextualQueue(RequestQueue):
    def submit(self, endpoint: str, done: Callable[[Outcome, float], None], *, now: float, **more: Any) -> None:
        # As its text compares: of the digits, the first that differ decide.
        level = int(float(f"0.{more.get('priority', 5)}1") * 1000)
        super().submit(endpoint, done, now=now, **(more | {"priority": level}))


@mutant("compares-priorities-as-texts", "RLP-060", reason="a priority is a number: 5 comes before 10")
class Textual(ReferenceClient):
    """Lets requests of priority 10 leave before those of 5."""

    session_class = with_queue(_TextualQueue)


class _FalsyQueue(RequestQueue):
    def submit(self, endpoint: str, done: Callable[[Outcome, float], None], *, now: float, **more: Any) -> None:
        super().submit(endpoint, done, now=now, **(more | {"priority": more.get("priority") or 5}))


@mutant("takes-priority-0-for-none", "RLP-060", reason="0 is a priority, the first of all that are not below it")
class Falsy(ReferenceClient):
    """Takes the priority 0 for one that was not given."""

    session_class = with_queue(_FalsyQueue)


class _StackQueue(RequestQueue):
    def submit(self, endpoint: str, done: Callable[[Outcome, float], None], *, now: float, **more: Any) -> None:
        self._count -= 2  # each is older than the one before it
        super().submit(endpoint, done, now=now, **more)


@mutant("queues-on-a-stack", "RLP-060", reason="within a class, requests leave as they came (TP §7.4 has this sample)")
class Stack(ReferenceClient):
    """Lets the newest of its queued requests leave first."""

    session_class = with_queue(_StackQueue)


class _TiedQueue(RequestQueue):
    def submit(self, endpoint: str, done: Callable[[Outcome, float], None], *, now: float, **more: Any) -> None:
        waiting = [(item.priority, item.request.body) for item in self._waiting]
        sorted([*waiting, (more.get("priority", 5), more.get("body"))])  # as a heap of such pairs compares them
        super().submit(endpoint, done, now=now, **more)


@mutant(
    "compares-bodies-where-priorities-tie",
    "RLP-050",
    reason="what is asked for at one priority is queued too: here it is lost by an error",
)
class Tied(ReferenceClient):
    """Keeps pairs of priority and body in its queue. Of two with one priority it compares the bodies, which raises."""

    session_class = with_queue(_TiedQueue)


class _ByIdQueue(RequestQueue):
    def submit(self, endpoint: str, done: Callable[[Outcome, float], None], *, now: float, **more: Any) -> None:
        super().submit(endpoint, done, now=now, **more)
        for item in self._waiting:
            item.order = int("".join(filter(str.isdigit, f"{item.request.query}{item.request.body or ''}")) or 0)


@mutant(
    "sorts-by-id-where-priorities-tie",
    "RLP-060",
    reason="within a class, requests leave as they came, whatever they name",
)
class ById(ReferenceClient):
    """Lets queued requests of one priority leave by the numbers that they name."""

    session_class = with_queue(_ByIdQueue)


class _SilentOfCaptchas(Reports):
    def say(self, event: str, **more: Any) -> None:
        if "captcha" not in str(more):
            super().say(event, **more)


@mutant("hides-a-captcha", "RLP-040", reason="only a person can solve a captcha, and a person must be told of it")
class HidesCaptcha(ReferenceClient):
    """Tells nobody of a captcha."""

    def __init__(self, *arguments: Any, **more: Any) -> None:
        super().__init__(*arguments, **more)
        self.reports = self.commands._reports = _SilentOfCaptchas(self._output, self.config.level)


class _DeafSession(Session):
    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self._kept: list[tuple[str, Any]] = []

    def on_event(self, kind: str, data: Any, now: float) -> None:
        if self._requests.waits_for_a_penalty:
            self._kept.append((kind, data))
        else:
            super().on_event(kind, data, now)

    def tick(self, now: float) -> None:
        super().tick(now)
        if not self._requests.waits_for_a_penalty:
            kept, self._kept = self._kept, []
            for kind, data in kept:
                super().on_event(kind, data, now)


@mutant("processes-nothing-in-a-penalty", "RLP-080", reason="events are processed while a penalty is waited out")
class Deaf(ReferenceClient):
    """Puts events aside while it waits for the end of a penalty, and processes them afterwards."""

    session_class = _DeafSession
