"""What a start with nothing wrong showed of a Tradovate client, in sentences: logins, syncs, heartbeats.

The law: it says what came, and judges nothing. Pure: no I/O, no clock.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence

import msgspec

from brokercert.judge.moments import Moment
from brokercert.judge.tradovate.model.conversation import (
    CREDENTIAL,
    SECOND,
    Answer,
    Connection,
    Conversation,
    Request,
    value_in,
)
from brokercert.judge.tradovate.model.shape import OWN
from brokercert.trace.names import WindowName

PART = re.compile(r"«part of [^»]+»")  # of a secret, or of several
WORDS = {"access-token": "an access token", "md-token": "a market-data token", "password": "a password", "sec": "sec"}
LONGEST = 200  # characters of a sync body that a line bears
MANY = 4  # endpoints that are named
ON_ARRIVAL = SECOND // 2  # a beat that comes no later after a message may have been made by it


def seen_of(talk: Conversation, limits: Mapping[str, float]) -> Iterator[str]:
    """Of each socket that was upgraded, and then of the heartbeats of all."""
    sockets = [c for c in talk.connections.values() if c.upgraded]
    for number, c in enumerate(sockets, 1):
        where = f"on socket {number} it" if len(sockets) > 1 else "it"
        yield f"{where} {_login(c)}"
        yield f"{where} {_sync(c)}"
        asked = sorted({q.endpoint for q in c.requests} - set(OWN))
        if asked:
            more = f" and {len(asked) - MANY} more" if asked[MANY:] else ""
            yield f"{where} also asked for {', '.join(asked[:MANY])}{more}"
    if any(c.authorized for c in sockets):
        yield f"it {_beats(talk, [c for c in sockets if c.authorized])}"


def _login(c: Connection) -> str:
    if not c.authorizes:
        return "sent no authorize"
    first = c.authorizes[0]
    return f"sent authorize {_bearing(first.text)}: {_answered(first)}{_more(c.authorizes)}"


def _bearing(text: str) -> str:
    """What a body of authorize holds, as far as labels tell that."""
    if not text.strip():
        return "without a token"
    label = CREDENTIAL.search(text)
    if label is not None:
        kind = label.group()[1:].partition("#")[0]
        return f"with {WORDS.get(kind, kind)} ({label.group()})"
    part = PART.search(text)
    if part is not None:
        return f"with a part of what the broker gave ({part.group()})"
    return "with something that is no token of the broker's"


def _more(requests: Sequence[Request]) -> str:
    """How many of the kind came after the first, of which alone is told."""
    return f"; {len(requests) - 1} more followed" if requests[1:] else ""


def _sync(c: Connection) -> str:
    if not c.syncs:
        return "sent no user/syncrequest"
    first = c.syncs[0]
    return f"sent user/syncrequest with {_shown(first)}: {_answered(first)}{_more(c.syncs)}"


def _shown(request: Request) -> str:
    """Its body as JSON, as far as a line bears it."""
    if request.body is None:
        return "no body"
    text = msgspec.json.encode(request.body, order="sorted").decode()
    return text if len(text) <= LONGEST else f"{text[: LONGEST - 1]}…"


def _answered(request: Request) -> str:
    answer = request.answer
    if answer is None:
        return "no answer had been written by the end"
    return "answered with success" if answer.ok else f"answered with {answer.status}{_why(answer)}"


def _why(answer: Answer) -> str:
    if answer.ticket:
        return " and a ticket"
    text = value_in(answer.data, "errorText")
    return f", {text}" if isinstance(text, str) and text else ""


def _beats(talk: Conversation, sockets: Sequence[Connection]) -> str:
    """How often, and whether something that came made it beat: only a time in which nothing came can tell."""
    beats = sorted((beat for c in sockets for beat in c.beats), key=lambda beat: beat.t)
    if not beats:
        return "sent no heartbeat (`[]`)"
    told = f"sent a heartbeat (`[]`) {_times(len(beats))}{_gap(sockets)}"
    if any(not _follows(beat, c) for c in sockets for beat in c.beats):
        return f"{told}, by a timer: some came more than {ON_ARRIVAL / SECOND:g} s after the broker's last message"
    hushed = [t - record.since for t, _, record in talk.windows if record.name == WindowName.HUSHED]
    if not hushed:
        return f"{told}, each just after a message; whether by a timer was not looked at"
    length = f"{hushed[0] / SECOND:.1f} s in which the broker said nothing by itself"
    return f"{told}, each just after a message and none in {length}: it may answer `h`, where a timer is asked for"


def _follows(beat: Moment, c: Connection) -> bool:
    """Whether a message came just before it."""
    return any(beat.t - ON_ARRIVAL <= sent.t <= beat.t for sent in c.sent)


def _gap(sockets: Iterable[Connection]) -> str:
    """The longest time between two heartbeats of one socket."""
    pairs = (pair for c in sockets for pair in zip(c.beats, c.beats[1:], strict=False))
    gaps = [later.t - earlier.t for earlier, later in pairs]
    return f", at most {max(gaps) / SECOND:.1f} s apart" if gaps else ""


def _times(count: int) -> str:
    return "once" if count == 1 else f"{count} times"
