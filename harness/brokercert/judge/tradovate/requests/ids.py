"""The ids of requests (TP §1, §3)."""

from __future__ import annotations

from collections.abc import Iterator

from brokercert.judge.check import seconds
from brokercert.judge.tradovate.bench import Bench, check
from brokercert.judge.tradovate.model.conversation import Connection, Request
from brokercert.verdict import Finding, Form


@check("REQ-010")
def check_ids_unique(bench: Bench) -> Iterator[Finding]:
    """No request id comes twice on a connection, over 20 s at least and two requests."""
    sockets = bench.talk.authorized
    for c in sockets:
        twice = _twice(bench, c)
        if twice is not None:
            yield twice
            return
    if sockets:
        yield _unique(bench, sockets)


def _unique(bench: Bench, sockets: list[Connection]) -> Finding:
    """No id came twice on any of them, as far as they were watched."""
    watched = max([0, *(c.last_seen(bench.end) - c.requests[0].t for c in sockets)])
    most = max(len(c.requests) for c in sockets)
    if watched < bench.micros("window_default") or most < 2:
        return bench.short(f"{most} request(s) on a connection, watched for {seconds(watched)} only")
    spare = watched - bench.micros("window_default")
    return bench.ok(Form.RESTRAINT, f"{most} requests on a connection, no id twice", spare=spare)


def _twice(bench: Bench, c: Connection) -> Finding | None:
    first: dict[str, Request] = {}
    for request in c.requests:
        before = first.setdefault(_number(request.id), request)
        if before is not request:
            return bench.breach(
                Form.CONTENT,
                f"connection {c.id}: `{request.endpoint}` came under id {request.id}, which"
                f" `{before.endpoint}` had {seconds(request.t - before.t)} before",
                "an id of its own for every request on a connection",
                [before.record, request.record],
            )
    return None


def _number(ident: str) -> str:
    """`07` is the number 7; what is no number is itself."""
    return str(int(ident)) if ident.isascii() and ident.isdecimal() and len(ident) < 40 else ident
