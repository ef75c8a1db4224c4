"""What the client believes after each kind of stimulus: EVT-050 to EVT-080, EVT-120, EVT-130 (S2 §3).

The law: whether the stimulus came is read from the frames: a repetition, a batch, an event before the sync answer. A
point of comparison counts for a row once the row's stimulus came before it.
"""

from __future__ import annotations

from collections.abc import Iterator

from brokercert.judge.tradovate.bench import Bench, check
from brokercert.judge.tradovate.model.compared import compared_after, scope_of_client
from brokercert.judge.tradovate.model.differences import TERMINAL
from brokercert.judge.tradovate.model.props import Prop, props_of, props_on
from brokercert.verdict import Finding

MINE = "of a type that the client subscribed to and relies on"


@check("EVT-050")
def check_events_applied(bench: Bench) -> Iterator[Finding]:
    """After a flow of orders the client's state is the broker's ledger, field by field."""
    shown = [prop.record for prop in _live(bench)]
    yield from compared_after(bench, shown, f"no event {MINE} came")


@check("EVT-060")
def check_repetition_changes_nothing(bench: Bench) -> Iterator[Finding]:
    """After events that came twice, word for word, the client's state is the broker's ledger."""
    shown: list[int] = []
    scope = scope_of_client(bench)
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
    scope, many = scope_of_client(bench), round(bench.limit("frame_messages"))
    shown = [prop.record for prop in props_of(bench.talk) if prop.company >= many and scope.covers(prop.kind)]
    yield from compared_after(bench, shown, f"no frame of {many} messages came with one {MINE}")


@check("EVT-080")
def check_early_events_count(bench: Bench) -> Iterator[Finding]:
    """After events between the sync request and its answer, which tells an older state, the client's is the ledger."""
    scope = scope_of_client(bench)
    shown = [
        prop.record
        for c, answer in bench.talk.caught_up
        for prop in props_on(c)
        if c.syncs[0].record < prop.record < answer.record and scope.covers(prop.kind)
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


def _live(bench: Bench) -> list[Prop]:
    """The events that came after the sync answer of their socket, and bear on what is compared.

    Others show nothing: a client that relies on accounts alone is not praised for a flow of orders.
    """
    scope = scope_of_client(bench)
    return [
        prop
        for c, answer in bench.talk.caught_up
        for prop in props_on(c)
        if prop.record > answer.record and scope.covers(prop.kind)
    ]
