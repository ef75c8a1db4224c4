"""The fold: answers, closes, exits, silences and what a client told, each read from the records alone."""

from __future__ import annotations

from typing import Any

import pytest
from brokercert.judge.tradovate.model.conversation import Conversation
from brokercert.trace import records as r
from folds import folded, tcp
from talks import S, Talk, alone, authorize


def answered(status: int, data: Any = None) -> Talk:
    talk = alone(60)
    authorize(talk, 2, s=status, **({"d": data} if data is not None else {}))
    return talk


@pytest.mark.parametrize(
    ("status", "data", "ok", "refused"),
    [
        (200, None, True, False),
        (200, {"userId": 1}, True, False),
        (200, {"p-ticket": "«p-ticket#1»", "p-time": 5}, False, False),
        (200, {"errorText": "no"}, False, True),
        *((status, "no", False, True) for status in (400, 401, 403, 404)),
        *((status, None, False, False) for status in (408, 423, 429, 500, 503)),
    ],
)
def test_what_a_success_and_a_refusal_are(status: int, data: Any, ok: bool, refused: bool) -> None:
    c = folded(*sorted(answered(status, data).told, key=lambda record: record.t)).connections[1]
    assert (c.authorized is not None, c.refused is not None) == (ok, refused)


def test_an_answer_is_that_of_the_latest_request_of_its_id_that_has_none() -> None:
    talk = alone(60)
    authorize(talk, 2, ident=1)
    authorize(talk, 3, ident=1, s=401)
    talk.broker(5 * S, 1, {"s": 200, "i": 1})
    first, second = folded(*sorted(talk.told, key=lambda record: record.t)).connections[1].authorizes
    assert first.answer and second.answer and (first.answer.status, second.answer.status) == (200, 401)


def test_a_close_of_the_protocol_is_a_loss_and_a_malformed_one_is_none() -> None:
    for text, by in (('c[1000,"bye"]', "broker"), ("c[1000", None)):
        talk = alone(60)
        talk.frame(5 * S, 1, text)
        loss = folded(*sorted(talk.told, key=lambda record: record.t)).connections[1].loss
        assert (loss.by if loss else None) == by


def test_an_exit_that_was_asked_for_is_no_death_and_what_the_harness_ends_is_its_own_doing() -> None:
    gone = r.SubjectExited(t=5 * S, code=1, asked=False)
    assert folded(gone).died() is not None
    assert folded(r.SubjectExited(t=5 * S, code=0, asked=True)).died() is None
    ours = r.StopAsked(t=4 * S, how="signal", judged=False)
    talk = folded(*tcp(1, 1), ours, r.Ended(t=5 * S, conn=1, by="client", how="fin"), gone)
    assert talk.died() is None and talk.connections[1].loss is None


def test_a_close_frame_of_the_clients_is_its_giving_up() -> None:
    frame = r.Frame(t=3 * S, conn=1, sender="client", ordinal=1, opcode=8, text="", code=1000)
    ended = r.Ended(t=9 * S, conn=1, by="broker", how="fin")
    gone = folded(*tcp(1, 1), frame, ended).connections[1].given_up()
    assert gone is not None and (gone.t, gone.how) == (3 * S, "close 1000")


@pytest.mark.parametrize("name", ["silent-application", "silent-dead", "half-open", "mid-frame"])
def test_a_server_that_falls_silent_is_noted(name: str) -> None:
    c = folded(*tcp(1, 1), r.Fault(t=2 * S, requested=2 * S, name=name, conn=1)).connections[1]
    assert c.silent is not None and c.silent[0] == 2 * S and c.loss is None


def asked(*reports: dict[str, Any]) -> Conversation:
    lines = [r.SubjectReport(t=S, event=body["event"], body=body) for body in reports]
    commands = [r.Command(t=0, id=1, command="whistle", body={}), r.Command(t=0, id=2, command="request", body={})]
    return folded(*commands, *lines)


def test_a_client_is_honest_that_says_so_of_what_nobody_can_do() -> None:
    assert folded().told.honest is None
    assert asked().told.honest is False
    assert asked({"event": "unsupported", "id": 1}).told.honest is True


def test_the_first_outcome_counts_and_says_itself_whether_it_is_a_success() -> None:
    talk = asked(
        {"event": "outcome", "id": 2, "status": 200, "ok": False, "error": "no"},
        {"event": "outcome", "id": 2, "status": 200, "ok": True},
    )
    outcome = talk.told.requests()[0].outcome
    assert outcome is not None and not outcome.ok and len(talk.told.requests()[0].outcomes) == 2
    bare = asked({"event": "outcome", "id": 2, "error": "no"}).told.requests()[0].outcome
    assert bare is not None and not bare.ok
