"""The reference client passes every row, every mutant fails what it must, and odd but correct clients pass."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from typing import Any

import pytest
from brokercert.engine.play.scenario import load_suite
from brokercert.mutants.arrow import MUTANTS
from brokercert.reference.arrow import ArrowSubject, OrderUpdatesClient
from brokercert.reference.arrow.heart import Heart
from brokercert.reference.arrow.ladder import Ladder
from brokercert.requirements import load_set
from brokercert.verdict import RunRecord, Verdict
from websockets.asyncio.client import ClientConnection

SET = "arrow-orders"
ROWS = load_set(SET)
Certify = Callable[..., RunRecord]


def verdicts(run: RunRecord) -> dict[str, str]:
    return {row.id: row.verdict for row in run.rows}


def test_the_reference_client_passes_every_row(certify: Certify) -> None:
    run = certify()
    assert {row.id: row.reason for row in run.rows if row.verdict is not Verdict.PASS} == {}
    assert run.outcome == "certified"


def test_every_row_has_a_scenario_and_a_mutant() -> None:
    assert set(load_suite(SET).listed()) == set(ROWS.by_id)
    assert {row for one in MUTANTS.values() for row in one.fails} == set(ROWS.by_id)


def scenarios_for(rows: Sequence[str]) -> tuple[str, ...]:
    """The fewest that exercise all of these rows."""
    left, chosen = set(rows), []
    for scenario in sorted(load_suite(SET).scenarios, key=lambda s: -len(set(s.exercises) & set(rows))):
        if left & set(scenario.exercises):
            chosen.append(scenario.name)
            left -= set(scenario.exercises)
    return tuple(chosen)


# Where the first scenario of a row does not show the defect: the one that does.
SHOWN = {
    "keeps-its-session": ("session-expires",),
    "noreconnect-never-raised": ("tries-exhausted",),
    "close-never-raised": ("events-raised",),
    "message-never-raised": ("events-raised",),
    "disconnect-twice": ("events-raised",),
    "comes-back-after-disconnect": ("disconnect-open",),
    "says-goodbye-in-latin-1": ("disconnect-open",),
    "every-2-s": ("outage-ladder", "outage-basic"),
    "hammers": ("credentials-refused", "outage-ladder", "tries-exhausted", "no-reconnect", "outage-basic"),
    "two-sockets": ("outage-basic",),
    "logs-its-address": ("query-encoded",),
    "takes-duplicates": ("duplicates",),
    "handlers-pile-up": ("duplicates",),
    "time-out-counts-twice": ("silence",),
    "two-series": ("silence",),
}


@pytest.mark.parametrize("name", MUTANTS)
def test_a_mutant_fails_what_it_must_and_nothing_unsaid(name: str, certify: Certify) -> None:
    one = MUTANTS[name]
    run = certify(one.client, SHOWN.get(name) or scenarios_for(sorted(one.fails)))
    said = verdicts(run)
    down = {row for row, verdict in said.items() if verdict in (Verdict.FAIL, Verdict.WARNING)}
    assert one.fails <= down, {row: said[row] for row in one.fails}
    assert down <= one.fails | one.also
    assert not [row for row, verdict in said.items() if verdict is Verdict.HARNESS_ERROR]


def test_no_two_mutants_are_one_sentence() -> None:
    assert len({one.text for one in MUTANTS.values()}) == len(MUTANTS)


# Odd, but correct.


class _FromTwo(Ladder):
    def next(self) -> float | None:
        if super().next() is None:
            return None
        return min(2.0**self.attempt, self._most)


class PythonLadder(ArrowSubject):
    """Its ladder is the Python sample's, 2, 4, 8, 10 s."""

    class client_class(OrderUpdatesClient):
        ladder_class = _FromTwo


class _OneMore(Ladder):
    def __init__(self, most: float, tries: int) -> None:
        super().__init__(most, tries + 1)


