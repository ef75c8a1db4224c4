"""Tokens that became bad, where they were used, and what replaced them (S2 §5, TP §2)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from brokercert.judge.check import seconds
from brokercert.judge.moments import Moment, records_of
from brokercert.judge.tradovate.bench import Bench
from brokercert.judge.tradovate.model.conversation import CREDENTIAL, Answer, Connection, Request, answers_of
from brokercert.judge.tradovate.model.crossing import may_have_crossed
from brokercert.judge.tradovate.model.shape import most_at_once
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


def borne(bench: Bench, bad: dict[str, Moment], how: str) -> int:
    """How many uses of a bad token are borne: one, where the client could not know before its refusal. Nobody tells of
    a revocation. The end of a token stands in the answer by which it was fetched, and in no answer where the client was
    given it.
    """
    if how == "revoked":
        return 1
    first = next(iter(_uses(bench, bad)), None)
    return 1 if first is not None and token_of(first) not in _fetched(bench) else 0


def _fetched(bench: Bench) -> set[str]:
    """The tokens that stood in an answer over REST."""
    return {label for call in bench.talk.asides.rest for label in call.given}


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
    every = (a for c in bench.talk.upgraded for a in c.authorizes)
    return counted(bench, [request for request in every if _is_bad(request, bad)])


def counted(bench: Bench, uses: list[Request]) -> list[Request]:
    """The first of each of those that are one use. On several sockets at once they are one, and of a client that lives
    on several sockets so are theirs, each soon after the one before it. On one socket those are one that may have
    crossed the refusal. What was sent before the first refusal of all is one with the first use: nobody knew.
    """
    first: list[Request] = []
    one: list[Request] = []
    lanes = most_at_once({use.conn: bench.talk.connections[use.conn] for use in uses}.values())
    for use in sorted(uses, key=lambda use: use.record):
        if one and _is_one(bench, one, use, lanes):
            one.append(use)
        else:
            first.append(use)
            one = [use]
    return first


def _is_one(bench: Bench, one: list[Request], use: Request, lanes: int) -> bool:
    """Whether it is one use with those."""
    if all(b.conn != use.conn and b.answer is not None and use.record < b.answer.record for b in one):
        return True
    soon = bench.micros("one_use")
    if use.t - one[-1].t >= soon:
        return False
    same = [before for before in one if before.conn == use.conn]
    if not same:
        return use.t - one[0].t < soon or len(one) < lanes
    arrival = bench.micros("arrival")
    return all(b.answer is not None and may_have_crossed(bench.talk, b, use, arrival) for b in same)


def _is_bad(request: Request, bad: dict[str, Moment]) -> bool:
    """Whether its token was bad when it was sent."""
    known = bad.get(token_of(request))
    return known is not None and request.t >= known.t


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
    after = f", {seconds(again.t - uses[0].t)} after its first use" if due.most else ""
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
    watch = bench.owed(since, bench.micros("window_recovery"))
    if not watch.short and not uses and not _came_since(bench, due.since):
        return  # it never came so far: the row that demands an attempt says so
    yield watch.missing(
        f"no fresh token in {watch}",
        "an authorize with a fresh token",
        [*due.told, *records_of(*uses, *refused[:1])],
        short=f"watched for {watch} without a fresh token only",
        seen=[],
    )


def _came_since(bench: Bench, t: int) -> bool:
    return any(c.accepted > t for c in bench.talk.upgraded)
