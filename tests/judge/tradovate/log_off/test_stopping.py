"""Log-off: OFF-010."""

from __future__ import annotations

import pytest
from brokercert.trace import records as r
from brokercert.verdict import Finding
from talks import S, Talk, alone, authorize, healthy, opened, sync
from ways_back import back, ended, logged_in


def stopped(code: int | str | None, at: float = 41, *, until: float = 120, again: bool = False) -> str:
    """Asked to stop at 40 s; the close frame at `at`, "fin" for none."""
    talk = logged_in(until)
    healthy(talk, at)
    talk.told.append(r.StopAsked(t=40 * S, how="signal", judged=True))
    if not isinstance(code, str):
        frame = r.Frame(t=round(at * S), conn=1, sender="client", ordinal=0, opcode=8, text="", code=code)
        talk.told.append(frame)
    if code != "stays":
        ended(talk, at, by="client")
        talk.exit(round((at + 20 * again) * S), 0, asked=True)
    if again:
        back(talk, 50)
    return talk.verdict("OFF-010")


def test_log_off_is_a_close_frame_that_says_good_bye() -> None:
    assert stopped(1000) == stopped(1001) == stopped(None) == "pass"
    for wrong in (
        stopped(1002),
        stopped(1011),
        stopped(4000),
        stopped("fin"),
        stopped("stays"),
        stopped(1000, again=True),
    ):
        assert wrong == "fail"
    assert stopped("stays", until=50) == "not observed"


def leaves(after: float | None, *, until: float = 60) -> Talk:
    """Asked to stop at 40 s, it says good-bye at once, and exits so long after it was asked (None: never)."""
    talk = logged_in(until)
    healthy(talk, 40)
    talk.stop(40 * S)
    talk.close(round(40.1 * S), 1, "client", 1000)
    ended(talk, 40.2, by="client")
    if after is not None:
        talk.exit(round((40 + after) * S), 0, asked=True)
    return talk


def said_of(talk: Talk, **changed: object) -> list[Finding]:
    found = talk.findings(offers=("wire", "tokens", "stop"), **changed)
    return [finding for finding in found if finding.requirement == "OFF-010"]


@pytest.mark.parametrize(
    ("after", "verdicts"),
    [
        (0.2, ["pass"]),
        (14.9, ["pass"]),
        (15.1, ["pass", "warning"]),
        (None, ["pass", "warning"]),
    ],
)
def test_who_says_good_bye_and_runs_on_is_warned_of(after: float | None, verdicts: list[str]) -> None:
    found = said_of(leaves(after))
    assert [str(finding.verdict) for finding in found] == verdicts
    if after is None:
        assert found[1].observed == "the client was still running 20.000 s after it was asked to stop"
    limits = {name: one for name, one in leaves(1).trace().header.limits.items() if name != "leave"}
    assert len(said_of(leaves(after), limits=limits)) == 1, "a trace of before that limit is judged as then"


def test_who_was_not_watched_for_so_long_is_not_warned_of() -> None:
    assert [str(finding.verdict) for finding in said_of(leaves(None, until=50))] == ["not observed"]


def test_the_close_frame_and_the_exit_are_the_evidence() -> None:
    talk = leaves(0.4)
    (found,) = said_of(talk)
    kinds = [type(talk.trace().records[number - 1]) for number in found.evidence]
    assert kinds == [r.StopAsked, r.Frame, r.SubjectExited]
    assert found.observed == "the client closed with 1000 and left 0.400 s after it was asked"


def test_a_call_about_tokens_is_no_way_back() -> None:
    def called(path: str, *, then: float | None = None) -> str:
        talk = leaves(8)
        talk.told += [
            r.Accepted(t=42 * S, conn=9),
            r.Head(t=42 * S, conn=9, method="GET", target=path, headers=(), upgrade=False),
            r.RestRequest(t=42 * S, conn=9, ordinal=1, method="GET", target=path),
            r.RestAnswer(t=42 * S, conn=9, ordinal=1, status=200),
        ]
        if then is not None:
            back(talk, then)
        return str(said_of(talk)[0].verdict)

    assert called("/v1/auth/renewaccesstoken") == called("/v1/auth/accesstokenrequest") == "pass"
    assert called("/v1/auth/renewaccesstoken", then=44) == "fail"


def life(point: str) -> Talk:
    """A socket that comes as far as `point`; the client is asked to stop at 20 s, closes, and leaves."""
    talk = alone(60, opens=point != "before `o`")
    if point not in ("before `o`", "unasked"):
        authorize(talk, 2, **({} if point == "not yet authorized" else {"s": 200}))
    if point == "not yet synced":
        sync(talk, 3)
    if point == "while a penalty runs":
        sync(talk, 3, d={"p-ticket": "«p-ticket#1»", "p-time": 30})
    if point == "open connection":
        sync(talk, 3, d={"p-ticket": "«p-ticket#1»", "p-time": 10})
    talk.stop(20 * S)
    return talk


@pytest.mark.parametrize(
    "point",
    ["before `o`", "not yet authorized", "not yet synced", "while a penalty runs", "open connection"],
)
def test_wherever_it_is_asked_to_stop_it_says_good_bye(point: str) -> None:
    talk = life(point)
    talk.close(21 * S, 1, "client", 1000)
    talk.exit(22 * S, 0, asked=True)
    assert [(str(f.verdict), f.clause) for f in said_of(talk)] == [("pass", point)]
    talk = life(point)
    ended(talk, 21, by="client")
    talk.exit(22 * S, 0, asked=True)
    assert [(str(f.verdict), f.clause) for f in said_of(talk)] == [("fail", point)], "no close frame"


def test_each_start_of_the_client_is_asked() -> None:
    talk = leaves(0.4)
    talk.told.append(r.SubjectStarted(t=45 * S, start=2))
    opened(talk, 46 * S, 2)
    talk.stop(48 * S)
    ended(talk, 48.1, 2, by="client")
    talk.exit(round(48.2 * S), 0, asked=True)
    found = {finding.clause: str(finding.verdict) for finding in said_of(talk)}
    assert found == {"open connection": "pass", "not yet authorized": "fail"}
