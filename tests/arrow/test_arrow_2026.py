"""The third edition of the page: its reference client passes every row, and odd but correct clients do not fail."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest
from brokercert.engine.client.subject import SubjectSpec
from brokercert.engine.play.scenario import load_dialect, load_suite
from brokercert.engine.run.run import Quiet, RunRequest, run_certification
from brokercert.judge.arrow.model import object_of
from brokercert.reference.arrow import ArrowSubject, OrderUpdatesClient
from brokercert.reference.arrow.config import Config
from brokercert.reference.arrow.edition3 import ArrowSubject3, Edition3
from brokercert.reference.arrow.heart import Heart
from brokercert.reference.arrow.ladder import AT_ONCE, Ladder
from brokercert.reference.rest import call
from brokercert.requirements import load_set
from brokercert.trace import read_trace
from brokercert.trace.records import Frame
from brokercert.verdict import RunRecord, Verdict
from websockets.asyncio.client import ClientConnection

SET, FIRST = "arrow-orders@2026", "arrow-orders"
Certify = Callable[..., RunRecord]


def certifying(out: Path) -> Certify:
    def run(factory: Any = None, scenarios: Sequence[str] = (), set_id: str = SET) -> RunRecord:
        reference = load_dialect(set_id).reference
        spec = SubjectSpec(
            name="here",
            factory=factory or reference.factory(),
            level="in process",
            offers=reference.offers,
        )
        request = RunRequest(set_id=set_id, subject=spec, tier="virtual", out=out, scenarios=scenarios)
        return run_certification(request, Quiet())

    return run


@pytest.fixture
def certify(tmp_path: Path) -> Certify:
    return certifying(tmp_path / "out")


@pytest.fixture(scope="module")
def whole(tmp_path_factory: pytest.TempPathFactory) -> tuple[RunRecord, Path]:
    """A run of the reference client through all of the set, and its folder."""
    out = tmp_path_factory.mktemp("whole")
    return certifying(out)(), out


def not_passed(run: RunRecord) -> dict[str, str]:
    """Row -> verdict, of those that were asked and did not pass."""
    quiet = (Verdict.PASS, Verdict.UNTESTED, Verdict.NOT_OBSERVED)
    return {row.id: str(row.verdict) for row in run.rows if row.verdict not in quiet}


def test_the_reference_client_passes_every_row(whole: tuple[RunRecord, Path]) -> None:
    run, _ = whole
    assert {row.id: row.reason for row in run.rows if row.verdict is not Verdict.PASS} == {}
    assert run.outcome == "certified"


Update = dict[str, Any]
KEY = ("id", "reportType", "cumulativeFillQty")


def sent_in(path: Path) -> list[Update]:
    """Every update that the broker sent in a scenario, in order, whole or spoiled."""
    frames = [
        x.text for x in read_trace(path).records if isinstance(x, Frame) and (x.sender, x.opcode) == ("broker", 1)
    ]
    bodies = [body for text in frames if (body := object_of(text)) is not None]
    return [body for body in bodies if isinstance(body.get("id"), str) and body["id"]]


def test_what_is_sent_never_has_the_key_of_another_update(whole: tuple[RunRecord, Path]) -> None:
    """Two updates of an order differ in report type or in what is filled; those that do not are one, sent again. So a
    client is right that tells duplicates so.
    """
    _, out = whole
    paths = sorted(out.rglob("*.jsonl"))
    assert {read_trace(path).header.scenario for path in paths} == {one.name for one in load_suite(SET).scenarios}
    seen = 0
    for path in paths:
        by_key: dict[tuple[object, ...], Update] = {}
        for body in sent_in(path):
            seen += 1
            key = tuple(body.get(name) for name in KEY)
            assert by_key.setdefault(key, body) == body, f"{path.stem}: {key}: two updates that differ"
    assert seen > 60


def test_the_vendors_key_is_right_too_but_where_one_time_is_the_question(whole: tuple[RunRecord, Path]) -> None:
    """Each update of an order has a time of its own, but in the scenario that is about one time for all."""
    _, out = whole
    for path in out.rglob("*.jsonl"):
        if read_trace(path).header.scenario == "one-time":
            continue
        by_key: dict[tuple[object, object], Update] = {}
        for body in sent_in(path):
            key = (body["id"], body.get("orderTime"))
            assert by_key.setdefault(key, body) == body, f"{path.stem}: {key}: two updates that differ"


def test_a_row_of_both_editions_asks_the_same() -> None:
    """An id never changes its meaning: its title, its kind, its level and what it needs are the same in both."""
    one, other = load_set(FIRST).by_id, load_set(SET).by_id
    both = one.keys() & other.keys()
    assert len(both) == 13
    for row in both:
        a, b = one[row], other[row]
        assert (a.title, a.level, a.kind, a.needs, a.antecedent) == (b.title, b.level, b.kind, b.needs, b.antecedent)
    assert all(int(row.partition("-")[2]) >= 300 for row in other.keys() - both)


class OfTheOlderPage(ArrowSubject):
    """The first edition's reference client, given the app's id for its session."""

    def __init__(self, env: Mapping[str, str], output: Callable[[str], None], **more: Any) -> None:
        super().__init__({"BROKERCERT_SESSION": env["BROKERCERT_APP_ID"], **env}, output, **more)


def test_a_client_of_the_first_edition_fails_its_query_and_is_told_nothing_else(certify: Certify) -> None:
    run = certify(OfTheOlderPage, ("steady",))
    failed = [row.id for row in run.rows if row.verdict is Verdict.FAIL]
    assert failed == ["AOC-310"]
    reason = next(row.reason for row in run.rows if row.id == "AOC-310")
    assert "without appID" in reason


class OfTheNewerPage(ArrowSubject3):
    def __init__(self, env: Mapping[str, str], output: Callable[[str], None], **more: Any) -> None:
        super().__init__({"BROKERCERT_APP_ID": env["BROKERCERT_SESSION"], **env}, output, **more)


def test_a_client_of_the_third_edition_fails_the_query_of_the_first(certify: Certify) -> None:
    run = certify(OfTheNewerPage, ("steady",), FIRST)
    assert [row.id for row in run.rows if row.verdict is Verdict.FAIL] == ["AOC-010"]


# Odd, but correct: what must pass, and where it shows.


class _SdkLadder(Ladder):
    def next(self) -> float | None:
        delay = super().next()
        rung = self.attempt - 1 - self.immediate
        return delay if delay is None or rung < 0 else min(2.0**rung, self._most)


class SdkLadder(ArrowSubject3):
    """The vendor's client's delays, 0, 0, 0, 1, 2, 4, 5 s, and its 301 tries."""

    class client_class(OrderUpdatesClient):
        ladder_class = _SdkLadder

        def __init__(self, config: Config) -> None:
            super().__init__(config)
            self.ladder._tries += 1


class _LooksEveryFive(Heart):
    def silent(self, now: float) -> bool:
        return now >= self.wake_at() and super().silent(now)

    def wake_at(self) -> float:
        looks = int((self._heard + self._read_timeout - self._opened) / self._read_timeout + 0.999999)
        return self._opened + looks * self._read_timeout

    def wake(self) -> float:
        return min(self._next(), self.wake_at())


class LooksEveryFive(ArrowSubject3):
    """Notices silence after 5 to 10 s, as the vendor's client."""

    class client_class(OrderUpdatesClient):
        heart_class = _LooksEveryFive


