"""MSG-010 to MSG-050, end to end in virtual time: hostile frames to correct clients, odd ones, and broken ones."""

from __future__ import annotations

import random
from pathlib import Path
from typing import Any

import pytest
from brokercert.engine.client.subject import SubjectSpec
from brokercert.engine.run.run import Quiet, RunRequest, run_certification
from brokercert.hostile import DEFECTS, LEVELS, defects_of, each_once, generate, make
from brokercert.hostile.websocket import frame
from brokercert.judge.tradovate.model.conversation import messages_of
from brokercert.judge.tradovate.model.hostile import is_malformed, violation_in
from brokercert.mutants.tradovate import MUTANTS
from brokercert.reference.tradovate import ReferenceClient, wire
from brokercert.reference.tradovate.session import Session
from brokercert.reference.tradovate.states import Happening
from brokercert.trace import read_trace
from brokercert.trace import records as r
from brokercert.verdict import RunRecord
from websockets.asyncio.client import ClientConnection

ALL = (
    "malformed-json", "events-between-malformed-json", "unknown-frames", "invalid-parameters", "violated-heads",
    "violated-payloads", "violated-closes", "hostile-run",
)  # fmt: skip
ROWS = {"MSG-010", "MSG-015", "MSG-020", "MSG-030", "MSG-040", "MSG-050"}


def certified(client: Any, out: Path, *scenarios: str, offers: tuple[str, ...] = ("report",)) -> RunRecord:
    spec = SubjectSpec(
        name="client",
        factory=client,
        level="reports" if "report" in offers else "wire",
        offers=frozenset({"wire", "stop", *offers}),
    )
    request = RunRequest("tradovate-stage2", spec, scenarios=scenarios, tier="virtual", out=out)
    return run_certification(request, Quiet())


def starts(record: RunRecord, out: Path) -> dict[str, int]:
    """How often the client was started in each scenario."""
    told = {s.name: read_trace(out / record.run_id / s.trace).records for s in record.scenarios}
    return {name: sum(isinstance(x, r.SubjectStarted) for x in records) for name, records in told.items()}


def verdicts(record: RunRecord) -> dict[str, str]:
    return {row.id: str(row.verdict) for row in record.rows if row.scenarios or row.findings}


def test_the_reference_client_passes_every_row(tmp_path: Path) -> None:
    record = certified(ReferenceClient, tmp_path, *ALL)
    assert verdicts(record) == dict.fromkeys(ROWS, "pass")
    assert not [s for s in record.scenarios if s.state != "completed"]
    assert not any("not delivered" in f.observed for row in record.rows for f in row.findings if row.id != "MSG-040")


@pytest.mark.parametrize(
    ("name", "scenario"),
    [
        ("numb-but-alive", "events-between-malformed-json"),
        ("trusts-the-fields", "invalid-parameters"),
        ("stays-away-after-a-violation", "violated-closes"),
        ("keeps-every-bad-frame", "hostile-run"),
        ("crashes-on-an-unknown-letter", "unknown-frames"),
    ],
)
def test_a_mutant_fails_what_its_defect_breaks(name: str, scenario: str, tmp_path: Path) -> None:
    one = MUTANTS[name]
    found = verdicts(certified(one.client, tmp_path, scenario))
    failed = {row for row, verdict in found.items() if verdict == "fail"}
    assert one.fails <= failed <= one.fails | one.also


# The frames come first, on the first socket: who cannot reconnect, or never syncs, meets them too.


def test_a_client_that_never_reconnects_is_judged_by_its_first_socket(tmp_path: Path) -> None:
    record = certified(MUTANTS["never-reconnects"].client, tmp_path, *ALL)
    assert verdicts(record) == dict.fromkeys(ROWS, "pass") | {"MSG-040": "blocked"}
    assert {row.findings[0].blocked_by for row in record.rows if row.id == "MSG-040"} == {"REC-010"}
    assert starts(record, tmp_path) == dict.fromkeys(ALL, 2), "a plain close of a new start is its control"


@pytest.mark.parametrize(
    ("name", "scenario", "row"),
    [
        ("crashes-on-malformed-json", "malformed-json", "MSG-010"),
        ("crashes-on-an-unknown-letter", "unknown-frames", "MSG-020"),
        ("trusts-the-fields", "invalid-parameters", "MSG-030"),
        ("keeps-every-bad-frame", "hostile-run", "MSG-050"),
    ],
)
def test_a_crash_of_a_client_that_never_reconnects_is_told(name: str, scenario: str, row: str, tmp_path: Path) -> None:
    class Both(MUTANTS[name].client):  # type: ignore[misc]
        delay_after = MUTANTS["never-reconnects"].client.delay_after

    record = certified(Both, tmp_path, scenario, offers=())
    assert {one for one, verdict in verdicts(record).items() if verdict != "not observed"} == {row}
    assert verdicts(record)[row] == "fail"
    assert starts(record, tmp_path) == {scenario: 1}, "a crash needs no control"


def test_a_client_that_never_syncs_is_judged_by_what_it_does(tmp_path: Path) -> None:
    record = certified(MUTANTS["never-syncs"].client, tmp_path, "malformed-json", "unknown-frames", "violated-heads")
    assert verdicts(record) == dict.fromkeys(("MSG-010", "MSG-020", "MSG-040"), "pass")


