"""A login that is refused: what the client does then, and what its user is told (S2 §1, TP §2, §3)."""

from __future__ import annotations

from collections.abc import Iterator

from msgspec.structs import replace

from brokercert.judge.attempts import attempts_within_limits
from brokercert.judge.buffering.late_reports import unless_held
from brokercert.judge.check import seconds
from brokercert.judge.moments import first_from, records_of
from brokercert.judge.tradovate.bench import Bench, check
from brokercert.judge.tradovate.model.conversation import SECOND, Answer, Connection, Request
from brokercert.judge.tradovate.model.crossing import may_have_crossed
from brokercert.judge.tradovate.model.tokens import counted
from brokercert.judge.tradovate.model.trying import tries
from brokercert.verdict import Finding, Form, Verdict


@check("LOG-040")
def check_refusal_recognised(bench: Bench) -> Iterator[Finding]:
    """After a refused token: nothing but heartbeats on that socket, the same token not hammered, attempts inside the
    limits. Staying, closing and leaving for good are all legal.
    """
    refused = _refused(bench)
    if refused:
        first = min(answer.t for _, answer in refused)
        attempts = tries(bench, first)
        wrong = [
            *(found for one in bench.starts for c, answer in _refused(one) if (found := _went_on(one, c, answer))),
            *_hammered(bench),
            *attempts_within_limits(bench, attempts, sockets=max(1, _at_once([c for c, _ in refused]))),
        ]
        yield from wrong or [_restrained(bench, first, [answer for _, answer in refused], len(attempts))]


def _refused(bench: Bench) -> list[tuple[Connection, Answer]]:
    """The sockets on which authorize was refused, each with that answer."""
    return [(c, c.refused) for c in bench.talk.upgraded if c.refused]


def _restrained(bench: Bench, first: int, refused: list[Answer], attempts: int) -> Finding:
    """The client did nothing wrong since the first refusal, if it was watched long enough."""
    watch = bench.barred(first, bench.micros("window_refused"))
    after = "left" if watch.over else f"made {attempts} further attempt(s) in {watch}"
    return watch.kept(
        f"after the refusal the client {after}",
        [answer.record for answer in refused[:3]],
        short=f"watched for {watch} after the refusal only",
        seen=[answer.record for answer in refused[:1]],
    )


def _went_on(bench: Bench, c: Connection, refused: Answer) -> Finding | None:
    """A breach, where a request followed on that socket that did not cross the refusal on its way."""
    cause = next(a for a in c.authorizes if a.answer is refused)
    later = (q for q in c.requests if q.record > refused.record)
    late = next((q for q in later if not may_have_crossed(bench.talk, cause, q, bench.micros("arrival"))), None)
    if late is None:
        return None
    return bench.breach(
        Form.AGAIN,
        f"`{late.endpoint}` was sent on connection {c.id}, {seconds(late.t - refused.t)} after its token had been"
        " refused",
        "nothing but heartbeats on a socket whose token was refused",
        [refused.record, late.record],
        clause="nothing follows",
    )


def _at_once(connections: list[Connection]) -> int:
    """How many of these sockets lived together at the most."""
    return max(
        sum(o.accepted <= c.accepted and (o.loss is None or o.loss.t > c.accepted) for o in connections)
        for c in connections
    )


def _hammered(bench: Bench) -> Iterator[Finding]:
    """The same refused token at most three times in 60 s; on different sockets at once it counts once."""
    by_token: dict[str, list[Request]] = {}
    for request in (request for c in bench.talk.upgraded for request in c.authorizes):
        if request.answer is None or request.answer.refuses:
            by_token.setdefault(_token_of(request), []).append(request)
    for token, uses in by_token.items():
        finding = _too_often(bench, token, counted(bench, uses))
        if finding is not None:
            yield finding


def _too_often(bench: Bench, token: str, uses: list[Request]) -> Finding | None:
    span, most = bench.micros("refused_token_window"), round(bench.limit("refused_token_repeats"))
    just = span - bench.micros("timer_late")  # a timer of a third of that time is now and then a little early
    for place, use in enumerate(uses):
        inside = [other for other in uses[place:] if other.t - use.t < just]
        if len(inside) > most:
            return bench.breach(
                Form.AGAIN,
                f"the refused token {token} was sent {len(inside)} times in {seconds(inside[-1].t - inside[0].t)}",
                f"the same refused token at most {most} times in {span / SECOND:g} s",
                [other.record for other in inside],
                [bench.count("uses of one refused token", len(inside), most)],
                clause="not hammered",
            )
    return None


def _token_of(request: Request) -> str:
    body = request.body
    return (body if isinstance(body, str) else request.text).strip().strip('"')


@check("LOG-045")
def check_refusal_told(bench: Bench) -> Iterator[Finding]:
    """After a refused authorize the user is told of the failure, within the minute that is watched. Of one that was
    refused by an error text inside a 200 that is a recommendation.
    """
    for one in bench.starts:
        refused = min((answer for _, answer in _refused(one)), key=lambda answer: answer.record, default=None)
        if refused is not None:
            yield _told_of(one, refused)


def _told_of(bench: Bench, refused: Answer) -> Finding:
    """Whether the user was told, as far as the client was watched."""
    told = first_from(bench.talk.told.errors, refused.t)
    if told is not None:
        text = f"the user was told {seconds(told.t - refused.t)} after the refusal"
        return bench.ok(Form.SHOWN, text, [refused.record, told.record])
    watch = bench.owed(refused.t, bench.micros("window_refused"))
    empty = [report for report in bench.talk.told.empty_errors if report.t >= refused.t]
    but = f"; {len(empty)} `error` report(s) had an empty text" if empty else ""
    silent = watch.missing(
        f"authorize was refused, and the user was told nothing of it in {watch}{but}",
        "a failure that the user is told of (an `error` report with a text)",
        [refused.record, *records_of(*empty[:3])],
        short=f"watched for {watch} after the refusal only",
    )
    if watch.short:
        return silent
    said = unless_held(bench, silent, bench.talk.told.late_answers("error"))
    # That a refusal comes inside a 200 is documented of requests, and of authorize only inferred (TP §2).
    return replace(said, verdict=Verdict.WARNING) if refused.inside_200 and said.verdict is Verdict.FAIL else said
