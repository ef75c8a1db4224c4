"""A trace that contradicts itself is refused: each way to alter one that can be seen without its run's record."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from random import Random

import pytest
from brokercert.trace import TraceError, TraceWriter, read_trace
from brokercert.trace import records as r
from brokercert.trace.agrees import contradiction
from brokercert.trace.reader import parse_trace
from traces import header

Lines = list[bytes]
Edit = Callable[[Lines], object]
SET = "tradovate-stage2"


def written(path: Path, *, state: r.State = "completed") -> Lines:
    """A trace as a writer writes it: two sockets, and a REST connection with two requests."""
    writer = TraceWriter(path / "t.jsonl", header(SET), began=0.0)
    for conn in (1, 2):
        writer.accepted(conn, conn)
        for number in range(1, 4):
            at = conn + number / 10
            writer.frame(at, conn, "client", number, 1, b"[]")
            writer.frame(at + 0.01, conn, "broker", number, 1, b'a[{"s":200}]', first_message=number)
    writer.accepted(4.0, 3)
    for number in (1, 2):
        writer.rest_request(4.0 + number / 10, 3, number, "GET", f"/v1/{number}", "")
        writer.rest_answer(4.01 + number / 10, 3, number, 200, "{}")
    writer.add(r.Finished(t=5_000_000, state=state))
    writer.close()
    return (path / "t.jsonl").read_bytes().splitlines()


def parsed(lines: Lines) -> object:
    return parse_trace(b"\n".join(lines) + b"\n")


def place(lines: Lines, *parts: bytes) -> int:
    return next(number for number, line in enumerate(lines) if all(part in line for part in parts))


FRAME = (b'"frame"', b'"conn":2', b'"sender":"client"', b'"ordinal":2')
BROKERS = (b'"frame"', b'"conn":2', b'"sender":"broker"', b'"ordinal":2')
REQUEST = (b'"rest-request"', b'"ordinal":1')


def removed(*parts: bytes) -> Edit:
    return lambda lines: lines.pop(place(lines, *parts))


def twice(*parts: bytes) -> Edit:
    return lambda lines: lines.insert(place(lines, *parts), lines[place(lines, *parts)])


def replaced(old: bytes, new: bytes, *parts: bytes) -> Edit:
    def edit(lines: Lines) -> None:
        number = place(lines, old, *parts)
        lines[number] = lines[number].replace(old, new, 1)

    return edit


def swapped(lines: Lines) -> None:
    one, other = place(lines, *FRAME), place(lines, *FRAME[:3], b'"ordinal":3')
    lines[one], lines[other] = lines[other], lines[one]


EDITS: dict[str, tuple[Edit, str]] = {
    "a client's frame removed": (removed(*FRAME), "ordinal 3: a frame of the client on connection 2; expected 2"),
    "a broker's frame removed": (removed(*BROKERS), "ordinal 3: a frame of the broker on connection 2; expected 2"),
    "a frame twice": (twice(*FRAME), "ordinal 2: a frame of the client on connection 2; expected 3"),
    "two frames swapped": (swapped, "time 2200000: a frame of the client"),
    "two ordinals swapped": (
        lambda lines: [replaced(a, b, *FRAME[:3])(lines) for a, b in ((b'"ordinal":1', b'"ordinal":9'),
                       (b'"ordinal":2', b'"ordinal":1'), (b'"ordinal":9', b'"ordinal":2'))],
        "time 2100000: a frame of the client",
    ),
    "a request removed": (removed(*REQUEST), "ordinal 2: a request on connection 3; expected 1"),
    "a time that goes back": (replaced(b'"t":2200000', b'"t":1', *FRAME), "time 1: a frame of the client"),
    "a message's number": (replaced(b'"first_message":2', b'"first_message":1', *BROKERS), "first_message 1: "),
    "a connection removed": (removed(b'"accepted"', b'"conn":1'), "connection 1 was never accepted"),
    "a connection twice": (twice(b'"accepted"', b'"conn":2'), "connection 2 was accepted; expected connection 3"),
    "a second end": (twice(b'"finished"'), "a record after `finished`"),
    "an earlier end": (lambda lines: lines.insert(3, lines[-1]), "a record after `finished`"),
    "a key twice": (replaced(b'"text":"[]"', b'"text":"x","text":"[]"', *FRAME), "the key 'text' stands there twice"),
    "an unknown field": (replaced(b'"text":"[]"', b'"text":"[]","more":1', *FRAME), "unknown field `more`"),
    "a key of the header twice": (replaced(b'"seed":1', b'"seed":2,"seed":1'), "the key 'seed' stands there twice"),
    "an unknown field of the header": (replaced(b'"seed":1', b'"seed":1,"more":1'), "knows no field 'more'"),
}  # fmt: skip


@pytest.mark.parametrize("name", EDITS)
def test_a_trace_that_contradicts_itself_is_refused_by_its_line(tmp_path: Path, name: str) -> None:
    lines = written(tmp_path)
    edit, said = EDITS[name]
    edit(lines)
    with pytest.raises(TraceError, match=r"trace:\d+: ") as told:
        parsed(lines)
    assert said in str(told.value)


def test_a_trace_as_it_was_written_agrees(tmp_path: Path) -> None:
    written(tmp_path)
    assert contradiction(read_trace(tmp_path / "t.jsonl").records) is None


def test_every_record_that_is_numbered_is_missed(tmp_path: Path) -> None:
    """Whichever it is, but for the last of its side: what followed nothing, only the run's record knows."""
    lines = written(tmp_path)
    last = {place(lines, b'"sender":"%s"' % side, b'"conn":%d' % conn, b'"ordinal":3')
            for side in (b"client", b"broker") for conn in (1, 2)}  # fmt: skip
    numbered = [number for number, line in enumerate(lines) if b'"frame"' in line or b'"rest-request"' in line]
    missed = set()
    for number in numbered:
        try:
            parsed(lines[:number] + lines[number + 1 :])
        except TraceError:
            missed.add(number)
    assert missed == set(numbered) - last - {place(lines, b'"rest-request"', b'"ordinal":2')}


