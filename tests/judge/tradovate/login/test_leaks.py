"""Where a credential does not belong, and what of it is one: LOG-090."""

from __future__ import annotations

import pytest
from brokercert.trace import records as r
from talks import OLD, S, alone, authorize


def head(*headers: tuple[str, str], target: str = "/v1/websocket") -> r.Head:
    return r.Head(t=30 * S, conn=1, method="GET", target=target, headers=headers, upgrade=False)


def frame(opcode: int, text: str, sender: r.Side = "client") -> r.Frame:
    return r.Frame(t=30 * S, conn=1, sender=sender, ordinal=9, opcode=opcode, text=text)


@pytest.mark.parametrize(
    ("record", "where"),
    [
        (r.SubjectOutput(t=30 * S, stream="out", text=f"logging in with {OLD}"), "its output"),
        (r.SubjectOutput(t=30 * S, stream="out", text="logging in with «part of access-token#1»**"), "its output"),
        (r.SubjectReport(t=30 * S, event="error", body={"event": "error", "text": OLD}), "a report"),
        (head(target=f"/v1/x?token={OLD}"), "a URL"),
        (head(("Referer", f"http://x/?{OLD}")), "a URL"),
        (head(("User-Agent", f"bot {OLD}")), "its user agent"),
        (frame(8, f"bye {OLD}"), "the reason of a close frame"),
        (frame(9, OLD), "a ping"),
        (head(("Authorization", f"Bearer {OLD}")), None),
        (frame(8, f"bye {OLD}", "broker"), None),
        (frame(1, f"authorize\n1\n\n{OLD}"), None),
        (frame(8, "bye «p-ticket#1»"), None),
    ],
)
def test_where_a_credential_does_not_belong(record: r.Body, where: str | None) -> None:
    talk = alone(60)
    authorize(talk, 2, s=200)
    talk.told.append(record)
    found = [f for f in talk.findings() if f.requirement == "LOG-090"]
    assert [f.clause for f in found if f.verdict == "warning"] == ([where] if where else [])
    assert where or found[0].verdict == "pass"


def test_what_a_client_says_as_it_leaves_is_its_own() -> None:
    talk = alone(60)
    authorize(talk, 2, s=200)
    talk.told.append(r.StopAsked(t=40 * S, how="signal", judged=False))
    talk.close(41 * S, 1, "client", 1000)
    assert talk.verdict("LOG-090") == "pass"
    talk.told.append(r.SubjectOutput(t=42 * S, stream="err", text=f"left {OLD}"))
    assert talk.verdict("LOG-090") == "warning"


def test_what_was_searched_is_the_evidence() -> None:
    talk = alone(60)
    authorize(talk, 2, s=200)
    for at in (10, 20, 30):
        talk.told.append(r.SubjectOutput(t=at * S, stream="out", text="well"))
    records = talk.trace().records
    (found,) = (f for f in talk.findings() if f.requirement == "LOG-090")
    assert found.observed == "no credential was found in what was searched: a URL (1), its output (3)"
    assert [records[number - 1].t // S for number in found.evidence] == [1, 10, 30]
