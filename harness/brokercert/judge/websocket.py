"""What any client owes WebSocket itself (RFC 6455), in any dialect: well-formed frames, and a pong for each ping.

The mock broker reads frames as the standard says. What it could not read it recorded, and it ended the connection.
Times are microseconds.
"""

from __future__ import annotations

from collections.abc import Iterator

from brokercert.judge.check import AnyBench, seconds
from brokercert.judge.moments import Noted, Said
from brokercert.judge.sockets import Socket
from brokercert.judge.violations import is_too_much, of_websocket
from brokercert.trace import records as r
from brokercert.verdict import Finding, Form

UNREADABLE = "what no WebSocket server may take: "
WELL_FORMED = "frames as RFC 6455 says: each masked, text in UTF-8, no reserved bit or unknown kind"
FEW = "no more than a server takes of one client, which closes with 1008 or 1009 beyond that (RFC 6455 §7.4.1)"


def keeps_to_frames(bench: AnyBench) -> Iterator[Finding]:
    """A breach for each kind of frame that the broker could not read; a pass where the client was watched for long
    enough.
    """
    kinds: dict[str, list[Noted[r.Violation]]] = {}
    for one in of_websocket(bench.talk):
        kinds.setdefault(one.what.text, []).append(one)
    for text, those in kinds.items():
        times = f", {len(those)} times" if len(those) > 1 else ""
        much = is_too_much(those[0].what)
        yield bench.breach(
            Form.CONTENT,
            f"on connection {those[0].what.conn} came {'' if much else UNREADABLE}{text}{times}",
            FEW if much else WELL_FORMED,
            [one.record for one in those[:3]],
        )
    if not kinds and bench.talk.upgraded:
        yield _all_well_formed(bench)


def _all_well_formed(bench: AnyBench) -> Finding:
    opened = [c.upgraded for c in bench.talk.upgraded if c.upgraded is not None]
    watch = bench.barred(opened[0].t, bench.micros("window_default"))
    return watch.kept(
        f"every frame of the client on {len(opened)} socket(s) in {watch} was well-formed",
        [opened[0].record],
        short=f"watched for {watch} after the upgrade only",
    )


def answers_pings(bench: AnyBench) -> Iterator[Finding]:
    """For each socket on which pings were sent: whether each was answered, with what it had carried."""
    for c in bench.talk.upgraded:
        if c.pinged:
            yield _answered(bench, c)


def _answered(bench: AnyBench, c: Socket) -> Finding:
    """A client that reads several pings at once may answer the last of them alone (RFC 6455 §5.5.3)."""
    unanswered = next((ping for place, ping in enumerate(c.pinged) if not _pong_for(c, place, ping)), None)
    if unanswered is None:
        said = f"connection {c.id}: each of {len(c.pinged)} ping(s) was answered, with what it had carried"
        return bench.ok(Form.SHOWN, said, [c.pinged[0].record, c.ponged[-1].record])
    other = next((pong for pong in c.ponged if pong.record > unanswered.record), None)
    watch = bench.owed(unanswered.t, bench.micros("pong"), c.last_seen(bench.end))
    if other is None:
        return watch.missing(
            f"connection {c.id}: no pong in {watch} after a ping",
            "a pong for each ping (RFC 6455 §5.5.2)",
            [unanswered.record],
            short=f"connection {c.id}: watched for {watch} after the ping only",
        )
    return _another_payload(bench, c, unanswered, other)


def _pong_for(c: Socket, place: int, ping: Said) -> bool:
    """Whether a pong after it carries what it, or a later ping, had carried."""
    carried = {later.text for later in c.pinged[place:]}
    return any(pong.record > ping.record and pong.text in carried for pong in c.ponged)


def _another_payload(bench: AnyBench, c: Socket, ping: Said, pong: Said) -> Finding:
    return bench.breach(
        Form.CONTENT,
        f"connection {c.id}: the pong {seconds(pong.t - ping.t)} after a ping does not carry what the ping had carried",
        "a pong that carries the application data of its ping (RFC 6455 §5.5.3)",
        [ping.record, pong.record],
    )
