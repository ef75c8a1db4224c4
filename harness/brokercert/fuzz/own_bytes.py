"""Readers of bytes as targets: records of runs, the lines that a client prints, the messages of a live page."""

from __future__ import annotations

import asyncio
from collections.abc import Mapping
from contextlib import suppress
from functools import lru_cache
from pathlib import Path
from random import Random
from typing import Any

import msgspec
from brokercert_mock import TradovateBroker
from msgspec import structs

from brokercert.engine.client.output import Output
from brokercert.engine.client.subject import Stream
from brokercert.engine.errors import UsageError
from brokercert.engine.run.believed import believed
from brokercert.engine.run.manifest import todays
from brokercert.engine.run.record import limits_used
from brokercert.fuzz.documents import wrong_bytes, wrong_json
from brokercert.fuzz.targets import Plain, target
from brokercert.hostile import Hostile, Level
from brokercert.judge.rows import verdict_of
from brokercert.live import Feed, LivePage
from brokercert.requirements import load_set
from brokercert.seal import chain_of, sealed
from brokercert.trace import TraceWriter
from brokercert.trace import records as r
from brokercert.trace.labels import Labels
from brokercert.verdict import Outcome, RunRecord, decode_run, outcome_of, sentence_of

_encode = msgspec.json.Encoder().encode


def drawn(rng: Random, document: Any) -> tuple[str, bytes]:
    """(defect, bytes) of a JSON document with one edit, and often with bytes changed."""
    name, text = wrong_json(rng, document) if rng.random() < 0.6 else ("none", _encode(document).decode())
    data = text.encode("utf-8", "surrogatepass")
    if name == "none" or rng.random() < 0.3:
        more, data = wrong_bytes(rng, data)
        name = f"{name}-{more}"
    return name, data


# A run's record.

SET = "tradovate-stage2"
FINDING = {
    "requirement": "LOG-010",
    "scenario": "steady",
    "verdict": "pass",
    "observed": "x",
    "evidence": [1],
    "form": "shown",
}
ROW = {
    "id": "LOG-010", "area": "login", "title": "t", "level": "MUST", "text": "t", "source": "S2", "needs": ["wire"],
    "in_part": True, "verdict": "pass", "reason": "", "scenarios": ["steady"], "findings": [FINDING],
}  # fmt: skip
PLAYED = {
    "name": "steady", "title": "t", "path": "direct", "exclusive": False, "state": "completed", "tier": "real",
    "trace": "traces/steady.jsonl", "sha256": "0" * 64, "output": ["x"],
}  # fmt: skip
RECORD: dict[str, Any] = {
    "format": 1, "run_id": "x", "started": "2026-11-30T00:00:00Z", "tool": "t", "tier": "real", "set_id": SET,
    "set_title": "t", "set_version": "1", "set_hash": "", "part": "", "strict": False, "selected": [], "seed": 1,
    "subject": {"name": "x", "command": ["x"], "level": "wire"}, "toxiproxy": "not used",
    "limits": [{"name": "connect", "value": 5.0, "unit": "s", "origin": "doc", "text": "t"}], "calibration": None,
    "timing": {"predicted": 1, "longest_waiting": 1, "exclusive": 1, "rest": 1, "total": 1}, "environment": {},
    "scenarios": [PLAYED], "rows": [ROW], "outcome": "incomplete", "sentence": "", "reproduce": "x",
    "missing": ["loss-fin"],
}  # fmt: skip


