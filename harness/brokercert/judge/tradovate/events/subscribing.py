"""Synchronisation, events and sharding: S2 §3, TP §4 to §6."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

from brokercert.judge.check import Breach, seconds
from brokercert.judge.tradovate.bench import Bench, check
from brokercert.judge.tradovate.messages.probe import judge_alive
from brokercert.judge.tradovate.model.conversation import Connection, Request, messages_of
from brokercert.verdict import Finding, Form, Verdict

# The 31 collections of the snapshot (TP §5.2), as singulars. No document shows a value of `entityTypes`, so singular
# and plural count, in any letter case.
ENTITY_TYPES = (
    "user userProperty property account accountRiskStatus marginSnapshot userAccountAutoLiq cashBalance currency"
    " position fillPair order contract contractMaturity product exchange spreadDefinition command commandReport"
    " executionReport orderVersion fill fillFee orderStrategy orderStrategyLink userPlugin annualReview userReadStatus"
    " userPromoCode contractGroup orderStrategyType"
).split()
EVENT_KINDS = ("props", "shutdown", "md", "chart", "clock")
EXPRESSIONS = ("modaccountid", "moduserid")


def plural(name: str) -> str:
    """`order` -> `orders`, `accountRiskStatus` -> `accountRiskStatuses`, `property` -> `properties`."""
    if name.endswith("y"):
        return name[:-1] + "ies"
    return name + ("es" if name.endswith("s") else "s")


_SINGULAR = {form.lower(): name for name in ENTITY_TYPES for form in (name, plural(name))}
KNOWN_TYPES = frozenset(_SINGULAR)


def logical_syncs(c: Connection) -> list[Request]:
    """The socket's sync requests, without those that retry one that was answered by a ticket."""
    logical: list[Request] = []
    for sync in c.syncs:
        ticketed = [s for s in c.syncs if s.t < sync.t and s.answer and s.answer.ticket and s.answer.t < sync.t]
        if not ticketed and sync.ticket is None:
            logical.append(sync)
        elif not logical:
            logical.append(sync)  # a ticket that travelled from another socket
    return logical


@check("EVT-010")
def check_one_sync(bench: Bench) -> Iterator[Finding]:
    """At most one logical `user/syncrequest` on each socket; a resend that carries its ticket is the same."""
    yield from one_sync(bench, bench.talk.synced)


def one_sync(bench: Bench, sockets: list[Connection]) -> Iterator[Finding]:
    """One logical sync on each of these sockets, over 20 s after its answer."""
    longest = 0
    clean = True
    for c in sockets:
        syncs = logical_syncs(c)
        if len(syncs) > 1:
            clean = False
            yield bench.breach(
                Form.AGAIN,
                f"{len(syncs)} sync requests on connection {c.id}, {seconds(syncs[1].t - syncs[0].t)} apart",
                "one `user/syncrequest` per socket lifecycle",
                [s.record for s in syncs],
                [bench.count("sync requests on one socket", len(syncs), 1)],
            )
        answer = next((s.answer for s in c.syncs if s.answer), None)
        if answer is not None:
            longest = max(longest, c.last_seen(bench.end) - answer.t)
    if not sockets or not clean:
        return
    if longest < bench.micros("window_single_sync"):
        yield bench.short(f"watched for {seconds(longest)} after the sync answer only")
    else:
        yield bench.ok(
            Form.RESTRAINT,
            f"one sync on each of {len(sockets)} socket(s)",
            [c.syncs[0].record for c in sockets],
            spare=longest - bench.micros("window_single_sync"),
        )


