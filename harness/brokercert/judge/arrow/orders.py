"""Order updates: understood, told once, fetched when missed, validated, cleared, tracked (AR Message Format)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from decimal import Decimal, InvalidOperation
from typing import Any

from brokercert.judge.arrow.bench import ArrowBench, check
from brokercert.judge.arrow.updates import TERMINAL, Update, object_of
from brokercert.judge.attempts import attempts_of
from brokercert.judge.check import Breach, seconds
from brokercert.judge.told import Snapshot
from brokercert.judge.tradovate.messages.probe import up_to
from brokercert.judge.transcript import SECOND
from brokercert.verdict import Finding, Form

COMPARED = ("orderStatus", "quantity", "filledQuantity", "pendingQuantity", "averagePrice")
SOON = 2 * SECOND
KEEP_ALIVE = "keep-alive"  # the type of the object that a healthy mock sends in a quiet market
Orders = dict[str, Mapping[str, Any]]


def told_orders(shot: Snapshot) -> Orders:
    """The orders of a snapshot by id: a list, or an object with ids as keys; `order` or `orders`."""
    for name, value in shot.entities.items():
        if name.lower() not in ("order", "orders"):
            continue
        if isinstance(value, dict):
            return {str(x.get("orderId", key)): x for key, x in value.items() if isinstance(x, dict)}
        if isinstance(value, list):
            return {str(x.get("orderId")): x for x in value if isinstance(x, dict)}
    return {}


def _same(expected: Any, actual: Any) -> bool:
    if isinstance(expected, str):
        return isinstance(actual, str) and actual.strip().upper() == expected.upper()
    if isinstance(actual, bool) or actual is None:
        return False
    try:
        return Decimal(str(expected)) == Decimal(str(actual).strip())
    except InvalidOperation:
        return False


def differences(ledger: Mapping[str, Any], shot: Snapshot) -> list[str]:
    """What the client believes wrongly. Orders that are over may be left out."""
    told = told_orders(shot)
    true: Mapping[str, Mapping[str, Any]] = ledger.get("order", {})
    wrong = []
    for ident, order in true.items():
        over = order["orderStatus"] in TERMINAL
        mine = told.get(ident)
        if mine is None:
            if not over:
                wrong.append(f"order {ident} ({order['orderStatus']}) is not known")
            continue
        fields = [f for f in COMPARED if not (over and f == "pendingQuantity")]
        wrong += [
            f"order {ident}: {f} is {order[f]!r}, the client says {mine.get(f)!r}"
            for f in fields
            if not _same(order[f], mine.get(f))
        ]
    wrong += [f"order {ident} does not exist" for ident in told if ident not in true]
    return wrong


def _compared(bench: ArrowBench, names: str) -> Iterator[Finding]:
    """One finding for each point of comparison whose name begins so: the last snapshot asked for at it counts."""
    talk = bench.talk
    points = sorted((t, number, name, state) for name, (t, number, state) in talk.told.ledgers.items())
    for place, (t, number, name, state) in enumerate(points):
        if not name.startswith(names):
            continue
        until = points[place + 1][0] if place + 1 < len(points) else talk.now
        shots = [shot for shot in talk.told.snapshots if t <= shot.asked <= until]
        if not shots:
            continue
        right = next((shot for shot in shots if not differences(state, shot)), None)
        if right is not None:
            yield bench.ok(Form.SHOWN, f"equal to the broker's at {name}", [number, right.record], (), name)
            continue
        last = shots[-1]
        if last.asked - t < bench.micros("snapshot_settle"):
            yield bench.short(f"asked {seconds(last.asked - t)} after the last event only", [number, last.record], name)
            continue
        wrong = differences(state, last)
        more = f" (and {len(wrong) - 1} more)" if len(wrong) > 1 else ""
        yield bench.breach(
            Form.ABSENCE, f"{wrong[0]}{more}", "the client's orders are the broker's", [number, last.record], (), name
        )


@check("AOU-010")
def check_understood(bench: ArrowBench) -> Iterator[Finding]:
    """After every type of update and every status, the client's orders are the broker's."""
    yield from _compared(bench, "life")


@check("AOU-030")
def check_missed(bench: ArrowBench) -> Iterator[Finding]:
    """What happened while the client was away is known to it after the reconnect."""
    yield from _compared(bench, "away")


def _seen(bench: ArrowBench, update: Update) -> bool:
    c = bench.talk.connections[update.conn]
    return c.heard(update.t) and update.t + SOON <= bench.end


def _told(bench: ArrowBench, event: str) -> dict[tuple[str, str], list[tuple[int, str]]]:
    """Key of an update -> (record, handler) of the reports that name it."""
    found: dict[tuple[str, str], list[tuple[int, str]]] = {}
    reports = bench.talk.told.processed if event == "processed" else bench.talk.reports(event)
    for x in reports:
        key = (str(x.body.get("orderId")), str(x.body.get("timestamp")))
        found.setdefault(key, []).append((x.record, str(x.body.get("handler", ""))))
    return found


@check("AOU-020")
def check_duplicates(bench: ArrowBench) -> Iterator[Finding]:
    """An update that comes twice, on one socket or after a reconnect, is processed once."""
    sent: dict[tuple[str, str], list[Update]] = {}
    for update in bench.talk.updates():
        if not update.problem and _seen(bench, update):
            sent.setdefault(update.key, []).append(update)
    twice = {key: which for key, which in sent.items() if len(which) > 1}
    if not twice:
        return
    told = _told(bench, "processed")
    for key, which in sent.items():
        done = told.get(key, [])
        if len(done) > 1:
            yield bench.breach(
                Form.CONTENT,
                f"the update of order {key[0]} at {key[1]} was processed {len(done)} times",
                "once: same order id and timestamp",
                [*(u.record for u in which), *(n for n, _ in done)],
            )
            return
        if not done:
            yield bench.breach(
                Form.ABSENCE,
                f"the update of order {key[0]} at {key[1]} was not processed",
                "once: only duplicates are dropped",
                [u.record for u in which],
            )
            return
    evidence = [u.record for which in twice.values() for u in which]
    yield bench.ok(Form.RESTRAINT, f"{len(twice)} update(s) came twice, each processed once", evidence)


@check("AOU-040")
def check_handlers(bench: ArrowBench) -> Iterator[Finding]:
    """Each update is given once to the handler of its order, and once to the handler of all orders (`*`)."""
    told = _told(bench, "handled")
    listed = {order for order in bench.talk.own_orders if order}
    keys: dict[tuple[str, str], list[Update]] = {}
    for update in bench.talk.updates():
        if not update.problem and _seen(bench, update):
            keys.setdefault(update.key, []).append(update)
    if not keys:
        return
    for key, came in keys.items():
        update, expected = came[0], ["*", *([key[0]] if key[0] in listed else [])]
        for handler in expected:
            count = sum(name == handler for _, name in told.get(key, []))
            if not 1 <= count <= len(came):  # what came twice, AOU-020 judges
                yield bench.breach(
                    Form.AGAIN if count else Form.ABSENCE,
                    f"handler {handler!r} was called {count} time(s) for the update of order {key[0]} at {key[1]}",
                    "once an update",
                    [update.record, *(n for n, _ in told.get(key, []))],
                )
                return
        strange = [name for _, name in told.get(key, []) if name not in expected]
        if strange:
            yield bench.breach(
                Form.CONTENT,
                f"handler {strange[0]!r} was called for an update of order {key[0]}",
                "only its own and `*`",
                [update.record],
            )
            return
    yield bench.ok(
        Form.RESTRAINT,
        f"{len(keys)} update(s), each handled once by its own handler and once by `*`",
        [came[0].record for came in keys.values()][:1],
    )


def _unreadable(text: str) -> bool:
    """No update, and not the broker's own keep-alive."""
    body = object_of(text)
    return body is None or (not isinstance(body.get("updateType"), str) and body.get("type") != KEEP_ALIVE)


