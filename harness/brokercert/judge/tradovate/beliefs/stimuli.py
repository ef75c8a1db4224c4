"""What the client believes after each kind of stimulus: EVT-050 to EVT-080, EVT-120, EVT-130, REC-040 (S2 §3, §5).

The law: whether the stimulus came is read from the frames (a repetition, a batch, an event before the sync answer), and
a point of comparison counts for a row once its stimulus came before it. What equal means is `state.py`'s.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from brokercert.judge.check import seconds
from brokercert.judge.tradovate.beliefs.compared import compare_at, scope_at, why_nothing
from brokercert.judge.tradovate.bench import Bench, check
from brokercert.judge.tradovate.model.differences import TERMINAL, Scope
from brokercert.judge.tradovate.model.props import Prop, props_of, props_on
from brokercert.verdict import Finding, Form

MINE = "of a type that the client subscribed to and relies on"
MANY = 4  # messages in a frame: three are told of every new order, so that a client may know those by heart


def compared_after(
    bench: Bench, shown: Sequence[int], lacking: str, clauses: frozenset[str] = frozenset()
) -> Iterator[Finding]:
    """The comparisons after the first of the records `shown`, which carry the stimulus; `lacking` says what did not
    come. A client that was ended by the stimulus believes nothing any more: that is a breach, unless it left a healthy
    server, which LOG-060 forbids.
    """
    talk = bench.talk
    if not talk.synced:
        return
    if not shown:
        scope = _scope(bench)
        yield bench.short(lacking if scope.kinds else why_nothing(scope))
        return
    first = min(shown)
    died = talk.died()
    if died is not None and died[1] > first:
        if not any(bench.unprovoked(c) for c in talk.working()):
            yield bench.breach(
                Form.ENDING,
                f"the client was gone {seconds(died[0])} into the scenario{bench.exit_text()}",
                "a client that lives on, and knows what is true",
                [first, *bench.left(first)],
                clause="gone",
            )
        return
    for name, (_, number, _) in talk.told.ledgers.items():
        if number > first:
            yield from compare_at(bench, name, clauses)


@check("EVT-050")
def check_events_applied(bench: Bench) -> Iterator[Finding]:
    """After a flow of orders the client's state is the broker's ledger, field by field."""
    shown = [prop.record for prop in _live(bench)]
    yield from compared_after(bench, shown, f"no event {MINE} came")


@check("EVT-060")
def check_repetition_changes_nothing(bench: Bench) -> Iterator[Finding]:
    """After events that came twice, word for word, the client's state is the broker's ledger."""
    shown: list[int] = []
    scope = _scope(bench)
    for c in bench.talk.synced:
        known: set[bytes] = set()
        for prop in props_on(c):
            if prop.content in known and scope.covers(prop.kind):
                shown.append(prop.record)
            known.add(prop.content)
    yield from compared_after(bench, shown, f"no event came twice {MINE}")


@check("EVT-070")
def check_whole_frames_processed(bench: Bench) -> Iterator[Finding]:
    """After frames of many messages, an answer among events in one of them, the client's state is the broker's
    ledger.
    """
    scope = _scope(bench)
    shown = [prop.record for prop in props_of(bench.talk) if prop.company >= MANY and scope.covers(prop.kind)]
    yield from compared_after(bench, shown, f"no frame of {MANY} messages came with one {MINE}")


@check("EVT-080")
def check_early_events_count(bench: Bench) -> Iterator[Finding]:
    """After events between the sync request and its answer, which tells an older state, the client's is the ledger."""
    scope = _scope(bench)
    shown = [
        prop.record
        for c in bench.talk.synced
        if c.synced is not None
        for prop in props_on(c)
        if c.syncs[0].record < prop.record < c.synced.record and scope.covers(prop.kind)
    ]
    yield from compared_after(bench, shown, f"no event came before the sync answer {MINE}")


@check("EVT-120")
def check_arrays_and_deletions(bench: Bench) -> Iterator[Finding]:
    """After events whose `entity` is an array, and after deletions, the client's state is the broker's ledger: what
    was deleted is not in it.
    """
    live = _live(bench)
    shown = [prop.record for prop in live if prop.array or prop.change == "Deleted"]
    yield from compared_after(bench, shown, f"no array and no deletion came {MINE}")


@check("EVT-130")
def check_finished_orders_stay_finished(bench: Bench) -> Iterator[Finding]:
    """After a late update of a finished order, that order is finished with the client, or not there."""
    shown: list[int] = []
    finished: set[str] = set()
    for prop in _live(bench):
        ident = str(prop.entity.get("id"))
        if prop.kind != "order" or prop.change == "Deleted":
            continue
        if str(prop.entity.get("ordStatus")).lower() in TERMINAL:
            finished.add(ident)
        elif ident in finished:
            shown.append(prop.record)
    lacking = "no late update of a finished order came: the client subscribed to no orders, or does not rely on them"
    yield from compared_after(bench, shown, lacking, frozenset({"order.ordStatus"}))


@check("REC-040")
def check_state_after_a_loss(bench: Bench) -> Iterator[Finding]:
    """After a loss and the new sync, the client's state is the broker's ledger, whatever happened while it was away."""
    yield from state_after_a_loss(bench)


def state_after_a_loss(bench: Bench) -> Iterator[Finding]:
    """Every point of comparison after the first socket that synced anew; nothing where none did."""
    answers = synced_anew(bench)
    if answers:
        yield from compared_after(bench, answers, "")


def synced_anew(bench: Bench) -> list[int]:
    """Records of the sync answers on sockets that were accepted after a loss."""
    synced = bench.talk.synced
    losses = [c.loss.t for c in synced if c.synced is not None and c.loss is not None]
    if not losses:
        return []
    return [c.synced.record for c in synced if c.synced is not None and c.accepted > min(losses)]


def _live(bench: Bench) -> list[Prop]:
    """The events that came after the sync answer of their socket, and bear on what is compared: others show nothing, so
    that a client which relies on accounts alone is not praised for a flow of orders.
    """
    scope = _scope(bench)
    return [
        prop
        for c in bench.talk.synced
        if c.synced is not None
        for prop in props_on(c)
        if prop.record > c.synced.record and scope.covers(prop.kind)
    ]


def _scope(bench: Bench) -> Scope:
    return scope_at(bench.talk, bench.header.entity_types)