@check("EVT-020")
def check_sync_after_authentication(bench: Bench) -> Iterator[Finding]:
    """A sync request comes (on one socket of the lane at least), and only after authentication succeeded: never
    before authorize on its socket, nor while the answer to authorize is held back.
    """
    talk = bench.talk
    authorized = talk.authorized
    if not authorized and not talk.synced:
        return
    for c in talk.synced:
        first = c.syncs[0]
        if not c.authorizes or c.authorizes[0].record > first.record:
            yield bench.breach(
                Form.CONTENT,
                f"a sync request on connection {c.id} before any authorize",
                "authorize first, the sync request after its success",
                [first.record],
            )
            return
    judged = False
    for conn, start, end in talk.withheld_spans("authorize"):
        c = talk.connections[conn]
        early = [s for s in c.syncs if c.sent_meanwhile(s, start, end) and not c.granted_before(s)]
        if early:
            judged = True
            after = max(0, early[0].t - start)
            yield bench.breach(
                Form.CONTENT,
                f"a sync request {seconds(after)} after authorize, with its answer still held back",
                "the sync request only after authentication succeeded",
                [c.authorizes[0].record, early[0].record],
            )
        elif end - start >= bench.micros("withhold") and c.syncs:
            judged = True
            yield bench.ok(
                Form.RESTRAINT,
                f"the answer to authorize was held back for {seconds(end - start)}, and the sync request came after it",
                [c.authorizes[0].record, c.syncs[0].record],
            )
    if talk.synced:
        if not judged:
            first_sync = talk.synced[0].syncs[0]
            yield bench.ok(Form.SHOWN, "a sync request was sent after authorize", [first_sync.record])
        return
    answers = [c.authorized for c in authorized if c.authorized]
    watched = max(c.last_seen(bench.end) - c.authorized.t for c in authorized if c.authorized)
    if watched < bench.micros("window_first_sync") and talk.died() is None:
        if not any(bench.unprovoked(c) for c in authorized):
            yield bench.short(f"watched for {seconds(watched)} after the authorize answer only")
        return
    yield bench.breach(
        Form.ABSENCE,
        f"no sync request in {seconds(watched)} after the authorize answer{bench.exit_text()}",
        f"`user/syncrequest` within {bench.limit('window_first_sync'):g} s",
        [answers[0].record],
    )


def sync_defects(body: Any, reading: str) -> tuple[list[str], list[str]]:
    """What is wrong with a sync body under a reading: breaches of MUST, and of SHOULD."""
    if not isinstance(body, dict):
        return ["the body is no JSON object"], []
    wrong: list[str] = []
    types = body.get("entityTypes")
    present = {key for key in ("users", "accounts", "shardingExpression", "entityTypes") if body.get(key) is not None}
    retail = reading == "retail" and types is None and present & {"users", "accounts"}
    if not retail:
        if types is None:
            wrong.append("`entityTypes` is missing")
        elif not isinstance(types, list) or not types or not all(isinstance(x, str) and x for x in types):
            wrong.append("`entityTypes` is not a non-empty list of strings")
    if "users" in present and "entityTypes" in present:
        wrong.append("`users` together with `entityTypes`, which it excludes")
    for key in ("users", "accounts"):
        if key in present and "shardingExpression" in present:
            wrong.append(f"`{key}` together with `shardingExpression`, which it excludes")
    advice: list[str] = []
    if body.get("splitResponses") is not True:
        advice.append("`splitResponses` is not true")
    if isinstance(types, list):
        unknown = [x for x in types if isinstance(x, str) and x.lower() not in KNOWN_TYPES]
        if unknown:
            advice.append(f"entity types that no document names: {', '.join(map(repr, unknown[:5]))}")
    return wrong, advice


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
                "`splitResponses` true, and entity types that the documents name",
                [sync.record],
            )


@check("EVT-040")
def check_subscribes_to_what_it_relies_on(bench: Bench) -> Iterator[Finding]:
    """Before a loss and after it, the sockets together subscribe to every entity type that the client declares it
    relies on (`entity_types` in `brokercert.toml`); to more is no fault.
    """
    talk = bench.talk
    if not talk.synced:
        return
    declared = bench.header.entity_types
    if not declared:
        yield bench.short("the client declares no types: name those that it relies on in `[subject] entity_types`")
        return
    loss = min((c.loss.t for c in talk.synced if c.loss is not None and c.loss.by != "client"), default=None)
    before = [c for c in talk.synced if loss is None or c.accepted <= loss]
    after = [c for c in talk.synced if loss is not None and c.accepted > loss]
    for when, sockets in (("", before), (" after the loss", after)):
        if sockets:
            yield from _subscribes(bench, sockets, declared, when)


def _subscribes(bench: Bench, sockets: list[Connection], declared: tuple[str, ...], when: str) -> Iterator[Finding]:
    reading = bench.header.readings.get("sync-filter", "partner")
    evidence = [c.syncs[0].record for c in sockets]
    bodies = [body for c in sockets if isinstance(body := c.syncs[0].body, dict)]
    if reading == "retail" and any(body.get("entityTypes") is None for body in bodies):
        yield bench.ok(Form.SHOWN, f"without `entityTypes`, all types{when} (reading retail)", evidence)
        return
    lists = [types for body in bodies if isinstance(types := body.get("entityTypes"), list)]
    if not lists:
        yield bench.blocked("EVT-030", f"no sync request with a list of `entityTypes`{when}", evidence)
        return
    wanted = {_type_of(x) for types in lists for x in types if isinstance(x, str)}
    missing = [name for name in declared if _type_of(name) not in wanted]
    if missing:
        yield bench.breach(
            Form.ABSENCE,
            f"not subscribed{when}: {', '.join(missing)}, which the client declares it relies on",
            "every declared type in `entityTypes`, on one of its sockets",
            evidence,
        )
    else:
        further = len(wanted - {_type_of(name) for name in declared})
        yield bench.ok(
            Form.SHOWN, f"the {len(declared)} declared types are subscribed{when}, and {further} more", evidence
        )


