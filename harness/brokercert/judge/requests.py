"""Requests and their answers: S2 overview, TP §1 and §3."""

from __future__ import annotations

from collections.abc import Iterator

from brokercert.judge.check import Bench, check, seconds
from brokercert.judge.conversation import Request
from brokercert.verdict import Finding


@check("REQ-010")
def check_ids_unique(bench: Bench) -> Iterator[Finding]:
    """No request id comes twice on a connection, over 20 s at least and two requests."""
    watched, most = 0, 0
    for c in bench.talk.authorized:
        first: dict[str, Request] = {}
        for request in c.requests:
            before = first.setdefault(_number(request.id), request)
            if before is not request:
                yield bench.breach(
                    f"connection {c.id}: `{request.endpoint}` came under id {request.id}, which"
                    f" `{before.endpoint}` had {seconds(request.t - before.t)} before",
                    "an id of its own for every request on a connection",
                    [before.record, request.record],
                )
                return
        watched = max(watched, c.last_seen(bench.end) - c.requests[0].t)
        most = max(most, len(c.requests))
    if not bench.talk.authorized:
        return
    if watched < bench.micros("window_default") or most < 2:
        yield bench.short(f"{most} request(s) on a connection, watched for {seconds(watched)} only")
    else:
        yield bench.ok(f"{most} requests on a connection, no id twice")


def _number(ident: str) -> str:
    """`07` is the number 7; what is no number is itself."""
    return str(int(ident)) if ident.isascii() and ident.isdecimal() and len(ident) < 40 else ident
