"""What becomes of each update: processed once, handed on, refused where it is wrong (AR Message Format)."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping

from brokercert.judge.arrow.bench import BOTH, ArrowBench, check
from brokercert.judge.arrow.edition import Key
from brokercert.judge.arrow.model import Update, UpdateSocket, object_of
from brokercert.judge.attempts import attempts_of
from brokercert.judge.check import seconds
from brokercert.judge.moments import Moment, first_after, records_of, up_to
from brokercert.verdict import Finding, Form

KEEP_ALIVE = "keep-alive"  # the type of the object that a healthy mock sends in a quiet market
Told = Mapping[Key, list[tuple[int, str]]]  # (record, handler) of the reports that name it


def _seen(bench: ArrowBench, update: Update) -> bool:
    return bench.talk.connections[update.conn].heard(update.t) and _is_due(bench, update)


def _is_due(bench: ArrowBench, update: Update) -> bool:
    """The observation went on long enough for the client to tell of it."""
    return update.t + bench.micros("raised_within") <= bench.owed_until


def _told(bench: ArrowBench, event: str) -> Told:
    found: dict[Key, list[tuple[int, str]]] = {}
    reports = bench.talk.told.processed if event == "processed" else bench.talk.reports(event)
    for x in reports:
        key = bench.talk.key_told(x.body)
        found.setdefault(key, []).append((x.record, str(x.body.get("handler", ""))))
    return found


def _sent(bench: ArrowBench) -> dict[Key, list[Update]]:
    """The valid updates that the client can be asked about, by their key."""
    sent: dict[Key, list[Update]] = {}
    for update in bench.talk.valid_heard():
        if _is_due(bench, update):
            sent.setdefault(update.key, []).append(update)
    return sent


@check("AOU-020", *BOTH)
def check_duplicates(bench: ArrowBench) -> Iterator[Finding]:
    """An update that comes twice, on one socket or after a reconnect, is processed once."""
    sent = _sent(bench)
    twice = [which for which in sent.values() if len(which) > 1]
    if not twice:
        return
    told = _told(bench, "processed")
    wrong = next((key for key in sent if len(told.get(key, [])) != 1), None)
    if wrong is None:
        evidence = [u.record for which in twice for u in which]
        yield bench.ok(Form.RESTRAINT, f"{len(twice)} update(s) came twice, each processed once", evidence)
        return
    yield _not_once(bench, wrong, [u.record for u in sent[wrong]], told.get(wrong, []))


def _not_once(bench: ArrowBench, key: Key, sent: list[int], done: list[tuple[int, str]]) -> Finding:
    name = f"the update of {bench.edition.named(key)} was"
    if not done:
        return bench.breach(Form.ABSENCE, f"{name} not processed", "once: only duplicates are dropped", sent)
    evidence = [*sent, *(number for number, _ in done)]
    said = f"{name} processed {len(done)} times"
    return bench.breach(Form.CONTENT, said, f"once: {bench.edition.repeats}", evidence)


@check("AOU-040")
def check_handlers(bench: ArrowBench) -> Iterator[Finding]:
    """Each update is given once to the handler of its order, and once to the handler of all orders (`*`)."""
    yield from handled_once(bench)


def handled_once(bench: ArrowBench) -> Iterator[Finding]:
    """What became of the updates that the client can be asked about."""
    told = _told(bench, "handled")
    sent = _sent(bench)
    if not sent:
        return
    for key, came in sent.items():
        wrong = _wrongly_handled(bench, key, came, told.get(key, []))
        if wrong is not None:
            yield wrong
            return
    yield bench.ok(
        Form.RESTRAINT,
        f"{len(sent)} update(s), each handled once by its own handler and once by `*`",
        [came[0].record for came in sent.values()][:1],
    )


def _wrongly_handled(bench: ArrowBench, key: Key, came: list[Update], told: list[tuple[int, str]]) -> Finding | None:
    expected = ["*", key[0]] if key[0] and key[0] in bench.talk.own_orders else ["*"]
    for handler in expected:
        count = sum(name == handler for _, name in told)
        if not 1 <= count <= len(came):  # what came twice, AOU-020 judges
            return bench.breach(
                Form.AGAIN if count else Form.ABSENCE,
                f"handler {handler!r} was called {count} time(s) for the update of {bench.edition.named(key)}",
                "once an update",
                [came[0].record, *(number for number, _ in told)],
            )
    return _strange(bench, came[0], [name for _, name in told if name not in expected])


def _strange(bench: ArrowBench, update: Update, handlers: list[str]) -> Finding | None:
    """A breach, where another handler was called too."""
    if not handlers:
        return None
    said = f"handler {handlers[0]!r} was called for an update of order {update.key[0]}"
    return bench.breach(Form.CONTENT, said, "only its own and `*`", [update.record])


def _unreadable(bench: ArrowBench, text: str) -> bool:
    """No update, and not the broker's own keep-alive."""
    body = object_of(text)
    return body is None or (not bench.edition.is_update(body) and body.get("type") != KEEP_ALIVE)


