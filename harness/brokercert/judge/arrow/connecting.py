"""Connecting, credentials, events, and leaving: AR Connection Setup, Connection Events, Security."""

from __future__ import annotations

import re
from collections.abc import Iterator

from brokercert.judge.arrow.bench import ArrowBench, Series, check
from brokercert.judge.arrow.updates import UpdateSocket
from brokercert.judge.attempts import attempts_of, most_within
from brokercert.judge.buffering.late_reports import unless_held
from brokercert.judge.check import seconds
from brokercert.judge.told import Report
from brokercert.judge.transcript import SECOND
from brokercert.verdict import Finding, Form

PARAMETERS = ("session", "token")
SECRET = re.compile("«(?:session|token|password|presented)#[0-9]+»")
SOON = 2 * SECOND  # within which an event is raised that follows from what just happened
IN_FLIGHT = SECOND // 2  # an attempt that was under way when the client was asked to stop; the first rung is 1 s
GOODBYE = 5 * SECOND  # within which a client that was asked to leave ends its socket
RAISED_EARLY = SECOND // 2  # a report may be read a little before the frame that it is about is stamped


def _asked(bench: ArrowBench) -> list[UpdateSocket]:
    return [c for c in bench.talk.connections.values() if c.head is not None]


@check("AOC-010")
def check_query(bench: ArrowBench) -> Iterator[Finding]:
    """Every upgrade request carries `session` and `token`, as issued, as query parameters."""
    asked = _asked(bench)
    if not asked:
        if bench.talk.started is None:
            return
        watched = bench.end - bench.talk.started
        if watched < bench.micros("window_connect") and bench.talk.died() is None:
            yield bench.short(f"the client was watched for {seconds(watched)} only, and sent no upgrade request")
            return
        yield bench.breach(
            Form.ABSENCE,
            f"no upgrade request in {seconds(watched)}{bench.exit_text()}",
            "a WebSocket connection to the address given",
            [bench.talk.started_record, *([bench.talk.exited[1]] if bench.talk.exited else [])],
        )
        return
    for c in asked:
        assert c.head is not None
        missing = [name for name in PARAMETERS if not c.parameter(name)]
        if missing:
            yield bench.breach(
                Form.CONTENT,
                f"connection {c.id} asked for {c.target or '/'} without {' and '.join(missing)}",
                "`?session=...&token=...` in the address",
                [c.head[1]],
            )
            return
    yield bench.ok(
        Form.SHOWN,
        f"{len(asked)} upgrade request(s), each with session and token",
        [c.head[1] for c in asked if c.head],
    )


@check("AOC-015")
def check_encoding(bench: ArrowBench) -> Iterator[Finding]:
    """Session and token arrive as they were issued, whatever characters are in them: the broker takes them."""
    for c in _asked(bench):
        assert c.head is not None
        # Raw text is the same secret to the recorder, so that its label proves nothing: the broker's answer does.
        if c.refused_status in (401, 403):
            yield bench.breach(
                Form.CONTENT,
                f"session and token of connection {c.id} did not arrive as issued: `%` and `&` were sent as they are",
                "values percent-encoded (RFC 3986)",
                [c.head[1]],
            )
            return
    done = bench.talk.upgraded
    if done:
        yield bench.ok(
            Form.SHOWN, "values with reserved characters arrived as issued", [c.upgraded[1] for c in done if c.upgraded]
        )


@check("AOC-020")
def check_refused(bench: ArrowBench) -> Iterator[Finding]:
    """Refused credentials are tried again within the limit only, and the user is told."""
    refused = [c for c in _asked(bench) if c.refused_status in (401, 403)]
    if not refused or bench.talk.upgraded:
        return
    first = refused[0]
    since = first.accepted - 1
    watched = bench.end - first.accepted
    most = int(bench.limit("refused_attempts"))
    count, which = most_within(attempts_of(bench.talk, since), 60 * SECOND)
    if count > most:
        yield bench.breach(
            Form.AGAIN,
            f"{count} attempts with refused credentials in a minute",
            f"at most {most} a minute, or none",
            [a.record for a in which],
            [bench.count("attempts", count, most)],
        )
    elif watched < bench.micros("window_refused") and bench.talk.exited is None:
        yield bench.short(f"watched for {seconds(watched)} only", [a.record for a in which])
    else:
        yield bench.ok(
            Form.RESTRAINT,
            f"{count} attempt(s) in a minute",
            [a.record for a in which],
            [bench.count("attempts", count, most)],
        )
    if bench.reports:
        told = [x for x in bench.talk.told.errors if x.t >= first.accepted]
        if told:
            yield bench.ok(Form.SHOWN, "the user was told", [told[0].record], clause="re-login")
        else:
            silent = bench.breach(
                Form.ABSENCE,
                "no `error` was reported after the refusal",
                "a prompt to log in again",
                [which[0].record],
                (),
                "re-login",
            )
            yield unless_held(bench, silent, bench.talk.told.late_answers("error"))


