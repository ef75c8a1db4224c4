"""Messages that nobody should send: what a client does with them (S2 Error handling)."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from msgspec.structs import replace

from brokercert.judge.moments import Moment
from brokercert.judge.tradovate.bench import Bench, check
from brokercert.judge.tradovate.model.conversation import Connection
from brokercert.judge.tradovate.model.hostile import (
    batches,
    is_malformed,
    is_unknown_frame,
    undelivered,
    violation_in,
)
from brokercert.judge.tradovate.model.probe import judge_alive
from brokercert.verdict import Finding, Form


def _hostile(bench: Bench, c: Connection, is_hostile: Callable[[str], bool]) -> list[Moment]:
    """The hostile frames of a connection: known by themselves, or because their sender says so."""
    known = {Moment(t, number) for t, number, text in c.data_sent if is_hostile(text)}
    said = {Moment(*frame) for batch in batches(bench.talk, c) for frame in batch.sent}
    return sorted(known | said)


def _alive(bench: Bench, c: Connection, hostile: list[Moment], what: str, *, fatal: bool = False) -> Iterator[Finding]:
    """What became of the client, with a note of what could not be delivered to it."""
    note = undelivered(bench.talk)
    for finding in judge_alive(bench, c, hostile, reconnect_allowed=True, what=what, fatal=fatal):
        yield replace(finding, observed=finding.observed + note)


def _survives(bench: Bench, is_hostile: Callable[[str], bool], what: str) -> Iterator[Finding]:
    for c in bench.talk.working():
        hostile = _hostile(bench, c, is_hostile)
        if hostile:
            yield from _alive(bench, c, hostile, what)


def _is_none(text: str) -> bool:
    """Of a kind that no frame shows by itself: its sender says so."""
    return False


@check("MSG-010")
def check_malformed_json(bench: Bench) -> Iterator[Finding]:
    """After malformed JSON there is no crash, and the same socket lives on or a clean reconnect follows."""
    yield from _survives(bench, is_malformed, "malformed JSON")


@check("MSG-020")
def check_unknown_messages(bench: Bench) -> Iterator[Finding]:
    """Unknown frame letters and event kinds, and a second `o`: no crash, and no second authorize."""
    for c in bench.talk.working():
        again = _authorize_again(c)
        if again is not None:
            yield bench.breach(
                Form.AGAIN,
                f"authorize was sent again on connection {c.id} after a second `o`",
                "one authorize on a socket, whatever the server says",
                again,
                clause="second `o`",
            )
            return
    yield from _survives(bench, is_unknown_frame, "unknown messages")


def _authorize_again(c: Connection) -> list[int] | None:
    """The records of the second `o`, and of the authorize that it caused."""
    for opened in c.opens[1:]:
        later = next((request for request in c.authorizes[1:] if request.t >= opened.t), None)
        if later is not None:
            return [opened.record, later.record]
    return None


@check("MSG-030")
def check_invalid_parameters(bench: Bench) -> Iterator[Finding]:
    """After messages with missing, null, mistyped, huge or deeply nested fields there is no crash, and the same socket
    lives on or a clean reconnect follows.
    """
    yield from _survives(bench, _is_none, "invalid parameters")


@check("MSG-040")
def check_violations(bench: Bench) -> Iterator[Finding]:
    """A violation of the WebSocket protocol ends in a recovery, or the same socket is shown to hear; the connection
    should be failed. A binary frame is none, and may be ignored.
    """
    for c in bench.talk.working():
        if c.raw:
            yield from _alive(bench, c, [Moment(raw.t, raw.record) for raw in c.raw], "WebSocket violation", fatal=True)
            if c.given_up() is None and bench.death() is None:
                yield from _not_failed(bench, c)


def _not_failed(bench: Bench, c: Connection) -> Iterator[Finding]:
    """A warning for each violation on a connection that went on after it."""
    for raw in c.raw:
        wrong = violation_in(raw.what)
        if wrong:
            yield bench.warn(
                Form.ABSENCE,
                f"connection {c.id} went on after a violation: {wrong}",
                "the connection is failed, by a close frame or by ending TCP (RFC 6455 §7.1.7)",
                [raw.record],
                clause="fails the connection",
            )


@check("MSG-050")
def check_generated_run(bench: Bench) -> Iterator[Finding]:
    """A generated run of hostile frames of every kind finds no crash, no hang and no lost recovery."""
    yield from _survives(bench, _is_none, "generated hostile frames")
