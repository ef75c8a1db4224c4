"""Clients that are asked to send requests: odd ones that are right, each seen by the rows that a naive judge would fail
them by; and for every row of requests and queues the mutant that fails it. All in virtual time.
"""

from __future__ import annotations

import asyncio
import dataclasses
import itertools
from collections.abc import Callable, Mapping
from contextlib import suppress
from typing import Any

import pytest
from brokercert.engine.ask.config import STOPS
from brokercert.engine.client.subject import Stop
from brokercert.mutants.tradovate import MUTANTS
from brokercert.mutants.tradovate.queues import with_queue
from brokercert.mutants.tradovate.reconnection.subscriptions import Charts
from brokercert.mutants.tradovate.requests.answers import SerialQueue
from brokercert.reference.tradovate import ReferenceClient
from brokercert.reference.tradovate.client import End
from brokercert.reference.tradovate.requests import Lockout, Outcome, QueueFull, Request, RequestQueue
from brokercert.reference.tradovate.session import Session
from brokercert.reference.tradovate.states import Happening
from inside import SUITE, findings_of, told, verdicts

# A client that is killed may leave its socket to the garbage collector: it is a task of this process, and has no end.
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")


class _DescendingQueue(RequestQueue):
    def __init__(self, lockout: Lockout) -> None:
        super().__init__(lockout)
        self._next_id = 2**31 + 1000

    def _send(self, request: Request, now: float) -> None:
        super()._send(request, now)
        self._next_id -= 2


class Descending(ReferenceClient):
    """Counts its ids down, from above 2^31."""

    session_class = with_queue(_DescendingQueue)


class _RandomQueue(RequestQueue):
    def _send(self, request: Request, now: float) -> None:
        self._next_id = (self._next_id * 6_364_136_223 + 1_442_695) % 2**31  # no id twice in so short a time
        super()._send(request, now)
        self._next_id -= 1


class Random(ReferenceClient):
    """Draws its ids."""

    session_class = with_queue(_RandomQueue)


class OneAtATime(ReferenceClient):
    """Sends a request when the one before it was answered, or given up."""

    session_class = with_queue(SerialQueue)


class _AllTogetherQueue(SerialQueue):
    """The time of a request runs from when it was asked for: those that wait behind an unanswered one end with it."""

    def submit(self, endpoint: str, done: Callable[[Outcome, float], None], *, now: float, **more: Any) -> None:
        super().submit(endpoint, done, now=now, **more)
        for item in self._waiting:
            item.request.due = item.request.due or now + item.request.within

    def tick(self, now: float) -> None:
        for item in [item for item in self._waiting if item.request.due <= now]:
            self._waiting.remove(item)
            item.request.done(Outcome(0, None, "never sent"), now)
        super().tick(now)

    def due(self) -> float:
        return min([super().due(), *(item.request.due for item in self._waiting)])


class AllTogether(ReferenceClient):
    """Asks one thing at a time, and gives up with a request those that were asked for no later."""

    session_class = with_queue(_AllTogetherQueue)


class _QuickQueue(SerialQueue):
    def submit(self, endpoint: str, done: Callable[[Outcome, float], None], *, now: float, **more: Any) -> None:
        super().submit(endpoint, done, now=now, **(more | {"within": 3.0}))


class Quick(ReferenceClient):
    """Asks one thing at a time, and waits for its answer for three seconds only."""

    session_class = with_queue(_QuickQueue)


class _TwoAtATimeQueue(SerialQueue):
    def _flush(self, now: float) -> None:
        for item in sorted(self._waiting):
            if len(self._pending) < 2 and now >= self._lockout.until:
                self._waiting.remove(item)
                self._send(item.request, now)


class TwoAtATime(ReferenceClient):
    """Has two requests under way at most."""

    session_class = with_queue(_TwoAtATimeQueue)


class _UrgentLastQueue(RequestQueue):
    def submit(self, endpoint: str, done: Callable[[Outcome, float], None], *, now: float, **more: Any) -> None:
        super().submit(endpoint, done, now=now, **(more | {"priority": -more.get("priority", 0)}))


class HigherFirst(ReferenceClient):
    """Lets higher priorities leave first, and declares so."""

    session_class = with_queue(_UrgentLastQueue)


class _GivesUpSession(Session):
    def request(self, endpoint: str, done: Callable[[Outcome, float], None], **more: Any) -> None:
        def ended(outcome: Outcome, now: float) -> None:
            done(outcome, now)
            if outcome.error == "never answered":
                self.happen(Happening.TIMED_OUT, "a request was never answered", now)

        super().request(endpoint, ended, **more)


