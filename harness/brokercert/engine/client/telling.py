"""What is wrong with how a client tells: lines that cannot be read, reports against the protocol, a buffer.

The law: no failure, since all of it is the adapter's fault and not the client's; but told first, because rows that need
the reports cannot be judged by what was not read. Each line is told by its number, as far as a reader wants to know.
"""

from __future__ import annotations

import sys
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec

from brokercert.judge import Judging
from brokercert.judge.told import told_in
from brokercert.trace import Body, Trace
from brokercert.trace import records as r
from brokercert.verdict import BUFFERED, Finding

MOST_REASONS = 12  # that are told in full: a screen of a terminal
MOST_NUMBERS = 20  # lines that are named for one reason
SHOWN = 60  # characters of a line that cannot be read: what kind of report it was to be


@dataclass(frozen=True, slots=True)
class BadLine:
    """A line of output that is no report, or not as the protocol has it; `line` 0 where its number is not known."""

    line: int
    record: int
    why: str


@dataclass(frozen=True, slots=True)
class BadlyTold:
    """What was wrong with the client's reports themselves in one scenario."""

    scenario: str
    lines: tuple[BadLine, ...] = ()
    liar: bool = False  # it did not say `unsupported` of what nobody can do
    mute: bool = False  # it was asked something, and not one line of its output came


def badly_told(trace: Trace, judging: Judging) -> BadlyTold:
    told = told_in(trace.records)
    broken = [
        BadLine(x.line, number, f"begins as a report and is none, {x.why}: `{x.text[:SHOWN]}`")
        for number, x in enumerate(trace.records, 1)
        if isinstance(x, r.BrokenReport)
    ]
    # Hostile events have odd names, and a client that says so faithfully is not to blame.
    asked = any(x.event == "processed" for x in told.misfits)
    named = {_as_bytes(*name) for name in judging.events_named(trace)} if asked else set()
    misfits = [
        BadLine(x.line, x.record, f"is no proper `{x.event}`: {x.why}")
        for x in told.misfits
        if x.event != "processed" or _name(trace.records[x.record - 1]) not in named
    ]
    commanded = any(asked.told for asked in told.commands.values())
    return BadlyTold(
        trace.header.scenario,
        tuple(sorted([*broken, *misfits], key=lambda one: one.record)),
        liar=commanded and told.honest is False,
        mute=commanded and not told.lines,
    )


def _name(report: Body) -> bytes:
    body = report.body if isinstance(report, r.SubjectReport) else {}
    return _as_bytes(body.get("entityType"), body.get("eventType"), body.get("id"))


def _as_bytes(*values: Any) -> bytes:
    return msgspec.json.encode(_in_doubles(values), order="sorted")


def _in_doubles(value: Any) -> Any:
    """The value with its numbers as doubles: a runtime that has no others repeats them as it rounds them."""
    match value:
        case dict():
            return {name: _in_doubles(one) for name, one in value.items()}
        case list() | tuple():
            return [_in_doubles(one) for one in value]
        case bool():
            return value
        case int() | float():
            return value if abs(value) > sys.float_info.max else float(value) + 0.0  # and -0.0 is 0
        case _:
            return value


def told_badly(found: Sequence[BadlyTold]) -> Iterator[str]:
    """A sentence for each thing that is wrong."""
    said: dict[str, list[str]] = {}  # by what is wrong: what is wrong in one scenario is mostly wrong in all
    for one in sorted(found, key=lambda one: one.scenario):
        reasons: dict[str, list[BadLine]] = {}
        for line in one.lines:
            reasons.setdefault(line.why, []).append(line)
        for why, lines in reasons.items():
            said.setdefault(f"{_numbers(lines)} {why}.", []).append(one.scenario)
    for what, scenarios in list(said.items())[:MOST_REASONS]:
        yield f"{_and_more(scenarios)}: {what}"
    if len(said) > MOST_REASONS:
        rest = [name for names in list(said.values())[MOST_REASONS:] for name in names]
        yield f"{_and_more(list(dict.fromkeys(rest)))}: other lines are wrong too; the traces have them."
    mute = [one.scenario for one in found if one.mute]
    if mute:
        yield (
            f"{_and_more(mute)}: not one line of the client's output "
            "came. Where it prints any, they were lost in a buffer when it ended: flush after every line."
        )
    liar = next((one.scenario for one in found if one.liar), None)
    if liar is not None:
        yield (
            f"{liar}: the client did not answer `unsupported` to a command that nobody can do (`whistle`); it is "
            "not believed when it says so of another."
        )


def buffered_in(findings: Iterable[Finding]) -> Iterator[str]:
    """One sentence, where a buffer of the client's kept rows from being judged."""
    kept = [finding for finding in findings if finding.observed.startswith(BUFFERED)]
    if kept:
        rows = ", ".join(sorted({finding.requirement for finding in kept}))
        yield (
            f"{BUFFERED.capitalize()}: it is read long after it was printed, so that {rows} cannot be judged. "
            "Flush after every line (Python: `print(..., flush=True)` or PYTHONUNBUFFERED=1; C: "
            "`setvbuf(stdout, NULL, _IOLBF, 0)`), then run it again."
        )


def _and_more(scenarios: Sequence[str]) -> str:
    return scenarios[0] + (f" and {len(scenarios) - 1} more" if len(scenarios) > 1 else "")


def _numbers(lines: Sequence[BadLine]) -> str:
    """`line 3 of the client's output`; `lines 3, 5 and 2 more of the client's output each`."""
    numbers = [str(one.line) if one.line else f"(record {one.record})" for one in lines]
    shown = ", ".join(numbers[:MOST_NUMBERS])
    more = f" and {len(numbers) - MOST_NUMBERS} more" if len(numbers) > MOST_NUMBERS else ""
    return f"line{'s' if len(numbers) > 1 else ''} {shown}{more} of the client's output{' each' * (len(numbers) > 1)}"