@check("AOU-050")
def check_unreadable(bench: ArrowBench) -> Iterator[Finding]:
    """Text that is no update, and binary frames, are ignored: the same socket lives on, and beats."""
    yield from ignored(bench)


def ignored(bench: ArrowBench) -> Iterator[Finding]:
    """What came of each socket on which something stood that is no update."""
    for c in bench.talk.upgraded:
        hostile = sorted([*(Moment(x.t, x.record) for x in c.texts if _unreadable(bench, x.text)), *c.binary])
        if not hostile:
            continue
        yield (finding := _after(bench, c, hostile))
        if finding.form is not Form.SHOWN:
            return


def _after(bench: ArrowBench, c: UpdateSocket, hostile: list[Moment]) -> Finding:
    """What came of a connection on which that was sent."""
    last, evidence = hostile[-1].t, [x.record for x in hostile[-3:]]
    wrong = _ended(bench, c, hostile)
    if wrong is not None:
        return wrong
    beat = first_after(c.beats, last)
    if beat is None:
        return _no_beat(bench, c.last_seen(bench.seen) - last, evidence)
    wrong = _unprocessed(bench, c, last, evidence) or _deaf(bench, c, evidence)
    if wrong is not None:
        return wrong
    said = f"{len(hostile)} ignored; `PONG` {seconds(beat.t - last)} later"
    return bench.ok(Form.SHOWN, said, [*evidence, beat.record])


def _no_beat(bench: ArrowBench, watched: int, evidence: list[int]) -> Finding:
    if watched <= bench.micros(bench.edition.beats) * (1 + bench.limit("tolerance")):
        return bench.short(f"watched for {seconds(watched)} only", evidence)
    return bench.breach(Form.ABSENCE, "no `PONG` came any more after them", "the client goes on", evidence)


def _ended(bench: ArrowBench, c: UpdateSocket, hostile: list[Moment]) -> Finding | None:
    """The client ended, or ended that connection."""
    gone, died = c.given_up(), bench.death()
    left = records_of(gone, died)
    before = up_to(hostile, min(left, default=hostile[-1].record))
    if died is not None and died.t >= hostile[0].t:
        said = f"after them the client ended{bench.exit_text()}"
        return bench.breach(Form.ENDING, said, "ignored", [*before, *left])
    if gone is not None and gone.t >= hostile[0].t:
        said = f"the client ended connection {c.id} ({gone.how}) after them"
        return bench.breach(Form.ENDING, said, "ignored", [*before, gone.record])
    return None


def _unprocessed(bench: ArrowBench, c: UpdateSocket, last: int, evidence: Iterable[int]) -> Finding | None:
    """A breach, where the client reports, and not a valid update that came after them."""
    if not bench.reports:
        return None
    later = [u for u in c.updates if not u.problem and u.t > last and _seen(bench, u)]
    told = _told(bench, "processed")
    if all(u.key in told for u in later):
        return None
    said = "a valid update after them was not processed"
    return bench.breach(Form.ABSENCE, said, "it is", [*evidence, later[0].record])


def _deaf(bench: ArrowBench, c: UpdateSocket, evidence: Iterable[int]) -> Finding | None:
    """A breach, where the client did not come back from a close after them."""
    loss = c.loss
    if loss is None or loss.by != "broker" or attempts_of(bench.talk, loss.t):
        return None
    if bench.owed_until - loss.t <= bench.micros("window_recovery"):
        return None
    said = "it did not come back from a close after them"
    return bench.breach(Form.ABSENCE, said, "it hears", [*evidence, loss.record])


@check("AOU-060", *BOTH)
def check_validated(bench: ArrowBench) -> Iterator[Finding]:
    """Updates with an unknown status, a missing field, or quantities that do not add up are reported, not applied."""
    wrong = [u for u in bench.talk.updates() if u.problem and _seen(bench, u)]
    if not wrong:
        return
    told = _told(bench, "processed")
    applied = next((u for u in wrong if u.key in told), None)
    if applied is not None:
        evidence = [applied.record, told[applied.key][0][0]]
        said = f"an update with {applied.problem} was processed"
        yield bench.breach(Form.CONTENT, said, "reported and not applied", evidence)
    else:
        yield _reported(bench, wrong)


def _reported(bench: ArrowBench, wrong: list[Update]) -> Finding:
    """Whether there was an error report for each of the updates that were not applied."""
    errors = [x for x in bench.talk.told.errors if x.t >= wrong[0].t]
    if len(errors) < len(wrong):
        said = f"{len(wrong)} invalid updates, {len(errors)} `error` report(s)"
        return bench.breach(Form.ABSENCE, said, "each is reported", [wrong[0].record])
    said = f"{len(wrong)} invalid updates, each reported and none applied"
    return bench.ok(Form.RESTRAINT, said, [u.record for u in wrong])