@lru_cache(maxsize=2)
def _right(known: bool) -> dict[str, Any]:
    """A record that is believed: of one row and no manifest, or of all rows of today's, untested but for the first."""
    run = msgspec.convert(RECORD, RunRecord)
    rows = load_set(SET)
    if known:
        first, *others = rows.rows
        more = [structs.replace(run.rows[0], id=row.id, level=row.level, findings=(), scenarios=()) for row in others]
        run = structs.replace(run, rows=(structs.replace(run.rows[0], id=first.id, level=first.level), *more))
        run = structs.replace(run, manifest=todays(SET).hash, set_hash=rows.hash, limits=limits_used(rows))
    said = [verdict_of(row.level, row.findings, row.scenarios, False) for row in run.rows]
    judged = [structs.replace(row, verdict=one, reason=why) for row, (one, why) in zip(run.rows, said, strict=True)]
    outcome = outcome_of(judged, missing=run.missing)
    sentence = sentence_of(outcome, judged, subject="x", set_id=SET, part="", missing=run.missing)
    run = structs.replace(run, rows=tuple(judged), outcome=outcome, sentence=sentence, chain=chain_of(run))
    right: dict[str, Any] = msgspec.json.decode(msgspec.json.encode(run))
    return right


def _draw_record(rng: Random, level: Level | None) -> Hostile:
    """Without a manifest, with today's, and with a seal that was made after the edit."""
    record = _right(rng.random() < 0.5)
    name, data = drawn(rng, record)
    if rng.random() < 0.5:
        with suppress(msgspec.DecodeError, RecursionError):
            data = sealed(msgspec.json.format(data, indent=1))
    return Hostile("websocket", name, "", data)


@target(
    "record",
    "The reader of run.json: `UsageError`, or a record whose verdicts, outcome and seal follow from what it holds."
    " None is *certified*, since each lacks a scenario.",
    _draw_record,
)
async def _record() -> Plain:
    place = Path("run.json")

    def take(hostile: Hostile) -> None:
        data = hostile.wire or hostile.text.encode("utf-8", "surrogatepass")
        try:
            run = believed(place, data)
        except UsageError:
            return
        assert run == decode_run(data) and run.outcome is not Outcome.CERTIFIED, run.sentence

    return Plain(take)


# What a client prints.

TOKEN = "8_2aQx7Tn2Lw9Rk4Vb8Zc1Md6Pf3Gs5Hj0Yu-aE_iOqWtXvNlBrKmDzCyS4UoA1.b"
REPORTS: tuple[dict[str, Any], ...] = (
    {"event": "processed", "id": 1, "entityType": "order", "text": TOKEN},
    {"event": "state", "orders": [{"id": 1, "ordStatus": "Working"}], "positions": []},
    {"event": "error", "text": f"login with {TOKEN} failed", TOKEN: [TOKEN]},
    {"level": "info", "msg": "no report"},
)
WITHIN = 5.0  # seconds in which all of an input is told; where a callback raised, the others come all the same
LAST = b'{"event": "last"}\n'


class _Lines:
    """Both streams of a client that reports, recorded as a run records them. What the loop's callbacks raise is a
    find; so is a secret that stands in a record.
    """

    def __init__(self) -> None:
        self._raised: list[BaseException] = []
        loop = asyncio.get_running_loop()
        loop.set_exception_handler(lambda _, context: self._raised.append(context.get("exception") or AssertionError()))
        self._clock = loop.time
        labels = Labels()
        labels.add("access-token", TOKEN)
        self.writer = TraceWriter(None, _header(), began=0.0, labels=labels)

    async def feed(self, hostile: Hostile) -> None:
        data = hostile.wire or hostile.text.encode("utf-8", "surrogatepass")
        output = Output(self, self._clock, "reports")
        third = len(data) // 3
        for piece in (data[:third], data[third:], b"\n", LAST):
            output.feed("out", piece)
            output.feed("err", piece)
        for stream in ("out", "err"):
            output.end(stream)
        over = asyncio.Event()
        output.when_told(over.set)
        async with asyncio.timeout(WITHIN):
            await over.wait()
        if self._raised:
            raise self._raised.pop()
        records, self.writer.records = self.writer.records, []
        text = b"\n".join(map(_encode, records)).decode()
        assert TOKEN not in text, "a secret stands in a record"
        lines = (data + b"\n" + LAST).count(b"\n")
        for stream in ("out", "err"):
            told = sum(_tells_of(one, stream) for one in records)
            assert told == lines, f"of {lines} lines of standard {stream} {told} were told"
        assert any(isinstance(one, r.SubjectReport) and one.event == "last" for one in records), "a report was lost"

    def probe(self) -> str:
        return ""

    async def close(self) -> None:
        asyncio.get_running_loop().set_exception_handler(None)

    # What a run's observer does with them.

    def started(self, at: float) -> None: ...

    def output(self, at: float, stream: Stream, line: str, cut: bool) -> None:
        self.writer.output(at, stream, line, cut=cut)

    def report(self, at: float, event: str, body: Mapping[str, Any]) -> None:
        self.writer.report(at, event, body)

    def broken_report(self, at: float, line: int, text: str, why: str) -> None:
        self.writer.broken_report(at, line, text, why)

    def dropped(self, at: float, lines: int, bytes: int) -> None: ...

    def stop_asked(self, at: float, how: str, judged: bool) -> None: ...

    def ending(self, at: float, why: r.Why, processes: int) -> None: ...

    def exited(self, at: float, code: int, asked: bool) -> None: ...


