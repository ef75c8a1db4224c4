"""Each kind of record as a sentence: who did what, on which connection. One function a kind."""

from __future__ import annotations

from functools import singledispatch
from typing import Any

import msgspec

from brokercert.judge.transcript import SECOND
from brokercert.trace import Body
from brokercert.trace import records as r

OPCODES = {2: "binary", 8: "close", 9: "ping", 10: "pong"}
# Who did what a record of that kind tells, where the record itself does not say so; of all others, the harness did it.
WHO: dict[type[r.Body], str] = {
    r.Accepted: "client",
    r.Head: "client",
    r.RestRequest: "client",
    r.Violation: "client",
    r.UpgradeAnswer: "broker",
    r.RestAnswer: "broker",
    r.Raw: "broker",
    r.Ledger: "broker",
    r.SubjectOutput: "subject",
    r.SubjectReport: "subject",
    r.BrokenReport: "subject",
    r.SubjectExited: "subject",
    r.Resources: "subject",
    r.OutputDropped: "subject",
}


def describe(record: Body) -> tuple[str, int, str]:
    """(who, connection, what) of a record."""
    return _who(record), getattr(record, "conn", 0), _what(record)


def _who(record: Body) -> str:
    match record:
        case r.Frame():
            return record.sender
        case r.Ended():
            return record.by
    return WHO.get(type(record), "harness")


def _json(value: Any) -> str:
    return msgspec.json.encode(value).decode()


def _left(code: int) -> str:
    return f"signal {-code}" if code < 0 else f"status {code}"


@singledispatch
def _what(record: Body) -> str:
    raise AssertionError(f"a record of no kind: {record!r}")


# On the wire.


@_what.register
def _(frame: r.Frame) -> str:
    if frame.opcode == 8:
        return f"close frame {frame.code or 'without a code'} {frame.text or ''}".rstrip()
    payload = frame.text if frame.text is not None else f"base64 {frame.base64}"
    payload = payload.replace("\n", "⏎")
    return payload if frame.opcode == 1 else f"{OPCODES.get(frame.opcode, frame.opcode)} {payload}".rstrip()


@_what.register
def _(record: r.Accepted) -> str:
    return "TCP connection accepted"


@_what.register
def _(record: r.Head) -> str:
    kind = "upgrade request" if record.upgrade else "REST request"
    return f"{kind}: {record.method} {record.target}"


@_what.register
def _(record: r.UpgradeAnswer) -> str:
    return f"upgrade answered with {record.status}"


@_what.register
def _(record: r.RestRequest) -> str:
    return f"{record.method} {record.target} {record.body}".rstrip()


@_what.register
def _(record: r.RestAnswer) -> str:
    return f"{record.status} {record.body}".rstrip()


@_what.register
def _(record: r.Raw) -> str:
    return f"raw bytes, in base64: {record.base64}"


@_what.register
def _(record: r.Violation) -> str:
    return f"broke the WebSocket or HTTP rules: {record.text}"


@_what.register
def _(record: r.Ended) -> str:
    return "TCP reset" if record.how == "rst" else "TCP end (FIN)"


@_what.register
def _(record: r.Ledger) -> str:
    return f"its state at {record.name}"


# What the client says of itself, and what it holds.


@_what.register
def _(record: r.SubjectOutput) -> str:
    return f"std{record.stream}: {record.text}"


@_what.register
def _(record: r.SubjectReport) -> str:
    return f"reports {_json(record.body)}"


@_what.register
def _(record: r.BrokenReport) -> str:
    return f"line {record.line} of its output is no report: {record.why}: {record.text}"


@_what.register
def _(record: r.SubjectExited) -> str:
    asked = "" if record.asked else ", which nobody had asked for"
    return f"ended with {_left(record.code)}{asked}"


@_what.register
def _(record: r.Resources) -> str:
    held = f"{record.descriptors} descriptors, {record.threads} threads, {record.memory} bytes"
    return f"{record.name}: {held}"


@_what.register
def _(record: r.OutputDropped) -> str:
    return f"{record.lines} further line(s) of output ({record.bytes} bytes) were not kept"


# What the harness did, or noticed of itself.


@_what.register
def _(record: r.Canary) -> str:
    worst = max((took for _, took in record.samples), default=0)
    return f"echo process: {len(record.samples)} answers, the slowest after {worst / 1000:g} ms"


@_what.register
def _(record: r.RuleApplied) -> str:
    return f"rule {record.name} {record.detail}".rstrip()


@_what.register
def _(record: r.RuleUnused) -> str:
    return f"rule {record.name} was never triggered"


@_what.register
def _(record: r.Withheld) -> str:
    return f"{record.what} is held back"


@_what.register
def _(record: r.Released) -> str:
    return f"{record.what} is let go"


@_what.register
def _(record: r.Fault) -> str:
    return f"fault {record.name} {record.detail}".rstrip()


@_what.register
def _(record: r.Load) -> str:
    rates = f"{record.reached:.0f} event(s) a second of {record.asked:g} asked for"
    return f"this machine makes {rates}; {record.dropped} overdue event(s) are dropped"


@_what.register
def _(record: r.Window) -> str:
    return f"window {record.name}, from {record.since / SECOND:.3f} s"


@_what.register
def _(record: r.Step) -> str:
    return record.text


@_what.register
def _(record: r.Expecting) -> str:
    return f"waits for {record.what} until {record.until / SECOND:.1f} s"


@_what.register
def _(record: r.Left) -> str:
    return f"goes no further: {record.text}{f' ({record.row})' if record.row else ''}"


@_what.register
def _(record: r.Afresh) -> str:
    return f"begins anew: {record.text}"


@_what.register
def _(record: r.SubjectStarted) -> str:
    return "the client is started" + (f" again, for the {record.start}. time" if record.start > 1 else "")


@_what.register
def _(record: r.Command) -> str:
    lost = "" if record.told else " (which has no way to hear it)"
    return f"tells the client{lost}: {_json(record.body)}"


@_what.register
def _(record: r.StopAsked) -> str:
    return f"the client is asked to stop ({record.how})"


@_what.register
def _(record: r.EndedByUs) -> str:
    match record.why:
        case "asked":
            return "ends the client, which had been asked to stop and was still there"
        case "unasked":
            return "ends the client, which was not asked to stop before"
        case "left-over":
            return f"ends {record.processes} process(es) that the client's program had left running"


@_what.register
def _(stall: r.Stall) -> str:
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


@_what.register
def _(record: r.Finished) -> str:
    return f"the scenario ends: {record.state} {record.note}".rstrip()