class OneTryMore(ArrowSubject):
    """Tries 301 times, as the JavaScript sample does."""

    class client_class(OrderUpdatesClient):
        ladder_class = _OneMore


class _AtOnce(Heart):
    def _next(self) -> float:
        return self._opened + self._beats * self._every


class PongAtOnce(ArrowSubject):
    """Sends its first `PONG` when the socket opens, as the Python sample does."""

    class client_class(OrderUpdatesClient):
        heart_class = _AtOnce


class _EveryThirty(Heart):
    """Looks every 30 s whether 30 s have passed."""

    def silent(self, now: float) -> bool:
        return now >= self.wake_at() and now - self._heard >= self._read_timeout

    def wake_at(self) -> float:
        looks = int((self._heard + self._read_timeout - self._opened) / 30 + 0.999999)
        return self._opened + looks * 30

    def wake(self) -> float:
        return min(self._next(), self.wake_at())


class LooksEveryThirty(ArrowSubject):
    """Notices a silent server after 30 to 60 s, as the samples do."""

    class client_class(OrderUpdatesClient):
        heart_class = _EveryThirty


class CloseOnEveryLoss(ArrowSubject):
    """Raises `close` on every loss, as the sample does, before `disconnect`; and `error` with it."""

    class client_class(OrderUpdatesClient):
        async def on_lost(self, socket: ClientConnection) -> None:
            self.trigger("error", "lost")
            self.trigger("close", None)
            self.trigger("disconnect")


class OtherShapes(ArrowSubject):
    """Tells its orders with their ids as keys and numbers as texts."""

    async def command(self, line: Mapping[str, Any]) -> None:
        if line.get("command") != "snapshot":
            await super().command(line)
            return
        orders = {
            key: {name: str(value) for name, value in order.items()} for key, order in self.client.view.orders.items()
        }
        self.say("snapshot", id=line["id"], entities={"Orders": orders, "more": 1})


class ForgetsAtOnce(ArrowSubject):
    """Clears a finished order at once."""

    def __init__(self, env: Mapping[str, str], output: Callable[[str], None], **more: Any) -> None:
        super().__init__({**env, "BROKERCERT_CLEAR_AFTER": "0"}, output, **more)


class LeavesRefused(ArrowSubject):
    """Leaves for good when its credentials are refused."""

    class client_class(OrderUpdatesClient):
        refused = False

        def fail(self, text: str) -> None:
            self.refused = self.refused or "refused" in text
            super().fail(text)

        async def pause(self) -> bool:
            return not self.refused and await super().pause()


def noticing_late(pause: float, own: bool, base: type[ArrowSubject] = ArrowSubject) -> type[ArrowSubject]:
    """Its close handler is called so many seconds after the end of a socket that it gave up itself (`own`), or of any:
    a vendor's own SDK was seen to be told of its own close after 5 to 7 s.
    """

    class Client(base.client_class):  # type: ignore[misc, name-defined]
        async def on_lost(self, socket: ClientConnection) -> None:
            if not own or socket.protocol.close_rcvd_then_sent is False:
                await asyncio.sleep(pause)
            await super().on_lost(socket)

    return type(f"{base.__name__}NoticingAfter{pause}", (base,), {"client_class": Client})


@pytest.mark.parametrize("pause", [0, 1, 3, 5, 9])
@pytest.mark.parametrize("base", [ArrowSubject, PythonLadder])
def test_a_client_that_notices_its_own_close_late_fails_nothing(
    pause: float, base: type[ArrowSubject], certify: Certify
) -> None:
    run = certify(noticing_late(pause, own=True, base=base), ("silence",))
    assert run.rows and {row.id: row.verdict for row in run.rows if row.id in ("AOR-060", "AOH-020")} == {
        "AOR-060": Verdict.PASS,
        "AOH-020": Verdict.PASS,
    }