@check("AOU-050")
def check_unreadable(bench: ArrowBench) -> Iterator[Finding]:
    """Text that is no update, and binary frames, are ignored: the same socket lives on, and beats."""
    for c in bench.talk.upgraded:
        hostile = [(t, n) for t, n, text in c.texts if _unreadable(text)] + [(t, n) for t, n in c.binary]
        if not hostile:
            continue
        hostile.sort()
        last, evidence = hostile[-1][0], [n for _, n in hostile[-3:]]
        gone = c.given_up()
        died = bench.talk.died()
        left = [*([gone.record] if gone else []), *([died[1]] if died else [])]
        before = up_to(hostile, min(left, default=hostile[-1][1]))
        if died is not None and died[0] >= hostile[0][0]:
            yield bench.breach(
                Form.ENDING, f"after them the client ended{bench.exit_text()}", "ignored", [*before, *left]
            )
            return
        if gone is not None and gone.t >= hostile[0][0]:
            yield bench.breach(
                Form.ENDING,
                f"the client ended connection {c.id} ({gone.how}) after them",
                "ignored",
                [*before, gone.record],
            )
            return
        beat = next(((t, n) for t, n in c.beats if t > last), None)
        if beat is None:
            if c.last_seen(bench.end) - last > bench.micros("pong_every") * (1 + bench.limit("tolerance")):
                yield bench.breach(Form.ABSENCE, "no `PONG` came any more after them", "the client goes on", evidence)
            else:
                yield bench.short(f"watched for {seconds(c.last_seen(bench.end) - last)} only", evidence)
            return
        later = [u for u in c.updates if not u.problem and u.t > last and _seen(bench, u)]
        if bench.reports and later:
            told = _told(bench, "processed")
            if not all(u.key in told for u in later):
                yield bench.breach(
                    Form.ABSENCE, "a valid update after them was not processed", "it is", [*evidence, later[0].record]
                )
                return
        if c.loss is not None and c.loss.by == "broker":
            back = attempts_of(bench.talk, c.loss.t)
            if not back and bench.end - c.loss.t > bench.micros("window_recovery"):
                yield bench.breach(
                    Form.ABSENCE, "it did not come back from a close after them", "it hears", [*evidence, c.loss.record]
                )
                return
        yield bench.ok(
            Form.SHOWN, f"{len(hostile)} ignored; `PONG` {seconds(beat[0] - last)} later", [*evidence, beat[1]]
        )