@check("AOC-025")
def check_renewal(bench: ArrowBench) -> Iterator[Finding]:
    """After a session has timed out, the next that is accepted is a new one."""
    for fault_t, number, fault in bench.talk.faults:
        if fault.name != "session-expired":
            continue
        before = {c.parameter("session") for c in bench.talk.upgraded if c.upgraded and c.upgraded[0] < fault_t}
        after = [c for c in bench.talk.upgraded if c.upgraded and c.upgraded[0] > fault_t]
        if after and after[0].upgraded:
            if after[0].parameter("session") not in before:
                yield bench.ok(
                    Form.SHOWN,
                    f"connected with a new session {seconds(after[0].upgraded[0] - fault_t)} after the old one ended",
                    [number, after[0].upgraded[1]],
                )
                return
        waited = bench.end - fault_t
        if waited < bench.micros("window_recovery") and bench.talk.exited is None:
            yield bench.short(f"watched for {seconds(waited)} only", [number])
        else:
            yield bench.breach(
                Form.ABSENCE,
                f"no connection with a new session in {seconds(waited)}{bench.exit_text()}",
                "the session is renewed (`BROKERCERT_RENEW_URL`) and the client connects again",
                [number],
            )


def _near(reports: list[Report], since: int, until: int) -> list[Report]:
    return [x for x in reports if since - RAISED_EARLY <= x.t <= until]


def _spans(bench: ArrowBench) -> Iterator[tuple[Series, int]]:
    """Every series with the moment up to which its loss may be told of: when the client tried again, or gave up."""
    for one in bench.series():
        yield one, (one.attempts[0].t if one.attempts else bench.end)


@check("AOC-030")
def check_events(bench: ArrowBench) -> Iterator[Finding]:
    """The client raises its events when, and as often as, the page's table says."""
    talk, end = bench.talk, bench.end - SOON
    wrong: list[Finding] = []

    def missing(name: str, when: str, evidence: list[int]) -> None:
        wrong.append(
            bench.breach(
                Form.ABSENCE, f"`{name}` was not raised {when}", f"`{name}` as the table says", evidence, (), name
            )
        )

    connects = talk.raised("connect")
    for c in talk.upgraded:
        assert c.upgraded is not None
        opened = c.upgraded[0]
        if opened < end and c.last_seen(bench.end) - opened > SOON and not _near(connects, opened, opened + SOON):
            missing("connect", f"for connection {c.id}", [c.upgraded[1]])
    if len(connects) > len(talk.upgraded):
        wrong.append(
            bench.breach(
                Form.AGAIN,
                f"`connect` was raised {len(connects)} times, for {len(talk.upgraded)} connection(s)",
                "once a connection",
                [x.record for x in connects],
                (),
                "connect",
            )
        )
    yield from wrong
    wrong.clear()
    disconnects, closes, reconnects, errors = map(talk.raised, ("disconnect", "close", "reconnect", "error"))
    told_of: dict[int, int] = {}  # an attempt's record -> that of the one `reconnect` that tells of it
    for one, until in _spans(bench):
        if bench.end - one.loss < SOON:
            continue
        told = _near(disconnects, one.loss, until)
        silent = one.lost.loss is not None and one.lost.loss.by == "client"
        if not told and bench.end - one.loss > GOODBYE:
            missing("disconnect", f"when connection {one.lost.id} was lost", [one.record])
        elif len(told) > 1:
            wrong.append(
                bench.breach(
                    Form.AGAIN,
                    f"`disconnect` was raised {len(told)} times for one loss",
                    "once a loss",
                    [one.record, *(x.record for x in told)],
                    (),
                    "disconnect",
                )
            )
        if (
            one.lost.broker_close is not None
            and not silent
            and not _near(closes, one.loss, max(until, one.loss + SOON))
        ):
            if bench.end - one.loss > GOODBYE:
                missing("close", f"when connection {one.lost.id} was closed", [one.record])
        for n, attempt in enumerate(one.attempts):
            before = one.loss if n == 0 else one.attempts[n - 1].t
            if attempt.record in told_of:
                continue  # it follows the loss of another socket too
            own = [x for x in _near(reconnects, before, attempt.t + RAISED_EARLY) if x.record not in told_of.values()]
            if not own:
                began = one.record if n == 0 else one.attempts[n - 1].record
                missing("reconnect", f"before the attempt at {seconds(attempt.t)}", [began, attempt.record])
                break
            told_of[attempt.record] = own[0].record
        for attempt in one.attempts[: one.failed]:
            if attempt.t < end and not _near(errors, attempt.t, (attempt.end or attempt.t) + SOON):
                missing("error", f"for the attempt that failed at {seconds(attempt.t)}", [attempt.record])
                break
    sent = [(c, t, n) for c in talk.upgraded for t, n, _ in c.texts if c.heard(t) and t < end and _read(c, t)]
    heard = talk.raised("message")
    if len(heard) < len(sent):
        missing("message", f"for {len(sent) - len(heard)} of {len(sent)} messages", [n for _, _, n in sent[:3]])
    updates = [u for u in talk.updates() if not u.problem and talk.connections[u.conn].heard(u.t) and u.t < end]
    told_updates = {(x.body.get("orderId"), x.body.get("timestamp")) for x in talk.raised("orderUpdate")}
    unsaid = [u for u in updates if u.key not in told_updates]
    if unsaid:
        missing("orderUpdate", f"for {len(unsaid)} of {len(updates)} updates", [u.record for u in unsaid[:3]])
    ended = talk.raised("noreconnect")
    on = [one for one in bench.series() if ended and one.back and one.loss < ended[0].t < one.attempts[-1].t]
    if on:
        evidence = [on[0].record, ended[0].record, on[0].attempts[-1].record]
        wrong.append(
            bench.breach(Form.AGAIN, "`noreconnect` was raised while attempts went on", "after the last", evidence)
        )
    yield from wrong
    if not wrong and (connects or sent):
        names = [name for name in ("connect", "disconnect", "reconnect", "error", "close", "message", "orderUpdate")]
        yield bench.ok(Form.SHOWN, "raised: " + ", ".join(f"{name} {len(talk.raised(name))}" for name in names))


