"""The records around a finding's evidence, as sentences that a reader can follow."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import msgspec

from brokercert.judge.transcript import SECOND
from brokercert.trace import Body, Trace
from brokercert.trace import records as r
from brokercert.verdict import Excerpt, ExcerptLine

AROUND = 3  # records before and after each piece of evidence
MOST_MARKED = 12
LONGEST = 300  # characters of a payload that a report shows; the trace has the rest

# What a record says of one entity, by its type and id: the dialect's. Empty where it is no record of entities.
ToldOf = Callable[[Body, str, str], str]


def told_of_none(record: Body, kind: str, ident: str) -> str:
    """Of a dialect whose entities are not compared."""
    return ""


def excerpt(
    trace: Trace, evidence: Sequence[int], about: tuple[str, str] | None = None, told_of: ToldOf = told_of_none
) -> Excerpt:
    """The evidence and the records around it. Record 0 is the header and has no line. The entity that it is `about`
    (type and id) is shown in full, by `told_of`, where a piece of evidence has it.
    """
    marked = [n for n in sorted(set(evidence)) if 1 <= n <= len(trace.records)]
    shown = marked[:MOST_MARKED]
    numbers: set[int] = set()
    for n in shown:
        numbers.update(range(max(1, n - AROUND), min(len(trace.records), n + AROUND) + 1))
    lines = [line(n, trace.records[n - 1], n in shown, about if n in shown else None, told_of) for n in sorted(numbers)]
    return Excerpt(
        scenario=trace.header.scenario, lines=tuple(lines), play=trace.header.play, omitted=len(marked) - len(shown)
    )


def line(
    number: int,
    record: Body,
    marked: bool = False,
    about: tuple[str, str] | None = None,
    told_of: ToldOf = told_of_none,
) -> ExcerptLine:
    who, conn, text = describe(record)
    whole = len(text) <= LONGEST
    if not whole:
        text = f"{text[:LONGEST]}… ({len(text)} characters)"
    if about is not None and (isinstance(record, r.Ledger) or not whole):
        text += told_of(record, *about)
    return ExcerptLine(record=number, at=record.t / SECOND, conn=conn, who=who, text=text, marked=marked)


def _json(value: Any) -> str:
    return msgspec.json.encode(value).decode()


OPCODES = {2: "binary", 8: "close", 9: "ping", 10: "pong"}


def describe(record: Body) -> tuple[str, int, str]:
    """(who, connection, what) of a record."""
    told = _on_the_wire(record) or _of_the_client(record)
    return told if told is not None else ("harness", getattr(record, "conn", 0), _by_the_harness(record))


def _on_the_wire(record: Body) -> tuple[str, int, str] | None:
    match record:
        case r.Frame():
            return record.sender, record.conn, _frame(record)
        case r.Accepted():
            return "client", record.conn, "TCP connection accepted"
        case r.Head():
            kind = "upgrade request" if record.upgrade else "REST request"
            return "client", record.conn, f"{kind}: {record.method} {record.target}"
        case r.UpgradeAnswer():
            return "broker", record.conn, f"upgrade answered with {record.status}"
        case r.RestRequest():
            return "client", record.conn, f"{record.method} {record.target} {record.body}".rstrip()
        case r.RestAnswer():
            return "broker", record.conn, f"{record.status} {record.body}".rstrip()
        case r.Raw():
            return "broker", record.conn, f"raw bytes, in base64: {record.base64}"
        case r.Violation():
            return "client", record.conn, f"broke the WebSocket or HTTP rules: {record.text}"
        case r.Ended():
            return record.by, record.conn, "TCP reset" if record.how == "rst" else "TCP end (FIN)"
        case r.Ledger():
            return "broker", 0, f"its state at {record.name}"
    return None


def _of_the_client(record: Body) -> tuple[str, int, str] | None:
    """What it says of itself, and what it holds."""
    match record:
        case r.SubjectOutput():
            return "subject", 0, f"std{record.stream}: {record.text}"
        case r.SubjectReport():
            return "subject", 0, f"reports {_json(record.body)}"
        case r.BrokenReport():
            return "subject", 0, f"line {record.line} of its output is no report: {record.why}: {record.text}"
        case r.SubjectExited():
            asked = "" if record.asked else ", which nobody had asked for"
            how = f"signal {-record.code}" if record.code < 0 else f"status {record.code}"
            return "subject", 0, f"ended with {how}{asked}"
        case r.Resources():
            held = f"{record.descriptors} descriptors, {record.threads} threads, {record.memory} bytes"
            return "subject", 0, f"{record.name}: {held}"
        case r.OutputDropped():
            return "subject", 0, f"{record.lines} further line(s) of output ({record.bytes} bytes) were not kept"
    return None


def _by_the_harness(record: Body) -> str:
    """What the harness did, or noticed of itself."""
    match record:
        case r.Canary():
            worst = max((took for _, took in record.samples), default=0)
            return f"echo process: {len(record.samples)} answers, the slowest after {worst / 1000:g} ms"
        case r.RuleApplied():
            return f"rule {record.name} {record.detail}".rstrip()
        case r.RuleUnused():
            return f"rule {record.name} was never triggered"
        case r.Withheld():
            return f"{record.what} is held back"
        case r.Released():
            return f"{record.what} is let go"
        case r.Fault():
            return f"fault {record.name} {record.detail}".rstrip()
        case r.Load():
            rates = f"{record.reached:.0f} event(s) a second of {record.asked:g} asked for"
            return f"this machine makes {rates}; {record.dropped} overdue event(s) are dropped"
        case r.Window():
            return f"window {record.name}, from {record.since / SECOND:.3f} s"
        case r.Step():
            return record.text
        case r.Expecting():
            return f"waits for {record.what} until {record.until / SECOND:.1f} s"
        case _:
            return _with_the_client(record)


def _with_the_client(record: Body) -> str:
    """What it did to the client, how it stood itself, and the end."""
    match record:
        case r.SubjectStarted():
            return "the client is started"
        case r.Command():
            lost = "" if record.told else " (which has no way to hear it)"
            return f"tells the client{lost}: {_json(record.body)}"
        case r.StopAsked():
            return f"the client is asked to stop ({record.how})"
        case r.EndedByUs():
            return _ended_by_us(record)
        case r.Stall():
            return _stall(record)
        case r.Finished():
            return f"the scenario ends: {record.state} {record.note}".rstrip()
    raise AssertionError(f"a record of no kind: {record!r}")


def _stall(stall: r.Stall) -> str:
    """When it stood still, and what is known of why."""
    length = (stall.t - stall.since) / SECOND
    known = [
        (stall.cpu, "it computed for {:.1f} s"),
        (stall.waited, "it waited for a core for {:.1f} s"),
        (stall.suspended, "the machine slept for {:.1f} s"),
        (stall.client_cpu, "the client computed for {:.1f} s"),
    ]
    told = [text.format(value) for value, text in known if value >= 0.05]
    if stall.client_bytes:
        told.append(f"the client sent {stall.client_bytes} bytes")
    if stall.client_connections:
        told.append(f"the client opened {stall.client_connections} connection(s)")
    told.append(f"load {stall.load:.1f}")
    return f"stood still for {length:.3f} s, from {stall.since / SECOND:.3f} s: {', '.join(told)}"


def _ended_by_us(record: r.EndedByUs) -> str:
    match record.why:
        case "asked":
            return "ends the client, which had been asked to stop and was still there"
        case "unasked":
            return "ends the client, which was not asked to stop before"
        case "left-over":
            return f"ends {record.processes} process(es) that the client's program had left running"


def _frame(frame: r.Frame) -> str:
    if frame.opcode == 8:
        return f"close frame {frame.code or 'without a code'} {frame.text or ''}".rstrip()
    payload = frame.text if frame.text is not None else f"base64 {frame.base64}"
    payload = payload.replace("\n", "⏎")
    return payload if frame.opcode == 1 else f"{OPCODES.get(frame.opcode, frame.opcode)} {payload}".rstrip()