def _type_of(name: str) -> str:
    """A type's name as it is compared: singular, in lower case; a name that is not known, as it is."""
    return _SINGULAR.get(name.lower(), name)


@check("EVT-100")
def check_sharding(bench: Bench) -> Iterator[Finding]:
    """N sockets with one divisor, each remainder 0..N-1 once at a time, one expression type, never together with
    `users` or `accounts`.
    """
    synced = bench.talk.synced
    if not synced:
        return
    wrong: list[tuple[Breach, str, list[int]]] = []
    live: list[Connection] = []
    best: set[int] = set()
    divisors: dict[int, int] = {}
    types: dict[str, int] = {}
    for c in sorted(synced, key=lambda c: c.syncs[0].t):
        sync = c.syncs[0]
        shard = sync.body.get("shardingExpression") if isinstance(sync.body, dict) else None
        if not isinstance(shard, dict):
            wrong.append((Form.CONTENT, f"connection {c.id} synced without a `shardingExpression`", [sync.record]))
            continue
        both = [key for key in ("users", "accounts") if sync.body.get(key) is not None]
        if both:
            wrong.append(
                (Form.CONTENT, f"connection {c.id}: `shardingExpression` together with `{both[0]}`", [sync.record])
            )
        divisor, remainder, kind = shard.get("divisor"), shard.get("remainder"), shard.get("expressionType")
        if not isinstance(kind, str) or kind.lower() not in EXPRESSIONS:
            wrong.append((Form.CONTENT, f"connection {c.id}: expression type {kind!r}", [sync.record]))
        if type(divisor) is not int or type(remainder) is not int or not 0 <= remainder < divisor:
            wrong.append(
                (Form.CONTENT, f"connection {c.id}: remainder {remainder!r} of divisor {divisor!r}", [sync.record])
            )
            continue
        divisors[divisor] = sync.record
        types[str(kind).lower()] = sync.record
        live = [o for o in live if o.loss is None or o.loss.t > sync.t]
        twin = [o for o in live if o.syncs[0].body["shardingExpression"]["remainder"] == remainder]
        if twin:
            wrong.append((Form.AGAIN, f"remainder {remainder} twice at a time", [twin[0].syncs[0].record, sync.record]))
        live.append(c)
        here = {o.syncs[0].body["shardingExpression"]["remainder"] for o in live}
        best = here if len(here) > len(best) else best
    if len(divisors) > 1:
        wrong.append((Form.CONTENT, f"different divisors: {sorted(divisors)}", list(divisors.values())))
    if len(types) > 1:
        wrong.append((Form.CONTENT, f"different expression types: {sorted(types)}", list(types.values())))
    if len(divisors) == 1 and not wrong:
        missing = sorted(set(range(next(iter(divisors)))) - best)
        if missing:
            wrong.append((Form.ABSENCE, f"no socket for remainder(s) {missing}", list(divisors.values())))
    for form, text, evidence in wrong:
        yield bench.breach(form, text, "each remainder once, of one divisor and one expression type", evidence)
    if wrong:
        return
    settled = max(c.syncs[0].t for c in synced)
    if bench.end - settled < bench.micros("window_default"):
        yield bench.short(f"watched for {seconds(bench.end - settled)} after the last shard's sync only")
    else:
        divisor = next(iter(divisors), 0)
        yield bench.ok(Form.RESTRAINT, f"{divisor} shards, each once", [c.syncs[0].record for c in synced])


def is_unknown(message: Any) -> bool:
    """An element of an `a[...]` that a client of today cannot know: an event kind or entity type of tomorrow."""
    if not isinstance(message, dict) or "e" not in message:
        return False
    if message["e"] not in EVENT_KINDS:
        return True
    data = message.get("d")
    kind = data.get("entityType") if isinstance(data, dict) else None
    return message["e"] == "props" and isinstance(kind, str) and kind.lower() not in KNOWN_TYPES


@check("EVT-110")
def check_unknown_ignored(bench: Bench) -> Iterator[Finding]:
    """Unknown event kinds, entity types and extra fields are ignored: no disconnect, and the same socket lives on."""
    for c in bench.talk.working():
        strange = [
            (t, number)
            for t, number, text in c.data_sent
            if text.startswith("a") and any(map(is_unknown, messages_of(text) or ()))
        ]
        if strange:
            yield from judge_alive(bench, c, strange, reconnect_allowed=False, what="unknown message")
