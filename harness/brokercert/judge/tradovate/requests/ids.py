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
    watched, most = 0, 0
    for c in bench.talk.authorized:
        twice = _twice(bench, c)
        if twice is not None:
            yield twice
            return
        watched = max(watched, c.last_seen(bench.end) - c.requests[0].t)
        most = max(most, len(c.requests))
    if not bench.talk.authorized:
        return
    if watched < bench.micros("window_default") or most < 2:
        yield bench.short(f"{most} request(s) on a connection, watched for {seconds(watched)} only")
    else:
        spare = watched - bench.micros("window_default")
        yield bench.ok(Form.RESTRAINT, f"{most} requests on a connection, no id twice", spare=spare)


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