class _TokenFirst(Edition3):
    def credentials(self, config: Config) -> list[tuple[str, str]]:
        return [("token", config.token), ("appID", config.session), ("v", "1")]


class TokenFirst(ArrowSubject3):
    """Sends its token before its app's id, and one parameter more."""

    edition = _TokenFirst()


class CloseOnEveryFailure(ArrowSubject3):
    """Raises `close` and `disconnect` at failed attempts too, and never `message`."""

    class client_class(OrderUpdatesClient):
        def trigger(self, event: str, *details: Any) -> None:
            if event != "message":
                super().trigger(event, *details)
            if event == "error" and not self.connected:
                super().trigger("close", None)
                super().trigger("disconnect")


class _EveryRow(Edition3):
    async def orders(self, config: Config) -> Iterable[Any]:
        """The list, and each order by itself as well."""
        headers = [("appID", config.session), ("token", config.token)]
        listed = (await call(f"{config.rest_url}/user/orders", more_headers=headers))["data"]
        idents = list(dict.fromkeys(row["id"] for row in listed))
        one_by_one = [await call(f"{config.rest_url}/order/{x}", more_headers=headers) for x in idents]
        return [row for answer in one_by_one for row in answer["data"]]


class EachOrderByItself(ArrowSubject3):
    """Fetches each order by itself."""

    edition = _EveryRow()


