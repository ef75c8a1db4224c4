"""Which synchronisation a client asks for, and when: S2 §3, TP §5."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from brokercert.judge.check import seconds
from brokercert.judge.moments import records_of
from brokercert.judge.tradovate.bench import Bench, check
from brokercert.judge.tradovate.model.conversation import Connection, Request, texts_in
from brokercert.judge.tradovate.model.entity_types import KNOWN_TYPES, is_documented, type_of
from brokercert.judge.tradovate.model.syncs import one_sync
from brokercert.verdict import Finding, Form, Verdict


@check("EVT-010")
def check_one_sync(bench: Bench) -> Iterator[Finding]:
    """At most one logical `user/syncrequest` on each socket; a resend that carries its ticket is the same."""
    yield from one_sync(bench, bench.talk.synced)


@check("EVT-020")
def check_sync_after_authentication(bench: Bench) -> Iterator[Finding]:
    """A sync request comes (on one socket of the lane at least), and only after authentication succeeded: never
    before authorize on its socket, nor before its answer, nor after a refusal.
    """
    talk = bench.talk
    if not talk.authorized and not talk.synced:
        return
    premature = next(filter(None, (_premature(bench, c) for c in talk.synced)), None)
    if premature is not None:
        yield premature
    else:
        yield from _after_authorize(bench)


def _premature(bench: Bench, c: Connection) -> Finding | None:
    """A breach, where the socket's first sync request came with no success before it, and the trace shows that."""
    first = c.syncs[0]
    asked = next((a for a in reversed(c.authorizes) if a.record < first.record), None)
    how = "before any authorize" if asked is None else _unsuccessful(c, first, asked)
    if not how:
        return None
    read = asked.answer if asked is not None and asked.answer is not None and not first.precedes(asked.answer) else None
    return bench.breach(
        Form.CONTENT,
        f"a sync request on connection {c.id} {how}",
        "authorize first, the sync request after its success",
        records_of(asked, read, first),
    )


def _unsuccessful(c: Connection, first: Request, asked: Request) -> str:
    """How the sync request came without a success: authorize had been refused, or was not answered yet. Nothing, where
    it came after a 200 that is no success: of that LOG-100 speaks.
    """
    answer = asked.answer
    if c.granted_before(first):
        return ""
    if answer is None or first.precedes(answer):
        return f"{seconds(first.t - asked.t)} after authorize, which was not answered yet"
    if 200 <= answer.status < 300:
        return ""
    return f"{seconds(first.t - answer.t)} after authorize had been answered with {answer.status}"


def _after_authorize(bench: Bench) -> Iterator[Finding]:
    """No sync request came before a success: whether its answer was held back for long enough, or none came at all."""
    talk = bench.talk
    held_back = list(_while_held_back(bench))
    yield from held_back
    if not talk.synced:
        yield from _never_synced(bench)
    elif not held_back:
        yield bench.ok(Form.SHOWN, "a sync request was sent after authorize", [talk.synced[0].syncs[0].record])


def _while_held_back(bench: Bench) -> Iterator[Finding]:
    """The praise of a client that waited while the answer was held back; nothing where it never was for long enough."""
    for conn, start, end in bench.talk.withheld_spans("authorize"):
        c = bench.talk.connections[conn]
        if end - start >= bench.micros("withhold") and c.syncs:
            yield bench.ok(
                Form.RESTRAINT,
                f"the answer to authorize was held back for {seconds(end - start)}, and the sync request came after it",
                [c.authorizes[0].record, c.syncs[0].record],
            )


def _never_synced(bench: Bench) -> Iterator[Finding]:
    """No sync request came: a breach, once the client was watched; LOG-060 judges one that left a healthy server."""
    granted = bench.talk.granted
    c, answer = max(granted, key=lambda one: one[0].last_seen(bench.seen) - one[1].t)
    watch = bench.owed(answer.t, bench.micros("window_first_sync"), c.last_seen(bench.seen))
    if watch.short and any(bench.unprovoked(c) for c, _ in granted):
        return
    yield watch.missing(
        f"no sync request in {watch} after the authorize answer",
        f"`user/syncrequest` within {bench.limit('window_first_sync'):g} s",
        [answer.record],
        short=f"watched for {watch} after the authorize answer only",
    )


def sync_defects(body: Any, reading: str) -> tuple[list[str], list[str]]:
    """What is wrong with a sync body under a reading: breaches of MUST, and of SHOULD."""
    if not isinstance(body, dict):
        return ["the body is no JSON object"], []
    types = body.get("entityTypes")
    retail = reading == "retail" and types is None and any(body.get(key) is not None for key in ("users", "accounts"))
    return [*([] if retail else _types_defects(types)), *_exclusions(body)], _advice(body)


def _types_defects(types: Any) -> list[str]:
    if types is None:
        return ["`entityTypes` is missing"]
    if not isinstance(types, list) or not types or not all(isinstance(x, str) and x for x in types):
        return ["`entityTypes` is not a non-empty list of strings"]
    return []


EXCLUDES = (  # TP §5.1: a field of a sync request, and one that it may not stand together with
    ("users", "entityTypes"),
    ("users", "shardingExpression"),
    ("accounts", "shardingExpression"),
)


def _exclusions(body: dict[str, Any]) -> list[str]:
    return [
        f"`{field}` together with `{other}`, which it excludes"
        for field, other in EXCLUDES
        if body.get(field) is not None and body.get(other) is not None
    ]


