"""Tokens that became bad, where they were used, and what replaced them (S2 §5, TP §2)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from brokercert.judge.check import seconds
from brokercert.judge.moments import Moment
from brokercert.judge.tradovate.bench import Bench
from brokercert.judge.tradovate.model.conversation import CREDENTIAL, Answer, Connection, Request, answers_of
from brokercert.trace.names import FaultName
from brokercert.verdict import Finding, Form


def bad_tokens(bench: Bench, how: str) -> dict[str, Moment]:
    """Labels of the tokens that became bad in this way (`expired`, `revoked`) -> since when."""
    return {
        label: Moment(fault.t, fault.record)
        for fault in bench.talk.faults
        if fault.what.name == f"{FaultName.TOKEN}{how}"
        for label in CREDENTIAL.findall(fault.what.detail)
    }


def token_of(request: Request) -> str:
    """The label of the token that an authorize carried, empty where it was none of the broker's."""
    found = CREDENTIAL.search(request.text)
    return found.group() if found else ""


@dataclass(frozen=True, slots=True)
class Replacement:
    """Tokens that are `bad`, and `how` they became so. From `since` on a fresh one is owed; `most` uses of a bad one
    are borne.
    """

    bad: dict[str, Moment]
    how: str
    since: int
    most: int

    @property
    def told(self) -> list[int]:
        """The record by which the first of them became bad."""
        return [moment.record for moment in self.bad.values()][:1]


def replaced(bench: Bench, due: Replacement) -> Iterator[Finding]:
    """The bad token is used so often at most, and a fresh one authorizes a socket in the end."""
    uses = _uses(bench, due.bad)
    fresh = _fresh(bench, due)
    if len(uses) > due.most:
        yield _used_again(bench, due, uses)
    elif fresh is not None:
        tried = "after one refusal" if uses else "without a refusal"
        said = f"authorized with a fresh token, {tried}"
        yield bench.ok(Form.SHOWN, said, [*due.told, fresh.record])
    else:
        yield from _never_fresh(bench, due, uses)


def _uses(bench: Bench, bad: dict[str, Moment]) -> list[Request]:
    """Authorizes with a token that was bad by then, as often as they count."""
    uses: list[Request] = []
    for request in sorted((a for c in bench.talk.upgraded for a in c.authorizes), key=lambda a: a.record):
        if _is_bad(request, bad) and _counts(bench, request, uses):
            uses.append(request)
    return uses


def _is_bad(request: Request, bad: dict[str, Moment]) -> bool:
    """Whether its token was bad when it was sent."""
    known = bad.get(token_of(request))
    return known is not None and request.t >= known.t


def _counts(bench: Bench, request: Request, before: list[Request]) -> bool:
    """On several sockets at once they are one use, and so are those of one socket that left before the refusal can
    have been read.
    """
    if not before or request.t - before[-1].t >= bench.micros("one_use"):
        return True
    arrival = bench.micros("arrival")
    return any(use.conn == request.conn and use.answer and request.t - use.answer.t >= arrival for use in before)


def _fresh(bench: Bench, due: Replacement) -> Answer | None:
    """The answer that authorized, the first since then, a socket by a token that is none of the bad ones."""
    for c, answer in bench.talk.granted:
        if answer.t >= due.since and _token_granted(c, answer) not in due.bad:
            return answer
    return None


def _token_granted(c: Connection, answer: Answer) -> str:
    """The token that was granted by that answer."""
    return next(token_of(request) for request in c.authorizes if request.answer is answer)


def _used_again(bench: Bench, due: Replacement, uses: list[Request]) -> Finding:
    again = uses[due.most]
    after = f", {seconds(again.t - uses[0].t)} after it had been refused" if due.most else ""
    return bench.breach(
        Form.AGAIN,
        f"the {due.how} token {token_of(again)} was sent on connection {again.conn}{after}",
        "a fresh token before the next authorize",
        [*due.told, *(use.record for use in uses[: due.most + 1])],
        [bench.count(f"uses of the {due.how} token", len(uses), due.most)],
    )


def _never_fresh(bench: Bench, due: Replacement, uses: list[Request]) -> Iterator[Finding]:
    refused = answers_of(uses[:1])
    since = refused[0].t if refused else due.since
    watch = bench.barred(since, bench.micros("window_recovery"))
    if not watch.short and not uses and not _came_since(bench, due.since):
        return  # it never came so far: the row that demands an attempt says so
    yield watch.missing(
        f"no fresh token in {watch}",
        "an authorize with a fresh token",
        [*due.told, *(use.record for use in uses)],
        short=f"watched for {watch} without a fresh token only",
        seen=[],
    )


def _came_since(bench: Bench, t: int) -> bool:
    return any(c.accepted > t for c in bench.talk.upgraded)