class GivesUp(ReferenceClient):
    """Gives the whole connection up when a request was not answered, and comes back."""

    session_class = _GivesUpSession


class _TriesAgainSession(Session):
    def request(self, endpoint: str, done: Callable[[Outcome, float], None], **more: Any) -> None:
        def ended(outcome: Outcome, now: float) -> None:
            if outcome.status >= 500:
                super(_TriesAgainSession, self).request(endpoint, done, **(more | {"now": now}))
            else:
                done(outcome, now)

        super().request(endpoint, ended, **more)


class TriesReadsAgain(ReferenceClient):
    """Asks once more where the server says that it failed."""

    session_class = _TriesAgainSession


class OwnIds(ReferenceClient):
    """Gives each order an id of its own, and tells by the next snapshot what became of one that was in flight."""

    orders = 0

    def submit(self, endpoint: str, done: Callable[[Outcome, float], None], **more: Any) -> None:
        if endpoint == "order/placeorder":
            self.orders += 1
            mine = f"own-{self.orders}"
            more["body"] = {**more["body"], "clOrdId": mine}
            asked = done

            def looked(outcome: Outcome, now: float) -> None:
                if outcome.error == "the connection was lost":
                    self.looked_for[mine] = asked
                else:
                    asked(outcome, now)

            done = looked
        super().submit(endpoint, done, **more)

    def __init__(self, *arguments: Any, **more: Any) -> None:
        super().__init__(*arguments, **more)
        self.looked_for: dict[str, Callable[[Outcome, float], None]] = {}

    def on_event(self, kind: str, data: Any) -> None:
        super().on_event(kind, data)
        session = self._sessions.get(0)
        if session is None or session.live_since is None:
            return
        waiting, self.looked_for = self.looked_for, {}
        for mine, done in waiting.items():
            found = [x for x in self.stores[0].entities.get("command", {}).values() if x.get("clOrdId") == mine]
            if found:
                done(Outcome(200, {"orderId": found[0]["orderId"]}), 0.0)
            else:
                done(Outcome(0, None, "it never reached the broker"), 0.0)


class ReadsItsOwn(ReferenceClient):
    """Reads its own orders, all of them every second. `TRADES`: it places an order of its own from time to time."""

    TRADES = False

    async def run(self) -> int:
        reading = asyncio.create_task(self._read())
        try:
            return await super().run()
        finally:
            reading.cancel()

    async def _read(self) -> None:
        for number in itertools.count():
            await asyncio.sleep(1.0)
            with suppress(ConnectionError, QueueFull):
                for order in list(self.stores[0].entities.get("order", {}))[:6]:
                    self.submit("order/item", lambda outcome, now: None, query=f"id={order}")
                if self.TRADES and number % 5 == 3:
                    self.submit("order/placeorder", lambda outcome, now: None, body=self._order())

    def _order(self) -> dict[str, Any]:
        account = next(iter(self.stores[0].entities["account"]))
        order = {"accountId": account, "action": "Buy", "symbol": "ESH6", "orderQty": 1}
        return order | {"orderType": "Limit", "price": 4400.25, "isAutomated": True}


class TradesBeside(ReadsItsOwn):
    """Trades by itself, beside what it is asked for. No ledger is compared with what it believes: that moves on."""

    TRADES = True


class WaitsAMoment(ReferenceClient):
    """Lets what it is asked for wait four seconds for a connection, before it says that there is none."""

    PATIENCE = 4.0  # seconds

    def submit(self, endpoint: str, done: Callable[[Outcome, float], None], **more: Any) -> None:
        loop = asyncio.get_running_loop()
        self._try(endpoint, done, loop.time() + self.PATIENCE, more)

    def _try(self, endpoint: str, done: Callable[[Outcome, float], None], until: float, more: dict[str, Any]) -> None:
        loop = asyncio.get_running_loop()
        try:
            super().submit(endpoint, done, **more)
        except ConnectionError as error:
            if loop.time() >= until:
                done(Outcome(0, None, str(error)), loop.time())
            else:
                loop.call_later(0.1, self._try, endpoint, done, until, more)


class _Desk(Session):
    """A socket for requests: it is authorized, and never syncs."""

    def send_sync(self, now: float) -> None:
        self.live_since = now
        self.happen(Happening.SYNCED, "", now)


class OrdersApart(ReferenceClient):
    """Has one socket for its events, and one for its requests: that one is never synced."""

    def __init__(self, env: Mapping[str, str], output: Callable[[str], None], **more: Any) -> None:
        super().__init__(env, output, **more)
        self.stores = [self.store_class(), self.store_class()]
        self.config = dataclasses.replace(self.config, shards=2)

    async def _live(self, shard: int, ws: Any, token: str) -> End:
        self.session_class = _Desk if shard else Session
        return await super()._live(shard, ws, token)

    def sync_body(self, shard: int) -> dict[str, Any]:
        return {"splitResponses": True, "entityTypes": list(self.config.entity_types)}

    def submit(self, endpoint: str, done: Callable[[Outcome, float], None], **more: Any) -> None:
        super().submit(endpoint, done, **(more | {"shard": 1}))