@pytest.mark.parametrize("state", ["interrupted", "harness error"])
def test_a_run_that_was_cut_short_may_lack_what_was_to_be_told_later(tmp_path: Path, state: r.State) -> None:
    lines = written(tmp_path, state=state)
    removed(*BROKERS)(lines)
    parsed(lines)


def test_frames_of_one_moment_may_be_told_in_any_order(tmp_path: Path) -> None:
    """The frames of a burst are told after it, and what else the broker sent at that moment before them."""
    lines = written(tmp_path)
    replaced(b'"t":2310000', b'"t":2210000', *BROKERS[:3])(lines)
    one, other = place(lines, *BROKERS), place(lines, *BROKERS[:3], b'"ordinal":3')
    lines[one], lines[other] = lines[other], lines[one]
    parsed(lines)


@pytest.mark.parametrize("seed", range(200))
def test_a_flipped_bit_is_a_trace_error_or_none(tmp_path: Path, seed: int) -> None:
    """Bytes, not texts: nothing else than `TraceError` comes of them."""
    rng = Random(seed)
    data = bytearray(b"\n".join(written(tmp_path)) + b"\n")
    data[rng.randrange(len(data))] ^= 1 << rng.randrange(8)
    try:
        parse_trace(bytes(data))
    except TraceError as error:
        assert "trace" in str(error)


@pytest.mark.parametrize("seed", range(200))
def test_a_cut_trace_is_a_trace_error_or_unfinished(tmp_path: Path, seed: int) -> None:
    data = b"\n".join(written(tmp_path)) + b"\n"
    cut = data[: Random(seed).randrange(len(data) - 1)]
    try:
        assert parse_trace(cut).truncated
    except TraceError as error:
        assert "no complete line" in str(error)