def test_a_client_that_comes_back_is_started_once(tmp_path: Path) -> None:
    assert starts(certified(ReferenceClient, tmp_path, *ALL), tmp_path) == dict.fromkeys(ALL, 1)


def test_malformed_json_breaks_no_row_about_unknown_messages(tmp_path: Path) -> None:
    for name in ("crashes-on-malformed-json", "deaf-but-beating"):
        assert verdicts(certified(MUTANTS[name].client, tmp_path, "unknown-frames")) == {"MSG-020": "pass"}


def test_no_unknown_frame_is_malformed_json() -> None:
    rng = random.Random(5)
    for _ in range(60):
        assert not [hostile for hostile in each_once(rng, "frame") if is_malformed(hostile.text)]


class _Touchy(Session):
    def on_item(self, item: wire.Item, now: float) -> None:
        if isinstance(item, wire.Unreadable):
            self.happen(Happening.TIMED_OUT, "a bad frame", now)
        super().on_item(item, now)


class Touchy(ReferenceClient):
    """Odd and right: every bad frame ends the socket, and a clean reconnect follows."""

    session_class = _Touchy


def test_a_client_that_reconnects_on_every_bad_frame_passes_and_what_was_not_delivered_is_listed(
    tmp_path: Path,
) -> None:
    record = certified(Touchy, tmp_path, "malformed-json", "events-between-malformed-json")
    assert verdicts(record) == {"MSG-010": "pass", "MSG-015": "pass"}
    told = next(row for row in record.rows if row.id == "MSG-010").findings
    assert len(told) == 5, "28 frames, 14, 7, 3, 1: each halving costs a reconnect"
    assert all("not delivered" in finding.observed and "json/" in finding.observed for finding in told)


class PickyOfBinary(ReferenceClient):
    """Odd and right: a binary frame is refused with 1003, and a clean reconnect follows."""

    async def open_socket(self) -> ClientConnection:
        ws = await super().open_socket()
        hear = ws.recv

        async def recv(decode: bool | None = None) -> str | bytes:
            message = await hear(decode)
            if isinstance(message, bytes):
                await ws.close(1003)
            return message

        ws.recv = recv  # type: ignore[method-assign,assignment]
        return ws


def test_a_client_that_refuses_binary_frames_passes(tmp_path: Path) -> None:
    assert verdicts(certified(PickyOfBinary, tmp_path, "violated-heads")) == {"MSG-040": "pass"}


def test_without_reports_the_next_event_is_not_observed(tmp_path: Path) -> None:
    record = certified(ReferenceClient, tmp_path, "invalid-parameters", offers=())
    assert verdicts(record) == {"MSG-015": "not observed", "MSG-030": "pass"}


class Silent(ReferenceClient):
    """Says that it reports, and reports nothing."""

    def on_event(self, kind: str, data: Any) -> None:
        pass


def test_a_client_that_reported_nothing_before_either_is_not_blamed(tmp_path: Path) -> None:
    assert verdicts(certified(Silent, tmp_path, "events-between-malformed-json"))["MSG-015"] == "not observed"


# The generator, and what the judge sees in its frames.


def test_the_same_seed_gives_the_same_frames() -> None:
    for level in LEVELS:
        one, two = random.Random(7), random.Random(7)
        assert [generate(one, level) for _ in range(200)] == [generate(two, level) for _ in range(200)]


def test_every_json_defect_is_malformed_and_no_message_defect_is() -> None:
    rng = random.Random(1)
    for _ in range(40):
        for hostile in each_once(rng, "json"):
            assert is_malformed(hostile.text), hostile
        for hostile in each_once(rng, "message"):
            assert hostile.defect in ("deep", "huge") or messages_of(hostile.text) is not None, hostile


def test_no_frame_is_an_order_of_the_brokers() -> None:
    """A refusal, ticket, lock-out, `shutdown` or `c[...]` would oblige a client to what no probe expects."""
    rng = random.Random(2)
    for level in ("frame", "json", "message"):
        for _ in range(60):
            for hostile in each_once(rng, level):
                text = hostile.text
                assert not (text.startswith("c") and messages_of(text) is not None), hostile
                assert "p-ticket" not in text and "shutdown" not in text and '"s":429' not in text
                for message in (messages_of(text) or ()) if text.startswith("a") else ():
                    if isinstance(message, dict) and type(message.get("i")) is int:
                        assert message["i"] >= 8_000_000_000_000, hostile


def test_hostile_text_is_not_ascii_only() -> None:
    rng = random.Random(3)
    for level in ("frame", "json", "message"):
        assert any(not h.text.isascii() for _ in range(5) for h in each_once(rng, level))


def test_the_judge_finds_every_violation_in_its_bytes_and_none_in_a_binary_frame() -> None:
    rng = random.Random(4)
    for _ in range(30):
        for one in defects_of("websocket"):
            found = violation_in(make(rng, one).wire)
            assert bool(found) is (one.name != "binary"), (one.name, found)
    assert violation_in(frame(0x81, "a☃".encode())) == ""
    assert violation_in(frame(0x01, b"a[") + frame(0x89, b"") + frame(0x80, b"]")) == ""


def test_every_defect_says_what_it_is() -> None:
    assert len({one.text for one in DEFECTS.values()}) == len(DEFECTS)
    assert {one.level for one in DEFECTS.values()} == set(LEVELS)