class Charting(ReferenceClient):
    """Subscribes to a chart and a depth of a contract that the user never traded."""

    session_class = Charts


class _UnwrappingSession(Session):
    def on_sync(self, outcome: Outcome, now: float) -> None:
        if isinstance(outcome.data, list):
            self.store.apply(outcome.data)
            outcome = Outcome(outcome.status, {f"{kind}s": list(x.values()) for kind, x in self.store.entities.items()})
        super().on_sync(outcome, now)

    def on_sync_part(self, outcome: Outcome, now: float) -> None:
        if isinstance(outcome.data, list):
            self.store.apply(outcome.data)
        super().on_sync_part(outcome, now)


class Unwraps(ReferenceClient):
    """Takes the parts of a snapshot for arrays of what events carry, as one note claims."""

    session_class = _UnwrappingSession


QUEUES = ("answers-out-of-order", "request-unanswered", "queue-in-penalty")
ASKED = tuple(one.name for one in SUITE.scenarios if "request" in one.needs and one.cell is None)
ODD: list[tuple[type[ReferenceClient], str, Mapping[str, str]]] = [
    *((Descending, scenario, {}) for scenario in QUEUES[:2]),
    *((Random, scenario, {}) for scenario in QUEUES[:2]),
    *((OneAtATime, scenario, {}) for scenario in QUEUES),
    *((AllTogether, scenario, {}) for scenario in QUEUES[:2]),
    (Quick, "answers-out-of-order", {}),
    (TwoAtATime, "answers-out-of-order", {}),
    (HigherFirst, "queue-in-penalty", {"queue-order": "higher-first"}),
    (MUTANTS["knows-no-priority"].client, "queue-in-penalty", {"queue-order": "first-come"}),
    (GivesUp, "request-unanswered", {}),
    *((client, "retry-unanswered", {}) for client in (OneAtATime, AllTogether, GivesUp, TradesBeside)),
    *((OneAtATime, scenario, {}) for scenario in ("request-captcha", "retry-429", "ticket-of-another")),
    (TriesReadsAgain, "answers-errors", {}),
    (WaitsAMoment, "order-while-away", {}),
    (Charting, "loss-subscribed", {}),
    (ReferenceClient, "snapshot-split", {"split-snapshot": "one id"}),
    (Unwraps, "snapshot-split", {"split-snapshot": "wrappers"}),
    *((ReadsItsOwn, scenario, {}) for scenario in ASKED),
    *((TradesBeside, scenario, {}) for scenario in ("answers-out-of-order", "request-unanswered", "queue-in-penalty")),
    *((TradesBeside, scenario, {}) for scenario in ("order-in-flight-placed", "order-ticket", "order-while-away")),
    *((OrdersApart, scenario, {}) for scenario in (*ASKED, "tls-untrusted", "loss-fin", "silent-dead", "sync-ticket")),
    *((OwnIds, scenario, {}) for scenario in ("order-in-flight-placed", "order-in-flight-lost", "order-ticket")),
]


@pytest.mark.parametrize("stop", STOPS)
@pytest.mark.parametrize(("client", "scenario", "readings"), ODD, ids=lambda x: getattr(x, "__name__", None))
def test_an_odd_but_correct_client_passes_however_it_is_stopped(
    client: type[ReferenceClient], scenario: str, readings: Mapping[str, str], stop: Stop
) -> None:
    findings = findings_of(scenario, client, readings, stop=stop)
    assert verdicts(findings) == {}, told(findings)


class GivesUpOneAtATime(ReferenceClient):
    """Asks one thing at a time, and leaves the connection on which one was not answered."""

    class session_class(_GivesUpSession, with_queue(SerialQueue)):  # type: ignore[misc]
        pass


def test_who_never_has_an_answer_to_confuse_shows_nothing() -> None:
    """A late answer would come on the connection that it left, and no two requests are open together."""
    findings = findings_of("answers-out-of-order", GivesUpOneAtATime)
    assert verdicts(findings) == {"REQ-020": "not observed"} and "none could be taken for another's" in told(findings)


class UnwrapsTheFirst(Unwraps):
    """Takes the first of such parts for the whole."""

    class session_class(_UnwrappingSession):
        def on_sync_part(self, outcome: Outcome, now: float) -> None:
            pass


