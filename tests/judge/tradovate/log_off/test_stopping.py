"""Log-off: OFF-010."""

from __future__ import annotations

from brokercert.trace import records as r
from talks import S, healthy
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
