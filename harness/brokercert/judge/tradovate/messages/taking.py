"""Message errors and log-off: S2 Error handling, TP §0 (the programme's Log-off)."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from msgspec.structs import replace

from brokercert.judge.attempts import attempts_of
from brokercert.judge.buffering.late_reports import unless_held
from brokercert.judge.check import seconds
from brokercert.judge.tradovate.bench import Bench, check
from brokercert.judge.tradovate.messages.probe import judge_alive
from brokercert.judge.tradovate.model.conversation import SECOND, Connection
from brokercert.judge.tradovate.model.hostile import (
    batches,
    is_malformed,
    is_told,
    is_unknown_frame,
    markers,
    undelivered,
    violation_in,
)
from brokercert.verdict import Finding, Form

LEGAL_CLOSE = (1000, 1001, None)
IN_FLIGHT = SECOND  # an attempt that was under way when the client was asked to stop


def _hostile(bench: Bench, c: Connection, is_hostile: Callable[[str], bool]) -> list[tuple[int, int]]:
    """(t, record) of the hostile frames of a connection: known by themselves, or because their sender says so."""
    known = {(t, number) for t, number, text in c.data_sent if is_hostile(text)}
    said = {frame for batch in batches(bench.talk, c) for frame in batch.sent}
    return sorted(known | said)


def _survives(bench: Bench, is_hostile: Callable[[str], bool], what: str) -> Iterator[Finding]:
    note = undelivered(bench.talk)
    for c in bench.talk.working():
        hostile = _hostile(bench, c, is_hostile)
        if hostile:
            for finding in judge_alive(bench, c, hostile, reconnect_allowed=True, what=what):
                yield replace(finding, observed=finding.observed + note)


@check("MSG-010")
def check_malformed_json(bench: Bench) -> Iterator[Finding]:
    """After malformed JSON there is no crash, and the same socket lives on or a clean reconnect follows."""
    yield from _survives(bench, is_malformed, "malformed JSON")


@check("MSG-015")
def check_next_event_processed(bench: Bench) -> Iterator[Finding]:
    """The next valid event after hostile frames is processed: the client reports it, on whatever socket it then has,
    as it reported one before anything hostile.
    """
    talk = bench.talk
    all_batches = [batch for c in talk.synced for batch in batches(talk, c)]
    if not all_batches:
        return
    first = min(batch.record for batch in all_batches)
    sent = list(markers(talk))
    before, after = [m for m in sent if m.record < first], [m for m in sent if m.record > first]
    controls = [m for m in before if any(is_told(report, m.kind, m.id) for report in talk.told.processed)]
    if not controls:
        unknown = bench.short(
            "no event was reported before anything hostile either: either none of a type that it subscribes to could be"
            " sent, or it reports none",
            [m.record for m in before],
        )
        late = talk.told.late_answers("processed")
        yield unless_held(bench, unknown, (x for x in late if any(is_told(x, m.kind, m.id) for m in before)))
        return
    for marker in after:
        last = max((b for b in all_batches if b.record < marker.record), key=lambda batch: batch.record)
        report = next((x for x in talk.told.processed if is_told(x, marker.kind, marker.id)), None)
        if report is not None:
            yield bench.ok(
                Form.SHOWN,
                f"{marker.kind} {marker.id}, created after {len(last.sent)} hostile frames, was processed"
                f" {seconds(report.t - marker.t)} later",
                [last.record, marker.record, report.record],
            )
            continue
        watched = talk.connections[marker.conn].last_seen(bench.end) - marker.t
        if watched < bench.micros("window_default") and talk.died() is None:
            yield bench.short(f"watched for {seconds(watched)} after {marker.kind} {marker.id} only", [marker.record])
            continue
        missed = bench.breach(
            Form.ABSENCE,
            f"{marker.kind} {marker.id}, created after {len(last.sent)} hostile frames ({last.names}), was not"
            f" processed in {seconds(watched)}{bench.exit_text()}",
            "the next valid event is processed",
            [last.record, marker.record],
        )
        late = [x for x in talk.told.late_answers("processed") if is_told(x, marker.kind, marker.id)]
        yield unless_held(bench, missed, late)
    died = talk.died()
    last = max(all_batches, key=lambda batch: batch.record)
    if died is not None and not any(marker.record > last.record for marker in after):
        yield bench.breach(
            Form.ENDING,
            f"after hostile frames the client ended, and processed no event any more{bench.exit_text()}",
            "the next valid event is processed",
            [last.record, *bench.left(last.record)],
        )


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
                list(again),
                clause="second `o`",
            )
            return
    yield from _survives(bench, is_unknown_frame, "unknown messages")


@check("MSG-030")
def check_invalid_parameters(bench: Bench) -> Iterator[Finding]:
    """After messages with missing, null, mistyped, huge or deeply nested fields there is no crash, and the same socket
    lives on or a clean reconnect follows.
    """
    yield from _survives(bench, lambda _: False, "invalid parameters")


@check("MSG-040")
def check_violations(bench: Bench) -> Iterator[Finding]:
    """A violation of the WebSocket protocol ends in a recovery, or the same socket is shown to hear; the connection
    should be failed. A binary frame is none, and may be ignored.
    """
    note = undelivered(bench.talk)
    for c in bench.talk.working():
        if not c.raw:
            continue
        for finding in judge_alive(
            bench, c, [(t, n) for t, n, _ in c.raw], reconnect_allowed=True, what="WebSocket violation"
        ):
            yield replace(finding, observed=finding.observed + note)
        if c.given_up() is not None or bench.talk.died() is not None:
            continue
        for _, number, data in c.raw:
            wrong = violation_in(data)
            if wrong:
                yield bench.warn(
                    Form.ABSENCE,
                    f"connection {c.id} went on after a violation: {wrong}",
                    "the connection is failed, by a close frame or by ending TCP (RFC 6455 §7.1.7)",
                    [number],
                    clause="fails the connection",
                )


@check("MSG-050")
def check_generated_run(bench: Bench) -> Iterator[Finding]:
    """A generated run of hostile frames of every kind finds no crash, no hang and no lost recovery."""
    yield from _survives(bench, lambda _: False, "generated hostile frames")


def _authorize_again(c: Connection) -> tuple[int, int] | None:
    """(record of the second `o`, record of the authorize that it caused)."""
    for t, number in c.opens[1:]:
        later = [a for a in c.authorizes[1:] if a.t >= t]
        if later:
            return number, later[0].record
    return None


@check("OFF-010")
def check_log_off(bench: Bench) -> Iterator[Finding]:
    """Asked to stop: a close frame with 1000, 1001 or without a code on the open connection, and no coming back."""
    talk = bench.talk
    window = bench.micros("window_stop")
    for t, number, stop in talk.stops:
        if not stop.judged:
            continue
        if talk.exited is not None and talk.exited[0] < t:
            continue
        still = [c for c in talk.upgraded if c.upgraded and c.upgraded[0] < t and (c.loss is None or c.loss.t >= t)]
        clause = "open connection" if still else "not connected"
        back = [a for a in attempts_of(talk, t + IN_FLIGHT) if a.t <= bench.end]
        # One that was under way may come to stand, but not to stay.
        news = [c for c in talk.upgraded if c.upgraded and c.upgraded[0] >= t]
        stayed = [c for c in news if c.loss is None or c.loss.t > bench.end]
        wrong = False
        for c in still:
            close = c.client_close
            if close is not None and close[2] in LEGAL_CLOSE:  # one of before would have ended it before
                continue
            ended = [e for e in c.ended if e[2] == "client"]
            if close is None and not ended and bench.end - t < window:
                continue  # still being watched
            wrong = True
            said = "no close frame" if close is None else f"close code {close[2]}"
            evidence = [number, *([close[1]] if close else []), *(e[1] for e in ended)]
            yield bench.breach(
                Form.ENDING if close is not None else Form.ABSENCE,
                f"asked to stop, the client sent {said} on connection {c.id}",
                "a close frame with 1000, 1001 or without a code",
                evidence,
                clause=clause,
            )
        if back:
            wrong = True
            yield bench.breach(
                Form.AGAIN,
                f"the client came back {seconds(back[0].t - t)} after it was asked to stop",
                "no new attempt after log-off",
                [number, back[0].record],
                clause=clause,
            )
        elif stayed and bench.end - t >= window:
            wrong = True
            c = stayed[0]
            yield bench.breach(
                Form.ABSENCE,
                f"connection {c.id}, begun {seconds(c.accepted - t)} after the client was asked to stop, still stood"
                f" {seconds(bench.end - t)} after that",
                "no new attempt after log-off, and none that was under way comes to stay",
                [number, *([c.upgraded[1]] if c.upgraded else [])],
                clause=clause,
            )
        if wrong:
            continue
        if bench.end - t < window and talk.exited is None:
            yield bench.short(f"watched for {seconds(bench.end - t)} after the request to stop only", [number], clause)
        else:
            codes = sorted({str(c.client_close[2] or "no code") for c in still if c.client_close})
            said = f"closed with {', '.join(codes)}" if codes else "had nothing to close"
            left = "and left" if talk.exited is not None else "and stayed away"
            spare = bench.end - t - window
            yield bench.ok(Form.RESTRAINT, f"the client {said} {left}", [number], clause=clause, spare=spare)
