"""Reports that lay in a buffer of the client's until it ended, or until that was full, beside those of clients that
tell a thing late, keep a few lines back by design, hung for a while, or never say it: only the first are excused.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

import pytest
from brokercert.trace import records as r
from brokercert.verdict import BUFFERED, SEVERITY, Finding
from talks import S, Talk, alone, authorize, opened, sync

STOP = 70  # seconds; every row below watches for a minute at most


def report(event: str, **more: Any) -> dict[str, Any]:
    return {"event": event, **more}


def says(talk: Talk, at: float, *bodies: dict[str, Any] | str, apart: int = 0) -> None:
    """Lines that are read at that second, so many microseconds apart; texts are no reports."""
    for place, body in enumerate(bodies):
        t = round(at * S) + place * apart
        if isinstance(body, str):
            talk.told.append(r.SubjectOutput(t=t, stream="out", text=body))
        else:
            talk.told.append(r.SubjectReport(t=t, event=body["event"], body=body))


def stopped(talk: Talk) -> Talk:
    """Asked to stop by the harness itself, and gone."""
    talk.told.append(r.StopAsked(t=STOP * S, how="signal", judged=False))
    talk.told.append(r.SubjectExited(t=(STOP + 1) * S, code=0, asked=True))
    talk.ends = (STOP + 1) * S
    return talk


def of(row: str, talk: Talk) -> Finding:
    """The worst finding of a row: one that a buffer made inconclusive says so, and no other does."""
    findings = [f for f in talk.findings(offers=("wire", "report", "snapshot", "request")) if f.requirement == row]
    finding = min(findings, key=lambda finding: SEVERITY[finding.verdict])
    assert (finding.verdict == "inconclusive") == finding.observed.startswith(BUFFERED)
    return finding


CONNECTING, ERROR = report("connecting"), report("error", text="login refused")
EACH = (CONNECTING, ERROR, "next attempt in 27 s")


def refused(in_time: Iterable[Any], at_the_end: Iterable[Any], *, apart: int = 0, attempts: int = 3) -> str:
    """A client whose login is refused at 2, 29 and 56 s. It prints `in_time` at each, and `at_the_end` as it leaves."""
    talk = Talk()
    talk.told.append(r.SubjectStarted(t=0))
    for conn in range(1, attempts + 1):
        at = 27 * conn - 25
        says(talk, at - 0.01, *in_time)
        opened(talk, at * S, conn)
        authorize(talk, at, conn=conn, s=401, d="Access is denied")
        if attempts > 1:
            talk.told.append(r.Ended(t=(at + 1) * S, conn=conn, by="client", how="fin"))
    says(talk, STOP + 0.5, *at_the_end, apart=apart)
    return str(of("LOG-045", stopped(talk)).verdict)


def test_a_refusal_that_was_told_into_a_buffer_is_none_that_was_kept_quiet() -> None:
    assert refused(EACH, ()) == "pass"
    assert refused((), EACH * 3) == "inconclusive", "a minute of lines in one go, as it ended"
    assert refused((), (CONNECTING, "next attempt in 27 s") * 3) == "fail", "buffered, and silent about it all the same"
    assert refused((), ()) == refused((CONNECTING,), ()) == "fail"


def test_a_refusal_that_is_told_at_the_end_alone_is_told_late() -> None:
    assert refused((CONNECTING,), (ERROR,) * 3) == "fail", "what it printed meanwhile came in time"
    assert refused(("attempt",), EACH * 3) == "fail", "it printed meanwhile: no buffer lets one line through"
    assert refused((), (ERROR,) * 3) == "fail", "nothing shows that these are older than they look"
    assert refused((CONNECTING,), ("bye", ERROR), attempts=1) == "fail", "a few lines at the end are no buffer"


def test_a_connection_that_is_announced_a_minute_later_shows_the_buffer_alone() -> None:
    assert refused((), (CONNECTING, ERROR), attempts=1) == "inconclusive"
    assert refused((), ("a line", ERROR), attempts=1) == "fail"
    assert refused((), (CONNECTING, ERROR), attempts=2) == "fail", "it does not announce every connection: which is it?"


def test_one_that_hung_and_catches_up_writes_line_by_line() -> None:
    assert refused((), EACH * 3, apart=30) == "fail"


def test_what_goes_to_standard_error_proves_nothing_of_standard_output() -> None:
    talk = alone(STOP)
    authorize(talk, 2, s=401, d="Access is denied")
    talk.told.append(r.SubjectOutput(t=30 * S, stream="err", text="still here"))
    talk.told.append(r.Command(t=S + S // 2, id=0, command="whistle", body={"command": "whistle", "id": 0}))
    says(talk, STOP + 0.5, CONNECTING, ERROR, report("unsupported", id=0, command="whistle"))
    assert of("LOG-045", stopped(talk)).verdict == "inconclusive", "two kinds of lines, both a minute late"


# Answers.


def event(talk: Talk, at: float, ident: int) -> dict[str, Any]:
    """An event at that second, and the report that it was processed."""
    entity = {"entityType": "order", "eventType": "Created", "entity": {"id": ident, "accountId": 1}}
    talk.broker(round(at * S), 1, {"e": "props", "d": entity})
    return report("processed", entityType="order", id=ident, eventType="Created")


def asking() -> Talk:
    """In sync; asked for an item at 5 s, which it sends at once."""
    talk = alone(STOP)
    authorize(talk, 2, s=200)
    sync(talk, 3, ident=90, d={})
    body = {"endpoint": "order/item", "query": "id=1"}
    talk.told.append(r.Command(t=5 * S, id=1, command="request", body=body))
    talk.client(5 * S, 1, "order/item\n1\nid=1\n")
    return talk


OUTCOME = report("outcome", id=1, status=200, data={"id": 1}, error="")


@pytest.mark.parametrize("row", ["REQ-020", "REQ-040"])
def test_an_outcome_that_was_told_into_a_buffer_is_none_that_is_missing(row: str) -> None:
    def answered(*at_the_end: dict[str, Any], in_time: bool = False) -> str:
        talk = asking()
        talk.broker(6 * S, 1, {"s": 200, "i": 1, "d": {"id": 1}})
        for at in (20, 40):
            processed = event(talk, at, at)
            if in_time:
                says(talk, at + 0.01, processed)
        says(talk, STOP + 0.5, *at_the_end)
        return str(of(row, stopped(talk)).verdict)

    processed = [event(Talk(), 0, ident) for ident in (20, 40)]
    assert answered(OUTCOME, *processed) == "inconclusive"
    assert answered(*processed) == "fail", "of it nothing was told"
    assert answered(OUTCOME, in_time=True) == "fail", "its other lines came in time"
    assert answered(OUTCOME) == "fail", "a single line"


def test_one_that_is_stuck_with_its_commands_is_none_that_has_a_buffer() -> None:
    def stuck(*more: dict[str, Any]) -> str:
        talk = asking()
        talk.told.append(r.Command(t=5 * S, id=0, command="whistle", body={"command": "whistle", "id": 0}))
        talk.broker(6 * S, 1, {"s": 200, "i": 1, "d": {"id": 1}})
        event(talk, 5.5, 77)
        says(talk, STOP + 0.5, report("unsupported", id=0, command="whistle"), OUTCOME, *more)
        return str(of("REQ-040", stopped(talk)).verdict)

    assert stuck() == "fail", "all that is late is its answers, and these of one moment"
    assert stuck(event(Talk(), 0, 77)) == "inconclusive", "its events too: all that it says is late"


def never_answered(told: float | None, lines: int, *, apart: int = 0, between: bool = False) -> str:
    """A request without an answer, of whose end is told so long after it, among reports of events of a minute."""
    talk = asking()
    reports = [event(talk, 6 + place * 60 / lines, 100 + place) for place in range(lines)]
    if between:
        says(talk, 40, "a line")
    end = report("outcome", id=1, status=0, error="never answered", ok=False)
    at = STOP + 0.5 if told is None else 5 + told
    says(talk, at, *reports, end, apart=apart)
    return str(of("REQ-030", stopped(talk)).verdict)


def test_a_buffer_that_is_full_is_emptied_before_the_end() -> None:
    assert never_answered(62, 60) == "inconclusive", "61 lines of 80 bytes: more than the 4 KiB of the smallest buffer"
    assert never_answered(62, 20) == "fail", "20 lines fill none: it keeps them back by design"
    assert never_answered(62, 60, between=True) == "fail", "a line came meanwhile"
    assert never_answered(62, 60, apart=30) == "fail", "line by line: it had hung"
    assert never_answered(None, 20) == "inconclusive"


def test_what_came_late_by_itself_is_late_though_other_lines_lay_in_a_buffer() -> None:
    talk = asking()
    says(talk, 67, report("outcome", id=1, status=0, error="never answered", ok=False))
    says(talk, STOP + 0.5, event(talk, 67.1, 1), event(talk, 69, 2))
    assert of("REQ-030", stopped(talk)).verdict == "fail"


def test_what_is_left_at_the_end_in_a_buffer_that_was_full_before_was_in_it_too() -> None:
    def told(lines: int) -> str:
        talk = asking()
        says(talk, 9, *(event(talk, 6 + place * 3 / lines, 100 + place) for place in range(lines)))
        talk.broker(round(9.5 * S), 1, {"s": 200, "i": 1, "d": {"id": 1}})
        says(talk, STOP + 0.5, OUTCOME)
        return str(of("REQ-040", stopped(talk)).verdict)

    assert told(60) == "inconclusive"
    assert told(20) == "fail"


def test_a_state_that_was_told_into_a_buffer_is_none_that_is_missing() -> None:
    talk = asking()
    reports = [event(talk, 6, 1)]
    talk.told.append(r.Ledger(t=10 * S, name="after the flow", state={"order": {}}))
    talk.told.append(r.Command(t=11 * S, id=2, command="snapshot", body={"command": "snapshot", "id": 2}))
    says(talk, STOP + 0.5, *reports, report("snapshot", id=2, entities={"order": []}))
    assert of("EVT-050", stopped(talk)).verdict == "inconclusive"
    talk.drop(lambda x: isinstance(x, r.SubjectReport) and x.event == "snapshot")
    assert of("EVT-050", talk).verdict == "not observed"


def test_a_state_that_was_told_once_out_of_a_buffer_and_not_again_is_not_held_against_the_client() -> None:
    def compared(state: str, *, buffered: bool) -> str:
        talk = asking()
        first = [event(talk, 6 + place * 3 / 60, 100 + place) for place in range(60)]
        talk.told.append(r.Ledger(t=10 * S, name="after the flow", state={"order": {"7": {"ordStatus": "Working"}}}))
        talk.told.append(r.Command(t=11 * S, id=2, command="snapshot", body={"command": "snapshot", "id": 2}))
        shot = report("snapshot", id=2, entities={"order": [{"id": 7, "ordStatus": state}]})
        if buffered:
            says(talk, 15, *first, shot)
        else:
            says(talk, 9.5, *first)
            says(talk, 15, shot)
        return str(of("EVT-050", stopped(talk)).verdict)

    for state in ("Working", "PendingNew"):
        assert compared(state, buffered=True) == "inconclusive"
        assert compared(state, buffered=False) == "not observed"


def test_a_captcha_and_events_in_a_penalty_that_were_told_into_a_buffer_are_not_missing() -> None:
    def penalty(*at_the_end: Any, captcha: bool) -> str:
        talk = alone(STOP)
        authorize(talk, 2, s=200)
        ticket = {"p-ticket": "t", "p-time": 20, "p-captcha": captcha}
        sync(talk, 3, ident=1, d={})
        talk.client(4 * S, 1, "order/list\n2\n\n")
        talk.broker(4 * S, 1, {"s": 200, "i": 2, "d": ticket})
        for at in (8, 15):
            event(talk, at, at)
        if not captcha:
            talk.client(24 * S, 1, 'order/list\n3\n\n{"p-ticket":"t"}')
            talk.broker(24 * S, 1, {"s": 200, "i": 3, "d": []})
        for at in range(5, STOP, 2):
            talk.client(at * S, 1, "[]")
        says(talk, STOP + 0.5, *at_the_end)
        row, clause = ("RLP-040", "reported") if captcha else ("RLP-080", "events")
        findings = stopped(talk).findings(offers=("wire", "report"))
        return str(next(f.verdict for f in findings if f.requirement == row and f.clause == clause))

    processed = [event(Talk(), 0, ident) for ident in (8, 15)]
    assert penalty(CONNECTING, *processed, ERROR, captcha=True) == "inconclusive"
    assert penalty(CONNECTING, *processed, captcha=True) == "fail"
    assert penalty(CONNECTING, *processed, captcha=False) == "inconclusive"
    assert penalty(CONNECTING, captcha=False) == "fail"