@check("AOU-060")
def check_validated(bench: ArrowBench) -> Iterator[Finding]:
    """Updates with an unknown status, a missing field, or quantities that do not add up are reported, not applied."""
    wrong = [u for u in bench.talk.updates() if u.problem and _seen(bench, u)]
    if not wrong:
        return
    told = _told(bench, "processed")
    for update in wrong:
        if update.key in told:
            yield bench.breach(
                Form.CONTENT,
                f"an update with {update.problem} was processed",
                "reported and not applied",
                [update.record, told[update.key][0][0]],
            )
            return
    errors = [x for x in bench.talk.told.errors if x.t >= wrong[0].t]
    if len(errors) < len(wrong):
        yield bench.breach(
            Form.ABSENCE,
            f"{len(wrong)} invalid updates, {len(errors)} `error` report(s)",
            "each is reported",
            [wrong[0].record],
        )
    else:
        yield bench.ok(
            Form.RESTRAINT, f"{len(wrong)} invalid updates, each reported and none applied", [u.record for u in wrong]
        )


@check("AOU-070")
def check_cleared(bench: ArrowBench) -> Iterator[Finding]:
    """Orders that are over leave the tracking map within the declared time."""
    within = bench.limit("clear_terminal")
    over: dict[str, Update] = {}
    for update in bench.talk.updates():
        if not update.problem and update.body["orderStatus"] in TERMINAL:
            over[update.key[0]] = update
    late = [
        shot
        for shot in bench.talk.told.snapshots
        if over and shot.asked >= max(u.t for u in over.values()) + within * SECOND
    ]
    if not late:
        return
    kept = sorted(ident for ident in over if ident in told_orders(late[-1]))
    if kept:
        yield bench.breach(
            Form.ABSENCE,
            f"order {kept[0]} was still in the map {seconds(late[-1].asked - over[kept[0]].t)} after it was over",
            f"cleared within {within:g} s",
            [over[kept[0]].record, late[-1].record],
        )
    else:
        yield bench.ok(Form.SHOWN, f"{len(over)} finished order(s) were cleared", [late[-1].record])