def _read(c: UpdateSocket, t: int) -> bool:
    """The client could have read it: it had not said good-bye."""
    return c.client_close is None or c.client_close[0] > t


@check("AOC-040")
def check_disconnect(bench: ArrowBench) -> Iterator[Finding]:
    """After `disconnect` the client ends its socket, does not come back, and says nothing more."""
    talk, window = bench.talk, bench.micros("window_stop")
    for t, number, stop in talk.stops:
        if not stop.judged or (talk.exited is not None and talk.exited[0] < t):
            continue
        still = [c for c in talk.upgraded if c.upgraded and c.upgraded[0] < t and (c.loss is None or c.loss.t >= t)]
        clause = "open connection" if still else "not connected"
        wrong = False
        for c in still:
            ended = c.given_up()
            if ended is not None and ended.t <= t + GOODBYE:
                continue
            if ended is None and bench.end - t < GOODBYE and talk.exited is None:
                continue
            wrong = True
            yield bench.breach(
                Form.ABSENCE,
                f"connection {c.id} was still open {seconds(bench.end - t)} later",
                "it is ended",
                [number],
                (),
                clause,
            )
        for c in still:
            beats = [n for at, n in c.beats if at > t + GOODBYE]
            if beats:
                wrong = True
                yield bench.breach(
                    Form.AGAIN, "`PONG` was sent after it", "its timers end too", [number, beats[0]], (), clause
                )
        back = [a for a in attempts_of(talk, t + IN_FLIGHT) if a.t <= bench.end]
        if back:
            wrong = True
            yield bench.breach(
                Form.AGAIN,
                f"the client came back {seconds(back[0].t - t)} after `disconnect`",
                "no further attempt",
                [number, back[0].record],
                (),
                clause,
            )
        if wrong:
            continue
        if bench.end - t < window and talk.exited is None:
            yield bench.short(f"watched for {seconds(bench.end - t)} only", [number], clause)
        else:
            left = "and left" if talk.exited is not None else "and stayed away"
            yield bench.ok(
                Form.RESTRAINT,
                f"it ended its connection {left}" if still else f"it had none to end, {left}",
                [number],
                (),
                clause,
            )


@check("AOS-010")
def check_output(bench: ArrowBench) -> Iterator[Finding]:
    """No session, token or password appears in what the client prints or reports."""
    talk = bench.talk
    if not talk.upgraded and not _asked(bench):
        return
    for number, text in talk.printed:
        found = SECRET.search(text)
        if found:
            yield bench.breach(
                Form.CONTENT, f"its output holds {found.group()}", "no credential in any output", [number]
            )
            return
    yield bench.ok(Form.RESTRAINT, f"{len(talk.printed)} line(s) of output, no credential among them")
