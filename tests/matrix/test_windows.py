"""A row that asks for a time passes in no shorter one: the reference client's own traces, cut short by a second.

The times stand in the sets (`window_...`), and from when they run in the texts of the requirements.
"""

from __future__ import annotations

import tempfile
from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from brokercert.engine.play.scenario import load_suite
from brokercert.engine.run.run import RunRequest
from brokercert.engine.run.virtual_run import play_alone
from brokercert.judge import judge_trace
from brokercert.matrix.subjects import REFERENCE, subject_named
from brokercert.requirements import load_set
from brokercert.trace import Body, Trace, trace_of
from brokercert.trace import records as r
from brokercert.verdict import worst

STAGE2, ARROW = "tradovate-stage2", "arrow-orders"
S = 1_000_000
Since = Callable[[Any], int]  # of a folded trace: the moment from which the row's time runs


@cache
def played(set_id: str, scenario: str) -> Trace:
    rows, suite = load_set(set_id), load_suite(set_id)
    request = RunRequest(set_id, subject_named(set_id, REFERENCE), tier="virtual")
    with tempfile.TemporaryDirectory() as folder:
        return play_alone(suite.by_name(scenario), request, rows, "test", Path(folder)).trace


def start(talk: Any) -> int:
    return int(talk.started)


def login(talk: Any) -> int:
    """The answer to the first authorize that was granted."""
    return min(c.authorized.t for c in talk.authorized)


def sync(talk: Any) -> int:
    return min(c.synced.t for c in talk.synced if c.synced)


def back(talk: Any) -> int:
    """The answer to authorize on the first socket after a loss."""
    lost = loss(talk)
    return min(c.authorized.t for c in talk.authorized if c.accepted > lost)


def synced_again(talk: Any) -> int:
    lost = loss(talk)
    return min(c.synced.t for c in talk.synced if c.synced and c.accepted > lost)


def loss(talk: Any) -> int:
    return min(c.loss.t for c in talk.upgraded if c.loss)


def fault(talk: Any) -> int:
    return int(talk.faults[0][0])


def asked_to_stop(talk: Any) -> int:
    return next(int(t) for t, _, stop in talk.stops if stop.judged)


def refusal(talk: Any) -> int:
    return min(a.answer.t for c in talk.upgraded for a in c.authorizes if a.answer and a.answer.status in (401, 403))


def answered(fits: Callable[[Any], bool]) -> Since:
    """The first answer that is such a one."""

    def since(talk: Any) -> int:
        answers = [q.answer for c in talk.upgraded for q in c.requests if q.answer is not None]
        return min(int(answer.t) for answer in answers if fits(answer))

    return since


def told(word: str) -> Since:
    return lambda talk: min(t for c in talk.upgraded for t, _, text in c.data_sent if word in text)


def upgrade_refused(talk: Any) -> int:
    return min(c.accepted for c in talk.connections.values() if c.refused_status)


WINDOWS: dict[str, tuple[int, Since]] = {  # row -> seconds, from when
    "LOG-020": (20, login),
    "LOG-040": (60, refusal),
    "LOG-055": (20, fault),
    "LOG-060": (60, login),
    "LOG-090": (20, start),
    "REQ-010": (20, login),
    "HBT-010": (70, login),
    "HBT-020": (70, login),
    "HBT-070": (20, login),
    "HBT-080": (20, back),
    "EVT-010": (20, sync),
    "EVT-090": (20, sync),
    "EVT-100": (20, sync),
    "EVT-110": (20, told("tomorrow")),
    "EVT-140": (20, told("shutdown")),
    "RLP-040": (40, answered(lambda answer: answer.captcha)),
    "RLP-070": (70, answered(lambda answer: answer.status == 429)),
    "REC-030": (20, synced_again),
    "REC-035": (20, synced_again),
    "REC-060": (20, back),
    "REC-090": (20, loss),
    "RLP-090": (20, loss),
    "CON-050": (20, sync),
    "OFF-010": (15, asked_to_stop),
    "AOC-020": (60, upgrade_refused),
    "AOC-040": (15, asked_to_stop),
    "AOR-030": (20, loss),
}
CASES = [
    (set_id, row, scenario)
    for set_id in (STAGE2, ARROW)
    for row, scenarios in load_suite(set_id).listed().items()
    if row in WINDOWS
    for scenario in scenarios
    if load_suite(set_id).by_name(scenario).cell is None
]


def cut(trace: Trace, at: int) -> Trace:
    """What was seen up to then, of a client that has not left: one that has shows all that it ever will."""
    gone = (r.Finished, r.SubjectExited)
    records: list[Body] = [record for record in trace.records if record.t <= at and not isinstance(record, gone)]
    return trace_of(trace.header, [*records, r.Finished(t=at, state="completed")])


@pytest.mark.parametrize(("set_id", "row", "scenario"), CASES, ids=[f"{row}-{name}" for _, row, name in CASES])
def test_a_row_passes_in_no_shorter_time(set_id: str, row: str, scenario: str) -> None:
    rows, judging = load_set(set_id), load_suite(set_id).dialect.judging
    trace = played(set_id, scenario)
    seconds, since = WINDOWS[row]
    at = since(judging.folded(trace)) + (seconds - 1) * S

    def verdict(one: Trace) -> str:
        return str(worst(f.verdict for f in judge_trace(one, rows, judging) if f.requirement == row))

    assert verdict(trace) == "pass"
    assert verdict(cut(trace, at)) == "not observed"
