"""The address and its credentials: sent as issued, refused, renewed (AR Connection Setup)."""

from __future__ import annotations

from collections.abc import Iterator

from brokercert.judge.arrow.bench import BOOK3, BOTH, ArrowBench, check
from brokercert.judge.arrow.model import UpdateSocket
from brokercert.judge.attempts import attempts_of, most_within
from brokercert.judge.buffering.late_reports import unless_held
from brokercert.judge.check import seconds
from brokercert.judge.moments import Moment, Noted, first_from, records_of
from brokercert.judge.transcript import SECOND
from brokercert.trace import records as r
from brokercert.trace.names import FaultName
from brokercert.verdict import Finding, Form

REFUSED = (401, 403)
MINUTE = 60 * SECOND


@check("AOC-010")
def check_query(bench: ArrowBench) -> Iterator[Finding]:
    """Every upgrade request carries `session` and `token`, as issued, as query parameters."""
    yield from asked_with_credentials(bench)


@check("AOC-310", BOOK3)
def check_query3(bench: ArrowBench) -> Iterator[Finding]:
    """Every upgrade request carries `appID` and `token`, as given, as query parameters."""
    yield from asked_with_credentials(bench)


def asked_with_credentials(bench: ArrowBench) -> Iterator[Finding]:
    """Both of the edition's names stand in the query of every upgrade request."""
    asked = bench.asked
    if not asked:
        yield from _never_asked(bench)
        return
    for c, head in asked:
        wrong = _incomplete(bench, c, head)
        if wrong is not None:
            yield wrong
            return
    yield bench.ok(
        Form.SHOWN,
        f"{len(asked)} upgrade request(s), each with {' and '.join(bench.edition.credentials)}",
        [head.record for _, head in asked],
    )


def _incomplete(bench: ArrowBench, c: UpdateSocket, head: Moment) -> Finding | None:
    """A breach, where one of the two is not in the address."""
    names = bench.edition.credentials
    missing = [name for name in names if not c.parameter(name)]
    if not missing:
        return None
    return bench.breach(
        Form.CONTENT,
        f"connection {c.id} asked for {c.target or '/'} without {' and '.join(missing)}",
        f"`?{'&'.join(f'{name}=...' for name in names)}` in the address",
        [head.record],
    )


def _never_asked(bench: ArrowBench) -> Iterator[Finding]:
    talk = bench.talk
    if talk.started is None:
        return
    watch = bench.owed(talk.started, bench.micros("window_connect"))
    yield watch.missing(
        f"no upgrade request in {watch}",
        "a WebSocket connection to the address given",
        [talk.started_record, *records_of(bench.ending)],
        short=f"the client was watched for {watch} only, and sent no upgrade request",
        seen=(),
    )


@check("AOC-015", *BOTH)
def check_encoding(bench: ArrowBench) -> Iterator[Finding]:
    """The credentials arrive as they were issued, whichever characters are in them: the broker takes them."""
    for c, head in bench.asked:
        # Raw text is the same secret to the recorder, so that its label proves nothing: the broker's answer does.
        if c.refused_status in REFUSED:
            yield bench.breach(
                Form.CONTENT,
                f"{' and '.join(bench.edition.credentials)} of connection {c.id} did not arrive as issued: "
                "`%` and `&` were sent as they are",
                "values percent-encoded (RFC 3986)",
                [head.record],
            )
            return
    done = [opened.record for _, opened in bench.opened]
    if done:
        yield bench.ok(Form.SHOWN, "values with reserved characters arrived as issued", done)


@check("AOC-020", *BOTH)
def check_refused(bench: ArrowBench) -> Iterator[Finding]:
    """Refused credentials are tried again within the limit only, and the user is told."""
    refused = [c for c, _ in bench.asked if c.refused_status in REFUSED]
    if not refused or bench.talk.upgraded:
        return
    first = refused[0]
    count, which = most_within(attempts_of(bench.talk, first.accepted - 1), MINUTE)
    yield _repeated(bench, first, count, [a.record for a in which])
    if bench.reports:
        yield _told_of_refusal(bench, first, which[0].record)


def _repeated(bench: ArrowBench, first: UpdateSocket, count: int, evidence: list[int]) -> Finding:
    """Whether so many attempts, the most in a minute, are inside the limit."""
    most = int(bench.limit("refused_attempts"))
    measured = [bench.count("attempts", count, most)]
    watch = bench.barred(first.accepted, bench.micros("window_refused"))
    if count > most:
        said = f"{count} attempts with refused credentials in a minute"
        return bench.breach(Form.AGAIN, said, f"at most {most} a minute, or none", evidence, measured)
    if watch.short:
        return watch.cut(f"watched for {watch} only", evidence)
    return bench.ok(Form.RESTRAINT, f"{count} attempt(s) in a minute", evidence, measured)


def _told_of_refusal(bench: ArrowBench, first: UpdateSocket, attempt: int) -> Finding:
    told = first_from(bench.talk.told.errors, first.accepted)
    if told is not None:
        return bench.ok(Form.SHOWN, "the user was told", [told.record], clause="re-login")
    silent = bench.breach(
        Form.ABSENCE,
        "no `error` was reported after the refusal",
        "a prompt to log in again",
        [attempt],
        clause="re-login",
    )
    return unless_held(bench, silent, bench.talk.told.late_answers("error"))


@check("AOC-025")
def check_renewal(bench: ArrowBench) -> Iterator[Finding]:
    """After a session has timed out, the next that is accepted is a new one."""
    yield from renewed(bench, "the session is renewed (`BROKERCERT_RENEW_URL`) and the client connects again")


@check("AOC-325", BOOK3)
def check_login(bench: ArrowBench) -> Iterator[Finding]:
    """After a token has ended, the next that is accepted is a new one."""
    yield from renewed(bench, "the client logs in again (`BROKERCERT_LOGIN_URL`) and connects with the new token")


def renewed(bench: ArrowBench, expected: str) -> Iterator[Finding]:
    """What followed each end of a login."""
    for expired in bench.talk.faults:
        if expired.what.name != FaultName.SESSION_EXPIRED:
            continue
        yield (finding := _renewed(bench, expired, expected))
        if finding.form is Form.SHOWN:
            return


def _renewed(bench: ArrowBench, expired: Noted[r.Fault], expected: str) -> Finding:
    name = bench.edition.renewed
    before = {c.parameter(name) for c, at in bench.opened if at.t < expired.t}
    after = next(((c.parameter(name), at) for c, at in bench.opened if at.t > expired.t), None)
    if after is not None and after[0] not in before:
        return bench.ok(
            Form.SHOWN,
            f"connected with a new {name} {seconds(after[1].t - expired.t)} after the old one ended",
            [expired.record, after[1].record],
        )
    watch = bench.owed(expired.t, bench.micros("window_recovery"))
    return watch.missing(
        f"no connection with a new {name} in {watch}",
        expected,
        [expired.record],
        short=f"watched for {watch} only",
    )