@pytest.mark.parametrize(
    ("client", "reading", "verdict"),
    [
        (UnwrapsTheFirst, "wrappers", "warning"),
        (ReferenceClient, "wrappers", "warning"),  # it cannot read the first part, and hangs up
        (Unwraps, "undeclared", "not observed"),
    ],
)
def test_who_declares_a_form_of_parts_is_held_to_it(client: type[ReferenceClient], reading: str, verdict: str) -> None:
    findings = findings_of("snapshot-split", client, {"split-snapshot": reading})
    assert verdicts(findings).get("EVT-095") == verdict


CLAUSES = [  # mutant, scenario, row, clause
    ("matches-answers-by-order", "answers-out-of-order", "REQ-020", ""),
    ("takes-any-answer-for-the-open-requests", "answers-out-of-order", "REQ-020", ""),
    ("overlooks-answers-behind-events", "answers-out-of-order", "REQ-020", ""),
    ("waits-for-an-answer-for-ever", "request-unanswered", "REQ-030", ""),
    ("waits-for-the-answer-to-a-retry-for-ever", "retry-unanswered", "REQ-030", ""),
    ("takes-silence-for-success", "request-unanswered", "REQ-030", ""),
    ("sends-nothing-after-a-time-out", "request-unanswered", "REQ-030", "others go on"),
    ("takes-a-text-for-success", "answers-errors", "REQ-040", ""),
    ("takes-200-for-success", "orders-refused", "REQ-040", ""),
    ("takes-success-for-an-error", "orders-refused", "REQ-040", "success"),
    ("asks-for-its-chart-once-in-its-life", "loss-subscribed", "REC-035", ""),
    ("ids-of-one-byte", "queue-in-penalty", "REQ-010", ""),
    ("watches-by-the-wall-clock", "clock-steps", "HBT-050", "silent-dead"),
    ("beats-by-the-wall-clock", "clock-steps", "HBT-010", ""),
    ("waits-by-the-wall-clock", "clock-steps-in-penalty", "RLP-020", ""),
    ("hides-a-refused-login", "token-refused", "LOG-045", ""),
    ("hides-a-captcha", "request-captcha", "RLP-040", "reported"),
    ("retries-a-captcha-that-a-retry-drew", "request-captcha", "RLP-040", ""),
    ("overlooks-429-to-a-retry", "retry-429", "RLP-070", ""),
    ("takes-an-old-penaltys-end-for-the-lock-outs", "retry-429", "RLP-070", ""),
    ("forgets-penalties-with-its-socket", "ticket-of-another", "RLP-050", "early"),
    ("processes-nothing-in-a-penalty", "request-ticket-long", "RLP-080", "events"),
    ("loses-requests-in-a-penalty", "queue-in-penalty", "RLP-050", "lost"),
    ("queues-fifty-and-no-more", "queue-in-penalty", "RLP-050", "lost"),
    ("doubles-requests-after-a-penalty", "queue-in-penalty", "RLP-050", "doubled"),
    ("empties-its-queue-twice", "queue-in-penalty", "RLP-050", "doubled"),
    ("sends-other-requests-in-a-penalty", "queue-in-penalty", "RLP-050", "early"),
    ("knows-no-priority", "queue-in-penalty", "RLP-060", "priority"),
    ("queues-on-a-stack", "queue-in-penalty", "RLP-060", "first come"),
    ("sends-an-order-again-after-a-cut", "order-in-flight-placed", "REC-090", "sent again"),
    ("takes-an-order-in-flight-for-placed", "order-in-flight-lost", "REC-090", "true"),
    ("takes-an-order-in-flight-for-refused", "order-in-flight-placed", "REC-090", "true"),
    ("forgets-an-order-in-flight", "order-in-flight-lost", "REC-090", "told"),
    ("keeps-an-order-until-it-is-back", "order-while-away", "REC-095", "sent later"),
    ("sends-what-it-told-as-not-sent", "order-while-away", "REC-095", "sent later"),
    ("drops-an-order-while-away", "order-while-away", "REC-095", "told"),
    ("sends-requests-while-it-logs-in", "request-while-logging-in", "REC-020", ""),
    ("tells-an-order-while-away-as-placed", "order-while-away", "REC-095", "told"),
]


@pytest.mark.parametrize(("mutant", "scenario", "row", "clause"), CLAUSES)
def test_each_clause_has_a_mutant_that_fails_by_it(mutant: str, scenario: str, row: str, clause: str) -> None:
    findings = findings_of(scenario, mutant)
    fell = {(f.requirement, f.clause) for f in findings if f.verdict in ("fail", "warning")}
    assert fell == {(row, clause)}, told(findings)