def _as_told(outcome: str, expected: str, times: int) -> Breach:
    """What a wrong outcome rests on: a time-out is told where the terminal state did not come in time."""
    if times > 1:
        return Form.AGAIN
    return Form.ABSENCE if "timeout" in (outcome.lower(), expected) else Form.CONTENT


@check("AOU-080")
def check_tracking(bench: ArrowBench) -> Iterator[Finding]:
    """Tracking an order ends with its terminal state, or with a time-out: it never hangs."""
    talk = bench.talk
    tracked = [order for order in talk.own_tracked if order]
    limit = bench.told_number("TRACK_TIMEOUT", bench.limit("track_timeout"))
    first = min((c.upgraded for c in talk.upgraded if c.upgraded), default=None)
    if not tracked or first is None:
        return
    began = first[0]
    ends: dict[str, tuple[int, str]] = {}
    for update in talk.updates():
        if not update.problem and update.key[0] in tracked and update.body["orderStatus"] in TERMINAL:
            ends.setdefault(update.key[0], (update.t, str(update.body["orderStatus"])))
    unseen = {
        ident: str(order["orderStatus"])
        for _, _, state in talk.told.ledgers.values()
        for ident, order in state.get("order", {}).items()
        if ident not in ends and order["orderStatus"] in TERMINAL
    }  # over while the client was away: it may know from the REST API, or run into its time-out
    slack = round((limit * bench.limit("tolerance") + bench.limit("timer_slack") + bench.error) * SECOND)
    wrong = False
    for order in tracked:
        told = [x for x in talk.reports("tracked") if str(x.body.get("orderId")) == order]
        evidence = [first[1], *(x.record for x in told)]
        due = ends[order][0] + SOON if order in ends else began + round(limit * SECOND) + slack + SOON
        if not told:
            if bench.end > due:
                wrong = True
                yield bench.breach(
                    Form.ABSENCE, f"tracking order {order} never ended", "its terminal state, or a time-out", evidence
                )
            else:
                wrong = True
                yield bench.short(f"watched for {seconds(bench.end - began)} only", evidence)
            continue
        outcome = str(told[0].body.get("outcome"))
        expected = ends[order][1] if order in ends else "timeout"
        if order in unseen and outcome.upper() == unseen[order]:
            expected = unseen[order]
        if len(told) > 1 or outcome.upper() != expected.upper():
            wrong = True
            said = f"{outcome!r}" if len(told) == 1 else f"{len(told)} outcomes"
            yield bench.breach(
                _as_told(outcome, expected, len(told)),
                f"tracking order {order} ended with {said}",
                f"{expected}, once",
                evidence,
            )
        elif told[0].t > due or (expected == "timeout" and told[0].t < began + round(limit * SECOND) - slack):
            wrong = True
            yield bench.breach(
                Form.TIME, f"tracking order {order} ended after {seconds(told[0].t - began)}", f"{limit:g} s", evidence
            )
    if not wrong:
        outcomes = sorted({str(x.body.get("outcome")) for x in talk.reports("tracked")})
        yield bench.ok(Form.SHOWN, f"{len(tracked)} orders tracked to their end: {', '.join(outcomes)}")