class _TextsTold(Edition3):
    def told(self, order: Mapping[str, Any]) -> dict[str, Any]:
        return {name: str(value) for name, value in super().told(order).items()}

    def names(self, update: Mapping[str, Any]) -> dict[str, Any]:
        """By the older names where there are such, and without the quantity."""
        return {name: update[name] for name in ("orderId", "timestamp", "reportType")}


class TextsTold(ArrowSubject3):
    """Keeps numbers as texts, and names updates by id, time and report type alone."""

    edition = _TextsTold()


class _Patient(Edition3):
    pong_every = 10.0
    read_timeout = 30.0
    immediate = 0
    first_delay = 4.0


class AtItsOwnPace(ArrowSubject3):
    """Sends `PONG` every 10 s, notices silence after 30 s, waits 4 and 5 s: the numbers bind the vendor's client."""

    edition = _Patient()


class _ByIdAndTime(Edition3):
    def key(self, update: Mapping[str, Any]) -> tuple[str, ...]:
        return update["orderId"], update["timestamp"]


class ByIdAndTime(ArrowSubject3):
    """Tells duplicates by the page's key."""

    edition = _ByIdAndTime()


class _ByReport(Edition3):
    def key(self, update: Mapping[str, Any]) -> tuple[str, ...]:
        return update["orderId"], update["reportType"], str(update["filledQuantity"])


class ByReport(ArrowSubject3):
    """Tells duplicates by id, report type and filled quantity."""

    edition = _ByReport()


class _NeverMinds(Heart):
    def silent(self, now: float) -> bool:
        if super().silent(now):
            self.heard(now)
        return False


class LeavesItOpen(ArrowSubject3):
    """Told not to reconnect, it leaves a silent connection as it is."""

    class client_class(OrderUpdatesClient):
        heart_class = _NeverMinds


class LateClose(ArrowSubject3):
    """Learns of a close 6 s late, as a library may tell it."""

    class client_class(OrderUpdatesClient):
        async def on_lost(self, socket: ClientConnection) -> None:
            await asyncio.sleep(6.0)
            await super().on_lost(socket)


@pytest.mark.parametrize(
    ("client", "scenarios", "warned"),
    [
        (SdkLadder, ("outage", "outage-cut", "ladder-again", "tries-exhausted"), ()),
        (LooksEveryFive, ("silence", "silence-unanswered", "traffic"), ()),
        (TokenFirst, ("query-encoded", "steady"), ()),
        (CloseOnEveryFailure, ("events-raised",), ()),
        (EachOrderByItself, ("missed-updates", "missed-updates-all-rows"), ()),
        (TextsTold, ("life-cycles-as-in-rest", "duplicates", "missed-updates"), ()),
        (
            AtItsOwnPace,
            ("steady", "silence", "outage", "losses", "unreadable"),
            ("AOH-315", "AOH-325", "AOR-312", "AOR-315"),
        ),
        (ByIdAndTime, ("duplicates", "life-cycles"), ()),
        (ByReport, ("duplicates", "life-cycles", "life-cycles-as-in-rest", "one-time", "invalid-updates"), ()),
        (LeavesItOpen, ("no-reconnect-silent", "no-reconnect"), ()),
        (LateClose, ("losses", "outage"), ()),
    ],
)
def test_odd_but_correct_clients_pass(
    client: type[ArrowSubject3], scenarios: Sequence[str], warned: Sequence[str], certify: Certify
) -> None:
    said = not_passed(certify(client, scenarios))
    assert {row: verdict for row, verdict in said.items() if verdict not in ("warning", "blocked")} == {}
    assert [row for row, verdict in said.items() if verdict == "warning"] == list(warned)


def test_an_attempt_at_once_is_no_rung() -> None:
    ladder = Ladder(5.0, 300)
    ladder.immediate, ladder.first = 3, 2.0
    assert [ladder.next() for _ in range(7)] == [AT_ONCE, AT_ONCE, AT_ONCE, 2.0, 4.0, 5.0, 5.0]


def test_every_scenario_exercises_rows_of_this_edition() -> None:
    assert set(load_suite(SET).listed()) == set(load_set(SET).by_id)
