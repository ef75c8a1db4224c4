"""A client that was asked to stop owes no way back, and one that died is praised for no restraint."""

from __future__ import annotations

from arrow_talks import Talk, us
from brokercert.trace import records as r


def lost(until: float = 90, **told: str) -> Talk:
    """A socket that is lost at 10 s."""
    talk = Talk(until, settings={"told": told})
    talk.asks(1, 1)
    talk.ends(10, 1)
    return talk


def exits(talk: Talk, at: float, *, asked: bool) -> None:
    talk.told.append(r.SubjectExited(t=us(at), code=0, asked=asked))


def test_one_that_was_asked_to_stop_owes_no_attempt() -> None:
    assert lost().verdict("AOR-010") == "fail"
    talk = lost()
    talk.stop(12)
    exits(talk, 12.5, asked=True)
    assert talk.verdict("AOR-010") != "fail"
    talk = lost()
    exits(talk, 12.5, asked=False)
    assert talk.verdict("AOR-010") == "fail", "it left by itself"


def test_one_that_was_asked_to_stop_need_not_try_on() -> None:
    told = {"RECONNECT_MAX_TRIES": "5", "RECONNECT_MAX_DELAY": "1"}

    def tried(*, stopped: bool) -> str:
        talk = lost(**told)
        talk.asks(11, 2, status=503)
        talk.asks(12, 3, status=503)
        if stopped:
            talk.stop(12.2)
            exits(talk, 12.5, asked=True)
        return talk.verdict("AOR-020")

    assert tried(stopped=False) == "fail"
    assert tried(stopped=True) != "fail"


def test_a_dead_client_does_not_stay_away() -> None:
    told = {"AUTO_RECONNECT": "false"}
    assert lost(**told).verdict("AOR-030") == "pass"
    talk = lost(**told)
    exits(talk, 10.4, asked=False)
    assert talk.verdict("AOR-030") == "not observed"


def test_a_dead_client_does_not_end_its_tries() -> None:
    def given_up(*, dies: float | None) -> str:
        talk = lost(RECONNECT_MAX_TRIES="5", RECONNECT_MAX_DELAY="1")
        for number in range(5):
            talk.asks(11 + number, 2 + number, status=503)
        talk.raised("noreconnect", 15.1)
        if dies is not None:
            exits(talk, dies, asked=False)
        return talk.verdict("AOR-020")

    assert given_up(dies=None) == given_up(dies=80) == "pass"
    assert given_up(dies=15.2) == "not observed"