def _tells_of(record: r.Body, stream: str) -> bool:
    """Whether it is the record of a line of that stream; reports come on standard output alone."""
    if isinstance(record, r.SubjectOutput):
        return record.stream == stream
    return stream == "out" and isinstance(record, r.SubjectReport | r.BrokenReport)


def _header() -> r.Header:
    rows = load_set(SET)
    return r.Header(
        format=r.TRACE_FORMAT, tool="t", tier="real", clock="monotonic", source="mock", set_id=SET,
        set_version=rows.version, set_hash=rows.hash, scenario="s", exercises=(), path="direct", exclusive=False,
        seed=1, subject="x", level="reports", offers=("wire",), absent={}, readings={}, limits={},
    )  # fmt: skip


def _draw_lines(rng: Random, level: Level | None) -> Hostile:
    lines = [drawn(rng, rng.choice(REPORTS)) for _ in range(rng.choice((1, 1, 3, 40)))]
    data = rng.choice((b"\n", b"\n", b"\r\n", b"")).join(line for _, line in lines)
    return Hostile("websocket", next((name for name, _ in lines if name != "none"), "none"), "", data)


@target(
    "lines",
    "What a client prints: nothing is raised; each line is told once, as output, a report or a broken report; so is the"
    " report behind it; and no secret stands in a record.",
    _draw_lines,
)
async def _lines() -> _Lines:
    return _Lines()


# What a page says to `serve --web`.


@lru_cache(maxsize=1)
def asked() -> tuple[dict[str, Any], ...]:
    """A message for each action of a panel, with something in each field."""
    actions = TradovateBroker(seed=1).panel().actions()
    return tuple({"do": one.name, "id": 1, "on": "1", "give": {f.name: "1" for f in one.fields}} for one in actions)


class _Page:
    """The live page of a broker that nobody is connected to."""

    def __init__(self) -> None:
        panel = TradovateBroker(seed=1).panel()
        self._page = LivePage(
            Feed(panel.beats), panel, page=lambda nonce, host: "", redact=str, clock=lambda: 0.0, facts={}
        )

    def feed(self, hostile: Hostile) -> None:
        for message in (hostile.wire, hostile.wire.decode("utf-8", "replace")):
            answer = msgspec.json.decode(self._page.carry_out(message))
            assert set(answer) == {"answer", "ok", "text"}, answer

    def probe(self) -> str:
        return ""

    async def close(self) -> None: ...


def _draw_asked(rng: Random, level: Level | None) -> Hostile:
    name, data = drawn(rng, rng.choice(asked()))
    return Hostile("websocket", name, "", data)


@target(
    "live",
    "The messages of the live page: each is answered with what was done or what is wrong; nothing is raised.",
    _draw_asked,
)
async def _live() -> _Page:
    return _Page()
