"""Answers and the requests that they belong to (TP §1, §3): they come in another order, and late."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterator
from typing import Any

from brokercert.judge.told import Outcome
from brokercert.judge.tradovate.bench import Bench, check
from brokercert.judge.tradovate.model.conversation import Answer, Request
from brokercert.judge.tradovate.model.differences import same
from brokercert.judge.tradovate.model.sends import why_silent
from brokercert.judge.tradovate.requests.commanded import Commanded, commanded, never_came, no_outcome
from brokercert.verdict import Finding, Form

NEVER = float("inf")  # the record of what did not come


@check("REQ-020")
def check_answers_matched(bench: Bench) -> Iterator[Finding]:
    """Every answer is told as the outcome of the request that it answers, though answers come in another order than the
    requests, and among events. Shown only where an answer could be taken for another's: it came before that of an
    earlier request, or late, when its own had been given up and the next one was open.
    """
    asked = list(commanded(bench))
    wrong = next(filter(None, (_wrongly_told(bench, one, asked) for one in asked)), None)
    if wrong is not None:
        yield wrong
    elif asked:
        yield _told_rightly(bench, asked, [send for one in asked for send in _matched(one)])


def _wrongly_told(bench: Bench, one: Commanded, asked: list[Commanded]) -> Finding | None:
    """Why the row is not passed for this request; nothing where it was told rightly, or has no answer."""
    if one.answer is None:
        return _unanswered(bench, one)
    if one.outcome is None:
        return no_outcome(bench, one, one.answer)
    if _ended_before(one) or _is_of(one.outcome.data, one.answer.data):
        return None
    return _another_outcome(bench, one, asked, one.answer, one.outcome)


def _unanswered(bench: Bench, one: Commanded) -> Finding | None:
    """A request that never came shows nothing; that it was sent and not answered is the broker's doing."""
    why = why_silent(bench.talk, one.asked)
    if not why and (one.sends or one.gave_up):
        return None
    return bench.short(never_came(bench, one), [one.record])


def _ended_before(one: Commanded) -> bool:
    """The answer came late, to a request that had been given up: it is nobody's."""
    late = one.outcome is not None and one.answer is not None and one.outcome.record < one.answer.record
    return one.gave_up and late


def _matched(one: Commanded) -> list[Request]:
    """Those of its requests whose answer was told as its outcome."""
    if one.answer is None or one.outcome is None or _ended_before(one):
        return []
    return [send for send in one.sends if send.answer is one.answer]


def _another_outcome(bench: Bench, one: Commanded, asked: list[Commanded], answer: Answer, outcome: Outcome) -> Finding:
    """The answer is not what was told: another request's was, or none at all."""
    evidence = [one.record, answer.record, outcome.record]
    other = next((x for x in asked if x is not one and _is_of(outcome.data, _data(x.answer))), None)
    if other is not None:
        return bench.breach(
            Form.CONTENT,
            f"`{one.name}` was told to have the answer to `{other.name}`",
            "the answer whose `i` is the request's own id, wherever and whenever it comes",
            evidence,
        )
    gone = bench.talk.connections[one.sends[-1].conn].loss
    if outcome.status == 0 and (gone is None or gone.t > outcome.t):
        return bench.breach(
            Form.ABSENCE,
            f"`{one.name}` was answered, and told as `{outcome.error or 'never answered'}`",
            "the answer is the request's outcome",
            evidence,
        )
    return bench.short(f"the outcome of `{one.name}` does not show whose answer it is", evidence)


def _told_rightly(bench: Bench, asked: list[Commanded], matched: list[Request]) -> Finding:
    """A pass, where a client that does not look at `i` would have told one of them wrongly."""
    told = [one.outcome.record for one in asked if one.outcome]
    if any(_confusing(lane, asked) for lane in _by_socket(matched)):
        return bench.ok(Form.SHOWN, f"{len(matched)} answers, each told of its own request", told)
    return bench.short(
        f"{len(matched)} answers were told, and none could be taken for another's: none came before that of an "
        "earlier request, and none that had been given up while the next was open on that connection",
        told,
    )


def _by_socket(matched: list[Request]) -> list[list[Request]]:
    """Those of each socket, in the order in which they came: answers are confused on one socket only."""
    lanes: dict[int, list[Request]] = defaultdict(list)
    for request in sorted(matched, key=lambda request: request.record):
        lanes[request.conn].append(request)
    return list(lanes.values())


def _confusing(matched: list[Request], asked: list[Commanded]) -> bool:
    """Whether a client that does not look at `i` would take one of these answers for another request's, or the reverse.

    Looked at from the last request to the first, so that a conversation of tens of thousands is judged in a moment.
    """
    sent = [(send, one.outcome) for one in asked for send in one.sends if send.conn == matched[0].conn]
    later, soonest = (
        list(matched),
        NEVER,
    )  # the matched ones that were not passed yet, and the first answer to the others
    for send, outcome in sorted(sent, key=lambda pair: pair[0].record, reverse=True):
        while later and later[-1].record > send.record:
            soonest = min(soonest, _answered(later.pop()))
        if soonest < min(_answered(send), outcome.record if outcome is not None else NEVER):
            return True  # it was open, and its answer was due, when the answer to a later one came
        if outcome is not None and outcome.record <= _answered(send) < NEVER and _came_late(send, matched):
            return True
    return False


def _answered(request: Request) -> float:
    return request.answer.record if request.answer is not None else NEVER


def _came_late(send: Request, matched: list[Request]) -> bool:
    """This request had been given up, and its answer came while another one was open."""
    return any(other is not send and other.record < _answered(send) < _answered(other) for other in matched)


def _data(answer: Answer | None) -> Any:
    return answer.data if answer is not None else None


def _is_of(told: Any, answered: Any) -> bool:
    """Whether what was told as an answer's data is that answer's: by the entity's id where there is one."""
    if isinstance(told, dict) and isinstance(answered, dict) and "id" in answered:
        return same(answered["id"], told.get("id"))
    return bool(told == answered)
