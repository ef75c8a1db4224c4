"""The ids of requests (TP §1, §3)."""

from __future__ import annotations

from collections.abc import Iterator

from brokercert.judge.check import seconds
from brokercert.judge.tradovate.bench import Bench, check
from brokercert.judge.tradovate.model.conversation import Connection, Request
from brokercert.judge.tradovate.model.tickets import same_request
from brokercert.verdict import Finding, Form


@check("REQ-010")
def check_ids_unique(bench: Bench) -> Iterator[Finding]:
    """No request id comes twice on a connection, over 20 s at least and two requests; a request that drew a ticket and
    comes again under its id is the same one, and a warning.
    """
    sockets = bench.talk.authorized
    again = [pair for c in sockets for pair in _again(c)]
    twice = next((pair for pair in again if not _is_its_retry(*pair)), None)
    if twice is not None:
        yield _under_one_id(bench, *twice)
    elif again:
        yield _retried_under_its_id(bench, *again[0])
    elif sockets:
        yield _unique(bench, sockets)


def _unique(bench: Bench, sockets: list[Connection]) -> Finding:
    """No id came twice on any of them, as far as they were watched."""
    longest = max(sockets, key=lambda c: c.last_seen(bench.seen) - c.requests[0].t)
    watched = max(0, longest.last_seen(bench.seen) - longest.requests[0].t)
    fullest = max(sockets, key=lambda c: len(c.requests))
    most, span = len(fullest.requests), [longest.requests[0].record]
    if watched < bench.micros("window_default") or most < 2:
        return bench.short(f"{most} request(s) on a connection, watched for {seconds(watched)} only", span)
    spare = watched - bench.micros("window_default")
    evidence = [*span, fullest.requests[0].record, fullest.requests[-1].record]
    return bench.ok(Form.RESTRAINT, f"{most} requests on a connection, no id twice", evidence, spare=spare)


def _again(c: Connection) -> Iterator[tuple[Request, Request]]:
    """Each request whose id the connection had had, behind the last one that had it."""
    last: dict[str, Request] = {}
    for request in c.requests:
        before = last.get(_number(request.id))
        last[_number(request.id)] = request
        if before is not None:
            yield before, request


def _is_its_retry(before: Request, request: Request) -> bool:
    """Whether it asks for the same again, once that had drawn a ticket: no document says that this takes a new id, and
    nobody can mistake the answer, since the first was answered.
    """
    ticket = before.penalty
    return ticket is not None and not request.precedes(ticket) and same_request(before, request)


def _under_one_id(bench: Bench, before: Request, request: Request) -> Finding:
    return bench.breach(
        Form.CONTENT,
        f"connection {request.conn}: `{request.endpoint}` came under id {request.id}, which"
        f" `{before.endpoint}` had {seconds(request.t - before.t)} before",
        "an id of its own for every request on a connection",
        [before.record, request.record],
    )


def _retried_under_its_id(bench: Bench, before: Request, request: Request) -> Finding:
    return bench.warn(
        Form.CONTENT,
        f"connection {request.conn}: `{request.endpoint}` came again under its id {request.id},"
        f" {seconds(request.t - before.t)} after it had drawn a ticket there",
        "a new id for the retry too, as the vendor's samples have it",
        [before.record, request.record],
    )


def _number(ident: str) -> str:
    """`07` is the number 7; what is no number is itself."""
    return str(int(ident)) if ident.isascii() and ident.isdecimal() and len(ident) < 40 else ident
