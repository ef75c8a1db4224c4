"""A client's healthy shape, from a start with nothing wrong: which sockets it opens by itself, and what each is for.

The law: it is read from the folded start alone. Several starts are put together in `judge/shapes.py`. Pure: no I/O, no
clock.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from typing import Any

import msgspec

from brokercert.judge.tradovate.model.conversation import CREDENTIAL, Connection, Conversation, value_in
from brokercert.trace import Lane, Shape, TokenCall

MOST = 64  # sockets of a start: of more, nobody can say what each is for
LONGEST = 2_000  # bytes of a sync body that stands in every trace's header
OWN = ("authorize", "user/syncrequest")  # what its lane is known by; all else is work


def shape_of(talk: Conversation) -> Shape | None:
    """What this start shows; None where no upgrade was answered, or more than can be told apart."""
    sockets = [c for c in talk.connections.values() if c.upgraded]
    if not 0 < len(sockets) <= MOST:
        return None
    started, first = talk.started or 0, sockets[0].accepted
    by_key: dict[tuple[Any, ...], list[tuple[int, Connection]]] = {}
    for place, c in enumerate(sockets, 1):
        by_key.setdefault((endpoint_of(c), credential_of(c), sync_of(c), symbols_of(c)), []).append((place, c))
    return Shape(
        lanes=tuple(_lane(key, found, first) for key, found in by_key.items()),
        tokens=tuple(_token_calls(talk, started)),
        bare=sum(is_bare(c) for c in talk.connections.values()),
        start_up=min(c.accepted for c in talk.connections.values()) - started,
        watched=talk.end - first,
    )


def endpoint_of(c: Connection) -> str:
    """The path of its upgrade request."""
    return c.target.lower().rstrip("/")


def credential_of(c: Connection) -> str:
    """The kind of label that it authorized with, which is the same in every scenario; empty: none was seen."""
    found = CREDENTIAL.search(c.authorizes[0].text) if c.authorizes else None
    return found.group()[1:].partition("#")[0] if found else ""


def sync_of(c: Connection) -> str:
    """The body of its first sync request as canonical JSON, without a ticket; empty: it sent none. A long one is told
    by its SHA-256.
    """
    if not c.syncs:
        return ""
    text = msgspec.json.encode(c.syncs[0].untied, order="sorted")
    return text.decode() if len(text) <= LONGEST else hashlib.sha256(text).hexdigest()


def symbols_of(c: Connection) -> tuple[str, ...]:
    """What it asked quotes, charts or depth of, sorted."""
    asked = {str(value_in(q.body, "symbol")) for q in c.requests if q.endpoint.startswith("md/subscribe")}
    return tuple(sorted(asked))


def is_bare(c: Connection) -> bool:
    """A TCP connection that ended without having asked for anything."""
    return c.head is None and not c.rest and bool(c.ended)


def _lane(key: tuple[Any, ...], found: Sequence[tuple[int, Connection]], first: int) -> Lane:
    endpoint, credential, sync, symbols = key
    sockets = [c for _, c in found]
    count = most_at_once(sockets)
    own = sorted({q.endpoint for c in sockets for q in c.requests} - set(OWN))
    return Lane(
        endpoint=endpoint,
        credential=credential,
        sync=sync,
        symbols=symbols,
        count=count,
        places=tuple(place for place, _ in found)[:count],
        opened=tuple(c.accepted - first for c in sockets)[:count],
        beats=any(c.beats for c in sockets),
        requests=tuple(own),
    )


def most_at_once(sockets: Iterable[Connection]) -> int:
    """The most of these that lived at once: one that ended before the next was opened makes room for it."""
    most = 0
    living: list[Connection] = []
    for c in sockets:
        living = [x for x in living if not x.lost_before(c.accepted + 1)]
        living.append(c)
        most = max(most, len(living))
    return most


def _token_calls(talk: Conversation, started: int) -> Iterable[TokenCall]:
    paths = tuple(path.lstrip("/") for path in talk.token_paths)
    for call in talk.asides.rest:
        if call.endpoint.endswith(paths):
            yield TokenCall(endpoint=call.endpoint, t=call.t - started)