@pytest.mark.parametrize("pause", [0, 1, 3, 5, 9])
def test_a_rung_that_is_skipped_is_seen_however_late_the_close_was_noticed(pause: float, certify: Certify) -> None:
    skips = noticing_late(pause, own=True, base=MUTANTS["time-out-counts-twice"].client)
    assert verdicts(certify(skips, ("silence",)))["AOR-060"] is Verdict.FAIL


@pytest.mark.parametrize("pause", [1, 3, 5, 9])
def test_a_second_series_that_begins_late_has_begun_again(pause: float, certify: Certify) -> None:
    """The second loss is noticed late, the first at once."""

    class Client(OrderUpdatesClient):
        lost = 0

        async def on_lost(self, socket: ClientConnection) -> None:
            self.lost += 1
            await asyncio.sleep(pause if self.lost > 1 else 0)
            await super().on_lost(socket)

    client = type("SecondLate", (ArrowSubject,), {"client_class": Client})
    assert verdicts(certify(client, ("ladder-again",)))["AOR-040"] is Verdict.PASS


ODD = {
    PythonLadder: ("outage-ladder", "ladder-capped", "ladder-again", "outage-basic", "silence", "tries-exhausted"),
    OneTryMore: ("tries-exhausted", "ladder-again"),
    PongAtOnce: ("steady", "unreadable"),
    LooksEveryThirty: ("silence", "steady"),
    CloseOnEveryLoss: ("events-raised", "tries-exhausted"),
    OtherShapes: ("life-cycles", "missed-updates", "finished-cleared"),
    ForgetsAtOnce: ("life-cycles", "missed-updates", "finished-cleared", "tracking"),
    LeavesRefused: ("credentials-refused",),
}


@pytest.mark.parametrize("client", ODD, ids=lambda client: client.__name__)
def test_an_odd_but_correct_client_passes(client: type[ArrowSubject], certify: Certify) -> None:
    run = certify(client, ODD[client])
    bad = {row.id: row.reason for row in run.rows if row.scenarios and row.verdict is not Verdict.PASS}
    assert bad == {}


class _OneFewer(Ladder):
    def __init__(self, most: float, tries: int) -> None:
        super().__init__(most, tries - 1)


class OneTryFewer(ArrowSubject):
    """Stops one try too early."""

    class client_class(OrderUpdatesClient):
        ladder_class = _OneFewer


class _Sleepy(Ladder):
    def next(self) -> float | None:
        delay = super().next()
        return delay if delay is None or self.attempt != 1 else delay + 0.7


class WokenLate(ArrowSubject):
    """Is woken 0.7 s late once, as on a busy machine."""

    class client_class(OrderUpdatesClient):
        ladder_class = _Sleepy


def test_a_client_that_was_woken_late_is_not_failed_for_it(certify: Certify) -> None:
    assert verdicts(certify(WokenLate, ("outage-ladder",)))["AOR-010"] is Verdict.INCONCLUSIVE


def test_one_try_fewer_is_no_reading(certify: Certify) -> None:
    assert verdicts(certify(OneTryFewer, ("tries-exhausted",)))["AOR-020"] is Verdict.FAIL


def test_what_a_wire_only_client_cannot_show_is_not_observed(certify: Certify) -> None:
    run = certify(None, ("steady", "events-raised", "life-cycles"), frozenset({"wire"}))
    said = verdicts(run)
    assert said["AOH-010"] is Verdict.PASS and said["AOC-010"] is Verdict.PASS
    assert said["AOC-030"] is Verdict.NOT_OBSERVED and said["AOU-010"] is Verdict.NOT_OBSERVED


def test_the_report_says_which_reading_a_client_has(certify: Certify) -> None:
    ours = {row.id: row.reason for row in certify(None, ("outage-ladder", "silence")).rows}
    samples = {row.id: row.reason for row in certify(PythonLadder, ("outage-ladder",)).rows}
    assert "the table's ladder" in ours["AOR-010"] and "the Python sample's ladder" in samples["AOR-010"]
    assert "the table's reading" in ours["AOH-020"]
