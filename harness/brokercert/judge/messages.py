"""Message errors and log-off: S2 Error handling, TP §0 (the programme's Log-off)."""

from __future__ import annotations

from collections.abc import Iterator

from brokercert.judge.attempts import attempts_of
from brokercert.judge.check import Bench, check, seconds
from brokercert.judge.conversation import SECOND, Connection, messages_of
from brokercert.judge.events import is_unknown
from brokercert.judge.probe import judge_alive
from brokercert.verdict import Finding

LETTERS = ("o", "h", "a", "c")
LEGAL_CLOSE = (1000, 1001, None)
IN_FLIGHT = SECOND  # an attempt that was under way when the client was asked to stop


def _is_malformed(text: str) -> bool:
    return text.startswith(("a", "c")) and text not in ("a", "c") and messages_of(text) is None


@check("MSG-010")
def check_malformed_json(bench: Bench) -> Iterator[Finding]:
    """After malformed JSON there is no crash, and the same socket lives on or a clean reconnect follows."""
    for c in bench.talk.working():
        hostile = [(t, number) for t, number, text in c.data_sent if _is_malformed(text)]
        if hostile:
            yield from judge_alive(bench, c, hostile, reconnect_allowed=True, what="malformed JSON")


def _is_unknown_frame(text: str) -> bool:
    if text[:1] not in LETTERS:
        return True
    return text.startswith("a") and any(map(is_unknown, messages_of(text) or ()))


@check("MSG-020")
def check_unknown_messages(bench: Bench) -> Iterator[Finding]:
    """Unknown frame letters and event kinds, and a second `o`: no crash, and no second authorize."""
    for c in bench.talk.working():
        strange = [(t, number) for t, number, text in c.data_sent if _is_unknown_frame(text)]
        second = c.opens[1:]
        again = _authorize_again(c)
        if again is not None:
            yield bench.breach(
                f"authorize was sent again on connection {c.id} after a second `o`",
                "one authorize on a socket, whatever the server says",
                list(again),
                clause="second `o`",
            )
            continue
        if strange or second:
            both = sorted(set(strange) | set(second))
            yield from judge_alive(bench, c, both, reconnect_allowed=True, what="unknown message")


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
        wrong = False
        for c in still:
            close = c.client_close
            if close is not None and close[0] >= t and close[2] in LEGAL_CLOSE:
                continue
            ended = [e for e in c.ended if e[2] == "client"]
            if close is None and not ended and bench.end - t < window:
                continue  # still being watched
            wrong = True
            said = "no close frame" if close is None else f"close code {close[2]}"
            evidence = [number, *([close[1]] if close else []), *(e[1] for e in ended)]
            yield bench.breach(
                f"asked to stop, the client sent {said} on connection {c.id}",
                "a close frame with 1000, 1001 or without a code",
                evidence,
                clause=clause,
            )
        if back:
            wrong = True
            yield bench.breach(
                f"the client came back {seconds(back[0].t - t)} after it was asked to stop",
                "no new attempt after log-off",
                [number, back[0].record],
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
            yield bench.ok(f"the client {said} {left}", [number], clause=clause)
