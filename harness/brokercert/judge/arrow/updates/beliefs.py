"""What the client believes of its orders, compared with the broker's (AR Message Format)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

from brokercert.judge.arrow.bench import BOTH, ArrowBench, check
from brokercert.judge.arrow.edition import TERMINAL, Edition
from brokercert.judge.arrow.model import Update
from brokercert.judge.check import seconds
from brokercert.judge.moments import Noted
from brokercert.judge.told import Snapshot
from brokercert.verdict import Finding, Form

Orders = dict[str, Mapping[str, Any]]


def told_orders(edition: Edition, shot: Snapshot) -> Orders:
    """The orders of a snapshot by id: a list, or an object with ids as keys; `order` or `orders`."""
    for name, value in shot.entities.items():
        if name.lower() in ("order", "orders") and isinstance(value, dict | list):
            return _by_id(edition, value)
    return {}


def _by_id(edition: Edition, value: dict[str, Any] | list[Any]) -> Orders:
    if isinstance(value, list):
        return {str(edition.value(x, edition.order)): x for x in value if isinstance(x, dict)}
    idents = {key: edition.value(x, edition.order) for key, x in value.items() if isinstance(x, dict)}
    return {str(key if ident is None else ident): value[key] for key, ident in idents.items()}


def _same(field: str, expected: Any, actual: Any) -> bool:
    if field == "orderStatus":
        return isinstance(actual, str) and actual.strip().upper() == expected.upper()
    if isinstance(actual, bool) or actual is None:
        return False
    try:
        return Decimal(str(expected)) == Decimal(str(actual).strip())
    except InvalidOperation:
        return False


def differences(edition: Edition, ledger: Mapping[str, Any], shot: Snapshot) -> list[str]:
    """What the client believes wrongly. Orders that are over may be left out."""
    told = told_orders(edition, shot)
    true: Mapping[str, Mapping[str, Any]] = ledger.get("order", {})
    wrong = [text for ident, order in true.items() for text in _differs(edition, ident, order, told.get(ident))]
    return wrong + [f"order {ident} does not exist" for ident in told if ident not in true]


def _differs(edition: Edition, ident: str, order: Mapping[str, Any], mine: Mapping[str, Any] | None) -> list[str]:
    over = order["orderStatus"] in TERMINAL
    if mine is None:
        return [] if over else [f"order {ident} ({order['orderStatus']}) is not known"]
    fields = [f for f in edition.compared if not (over and f == edition.pending)]
    return [
        f"order {ident}: {f} is {order[f]!r}, the client says {edition.value(mine, f)!r}"
        for f in fields
        if not _same(f, order[f], edition.value(mine, f))
    ]


EXPECTED = "the client's orders are the broker's"


def compared(bench: ArrowBench, names: str, expected: str = EXPECTED) -> Iterator[Finding]:
    """One finding for each point of comparison whose name begins so: the last snapshot asked for at it counts."""
    points = sorted((ledger.t, ledger.record, name) for name, ledger in bench.talk.told.ledgers.items())
    ends = [*(t for t, _, _ in points[1:]), bench.talk.now]
    for (t, _, name), until in zip(points, ends, strict=True):
        shots = [shot for shot in bench.talk.told.snapshots if t <= shot.asked <= until]
        if shots and name.startswith(names):
            yield _believed(bench, name, bench.talk.told.ledgers[name], shots, expected)


def _believed(
    bench: ArrowBench, name: str, ledger: Noted[dict[str, Any]], shots: list[Snapshot], expected: str
) -> Finding:
    right = next((shot for shot in shots if not differences(bench.edition, ledger.what, shot)), None)
    if right is not None:
        return bench.ok(Form.SHOWN, f"equal to the broker's at {name}", [ledger.record, right.record], (), name)
    last = shots[-1]
    evidence = [ledger.record, last.record]
    if last.asked - ledger.t < bench.micros("snapshot_settle"):
        return bench.short(f"asked {seconds(last.asked - ledger.t)} after the last event only", evidence, name)
    wrong = differences(bench.edition, ledger.what, last)
    more = f" (and {len(wrong) - 1} more)" if len(wrong) > 1 else ""
    return bench.breach(Form.ABSENCE, f"{wrong[0]}{more}", expected, evidence, clause=name)


@check("AOU-010")
def check_understood(bench: ArrowBench) -> Iterator[Finding]:
    """After every type of update and every status, the client's orders are the broker's."""
    yield from compared(bench, "life")


@check("AOU-030", *BOTH)
def check_missed(bench: ArrowBench) -> Iterator[Finding]:
    """What happened while the client was away is known to it after the reconnect."""
    yield from compared(bench, "away")


@check("AOU-070", *BOTH)
def check_cleared(bench: ArrowBench) -> Iterator[Finding]:
    """Orders that are over leave the tracking map within the declared time."""
    over = dict(bench.talk.ends())
    due = max((end.t for end in over.values()), default=0) + bench.micros("clear_terminal")
    late = [shot for shot in bench.talk.told.snapshots if shot.asked >= due]
    if over and late:
        yield _cleared(bench, over, late[-1])


def _cleared(bench: ArrowBench, over: dict[str, Update], shot: Snapshot) -> Finding:
    """Whether the orders that are over have left the map by that snapshot."""
    kept = sorted(over.keys() & told_orders(bench.edition, shot).keys())
    if kept:
        end = over[kept[0]]
        return bench.breach(
            Form.ABSENCE,
            f"order {kept[0]} was still in the map {seconds(shot.asked - end.t)} after it was over",
            f"cleared within {bench.limit('clear_terminal'):g} s",
            [end.record, shot.record],
        )
    return bench.ok(Form.SHOWN, f"{len(over)} finished order(s) were cleared", [shot.record])