def _advice(body: dict[str, Any]) -> list[str]:
    advice = [] if body.get("splitResponses") is True else ["`splitResponses` is not true"]
    names = texts_in(body.get("entityTypes"))
    unknown = [name for name in names if name.lower() not in KNOWN_TYPES]
    if unknown:
        advice.append(f"entity types that no document names: {', '.join(map(repr, unknown[:5]))}")
    spelt = [name for name in names if name.lower() in KNOWN_TYPES and not is_documented(name)]
    if spelt:
        shown = ", ".join(f"{name!r} for {type_of(name)!r}" for name in spelt[:5])
        advice.append(f"entity types in another form than the documents show: {shown}")
    return advice


@check("EVT-030")
def check_sync_correct(bench: Bench) -> Iterator[Finding]:
    """The sync body: `entityTypes` a non-empty list of strings, no field together with one it excludes; under the
    reading *retail*, `users` or `accounts` alone is right too.
    """
    reading = bench.header.readings.get("sync-filter", "partner")
    other = "retail" if reading == "partner" else "partner"
    for c in bench.talk.synced:
        sync = c.syncs[0]
        wrong, advice = sync_defects(sync.body, reading)
        elsewhere = Verdict.FAIL if sync_defects(sync.body, other)[0] else Verdict.PASS
        note = f"reading {reading}; under {other}: {elsewhere}"
        if wrong:
            yield bench.breach(
                Form.CONTENT, f"connection {c.id}: {'; '.join(wrong)} ({note})", "a correct sync request", [sync.record]
            )
        else:
            yield bench.ok(Form.SHOWN, f"connection {c.id}: correct ({note})", [sync.record])
        if advice:
            yield bench.warn(
                Form.CONTENT,
                f"connection {c.id}: {'; '.join(advice)}",
                "`splitResponses` true, and entity types as the documents name them",
                [sync.record],
            )


@check("EVT-040")
def check_subscribes_to_what_it_relies_on(bench: Bench) -> Iterator[Finding]:
    """Before a loss and after it, the sockets together subscribe to every entity type that the client declares it
    relies on (`entity_types` in `brokercert.toml`); to more is no fault.
    """
    if not bench.talk.synced:
        return
    declared = bench.header.entity_types
    if not declared:
        yield bench.short("the client declares no types: name those that it relies on in `[subject] entity_types`")
        return
    for when, sockets in _around_losses(bench):
        yield _subscribes(bench, sockets, declared, when)


def _around_losses(bench: Bench) -> Iterator[tuple[str, list[Connection]]]:
    """The synced sockets that lived up to each loss that was not the client's doing, and up to the end. Fewer than
    before the first loss are on their way back: of them nothing is said, but that all after it are looked at together.
    """
    synced = bench.talk.synced
    ends = sorted(c.loss.t for c in synced if c.loss is not None and c.loss.by != "client")
    first = [c for c in synced if c.accepted <= (ends[0] if ends else bench.talk.now)]
    later = [c for c in synced if c not in first]
    yield "", first
    if later:
        yield " after the loss", later
    for when, living in _living_after(bench, later, ends[1:]):
        if len(living) >= len(first) and living != later:
            yield when, living


def _living_after(bench: Bench, later: list[Connection], ends: list[int]) -> Iterator[tuple[str, list[Connection]]]:
    """Of these sockets, those that lived up to each of these ends, and up to the end of all."""
    for until in ends:
        lasting = until - bench.micros("one_loss")
        yield (
            " after a further loss",
            [c for c in later if c.accepted < until and (c.loss is None or c.loss.t >= lasting)],
        )
    yield " after the last loss", [c for c in later if c.loss is None]


def _subscribes(bench: Bench, sockets: list[Connection], declared: tuple[str, ...], when: str) -> Finding:
    """Whether these sockets together subscribe to what the client declares; `when` says which sockets they are."""
    evidence = [c.syncs[0].record for c in sockets]
    bodies = _bodies(sockets)
    if _asks_for_all(bench, bodies):
        return bench.ok(Form.SHOWN, f"without `entityTypes`, all types{when} (reading retail)", evidence)
    if not any(isinstance(body.get("entityTypes"), list) for body in bodies):
        return bench.blocked("EVT-030", f"no sync request with a list of `entityTypes`{when}", evidence)
    wanted = {type_of(name) for body in bodies for name in texts_in(body.get("entityTypes"))}
    return _all_declared(bench, wanted, declared, when, evidence)


def _bodies(sockets: list[Connection]) -> list[dict[str, Any]]:
    """The bodies of their first sync requests that are JSON objects."""
    return [body for c in sockets if isinstance(body := c.syncs[0].body, dict)]


def _all_declared(bench: Bench, wanted: set[str], declared: tuple[str, ...], when: str, evidence: list[int]) -> Finding:
    """Whether every declared type is among those that are subscribed."""
    relied = {type_of(name) for name in declared}
    missing = [name for name in declared if type_of(name) not in wanted]
    if not missing:
        said = f"the {len(declared)} declared types are subscribed{when}, and {len(wanted - relied)} more"
        return bench.ok(Form.SHOWN, said, evidence)
    return bench.breach(
        Form.ABSENCE,
        f"not subscribed{when}: {', '.join(missing)}, which the client declares it relies on",
        "every declared type in `entityTypes`, on one of its sockets",
        evidence,
    )


def _asks_for_all(bench: Bench, bodies: list[dict[str, Any]]) -> bool:
    """Whether one of the requests names no types, under the reading by which that is all of them."""
    retail = bench.header.readings.get("sync-filter", "partner") == "retail"
    return retail and any(body.get("entityTypes") is None for body in bodies)
