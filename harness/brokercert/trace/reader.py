"""Reads a saved trace back, also one whose writer was killed in the middle of a line.

"Rejected" means `TraceError` and nothing else: it names the file, the line, what was expected and what to do.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Sequence
from pathlib import Path

import msgspec

from brokercert.trace import records as r
from brokercert.trace.agrees import contradiction, read_once

OF_A_CONNECTION = (r.Head, r.UpgradeAnswer, r.RestRequest, r.RestAnswer, r.Frame, r.Raw, r.Violation, r.Ended)


class TraceError(Exception):
    """A file is no trace that this version can read."""


class Trace(msgspec.Struct, frozen=True):
    """A header and its records; record number 0 is the header, the first of `records` is number 1."""

    header: r.Header
    records: tuple[r.Body, ...]
    truncated: bool = False  # the last line was unfinished, or no `finished` record came


def trace_of(header: r.Header, records: Sequence[r.Body]) -> Trace:
    return Trace(header, tuple(records), not any(isinstance(x, r.Finished) for x in records[-1:]))


_header_decoder = msgspec.json.Decoder(r.Header)
_record_decoder: msgspec.json.Decoder[r.Body] = msgspec.json.Decoder(r.Body)
_encode = msgspec.json.Encoder().encode
KNOWN = {"kind", *r.Header.__struct_fields__}
WRONG = (ValueError, RecursionError)  # of JSON: msgspec's errors and that of a byte which is no UTF-8 are of them


def parse_trace(data: bytes, *, name: str = "trace") -> Trace:
    """A trace from its bytes.

    A last line without its newline is left out (the writer was killed there); any other broken line is an error, and so
    is a record that those beside it contradict.
    """
    lines = data.split(b"\n")
    unfinished = lines.pop()  # empty where the file ends in a newline
    if not lines:
        raise TraceError(f"{name}: no complete line; expected a trace header. Is this a trace file of brokercert?")
    header = _header(lines[0], name)
    records: list[r.Body] = []
    accepted: set[int] = set()
    for number, line in enumerate(lines[1:], start=2):
        try:
            record = _record_decoder.decode(line)
            if _encode(record) != line:  # not as we write it, which is seldom: of an older version, or altered
                read_once(line)
        except WRONG as error:
            raise TraceError(
                f"{name}:{number}: {error}; expected one trace record a line, as {header.tool} writes it"
            ) from error
        if isinstance(record, r.Accepted):
            accepted.add(record.conn)
        elif isinstance(record, OF_A_CONNECTION) and record.conn not in accepted:
            raise TraceError(
                f"{name}:{number}: connection {record.conn} was never accepted; expected its `accepted` record before"
            )
        records.append(record)
    found = contradiction(records)
    if found:
        place, why = found
        raise TraceError(f"{name}:{place + 2}: {why}. The file was altered; expected it as its run wrote it")
    trace = trace_of(header, records)
    return Trace(header, trace.records, trace.truncated or bool(unfinished))


def _header(line: bytes, name: str) -> r.Header:
    try:
        header = _header_decoder.decode(line)
        fields = read_once(line)
    except WRONG as error:
        raise TraceError(f"{name}:1: {error}; expected a trace header, a line of JSON with kind 'header'") from error
    if header.format != r.TRACE_FORMAT:
        raise TraceError(
            f"{name}:1: format {header.format}, this version reads {r.TRACE_FORMAT}; judge it with {header.tool}"
        )
    unknown = next((field for field in fields if field not in KNOWN), None)
    if unknown is not None:
        raise TraceError(f"{name}:1: this version knows no field {unknown!r} of a header; judge it with {header.tool}")
    return header


def read_trace(path: Path) -> Trace:
    """A trace from its file. Raises `TraceError`, also where the file cannot be read."""
    try:
        data = path.read_bytes()
    except OSError as error:
        raise _unreadable(path, error) from error
    return parse_trace(data, name=str(path))


def read_header(path: Path) -> r.Header:
    """The header alone, whatever follows it. Raises `TraceError`."""
    try:
        with path.open("rb") as file:
            line = file.readline()
    except OSError as error:
        raise _unreadable(path, error) from error
    if not line.endswith(b"\n"):
        raise TraceError(f"{path}: no complete line; expected a trace header. Is this a trace file of brokercert?")
    return _header(line, str(path))


def read_records(path: Path, wanted: Collection[int]) -> Iterator[tuple[int, r.Body]]:
    """Some records of a trace by their numbers, one at a time: the file is never in memory as a whole.

    Raises `TraceError`.
    """
    last = max(wanted, default=0)
    try:
        with path.open("rb") as file:
            for number, line in enumerate(file):
                if number > last:
                    break
                if number and number in wanted:
                    yield number, _record_decoder.decode(line)
    except OSError as error:
        raise _unreadable(path, error) from error
    except WRONG as error:
        raise TraceError(f"{path}: {error}; expected one trace record a line") from error


def _unreadable(path: Path, error: OSError) -> TraceError:
    return TraceError(f"{path}: {error.strerror}; expected a trace file (out/RUN/traces/*.jsonl)")
