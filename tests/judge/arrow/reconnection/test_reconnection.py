"""Coming back: conversations made by hand, and what becomes of the row that each is about."""

from __future__ import annotations

import pytest
from arrow_talks import Talk


def ladder(*delays: float, until: float = 0, told: dict[str, str] | None = None, back: bool = False) -> Talk:
    """A loss at 10 s and attempts that fail, each so long after the one before; with `back` the last succeeds."""
    talk = Talk(0, settings={"told": told or {}})
    talk.asks(1, 1)
    talk.ends(10, 1)
    at = 10.0
    for number, delay in enumerate(delays, 2):
        at += delay
        talk.asks(at, number, status=101 if back and number == len(delays) + 1 else 503)
    talk.until = until or at + 60
    return talk


@pytest.mark.parametrize(
    ("delays", "verdict"),
    [
        ((1, 2, 4, 8, 10, 10), "pass"),
        ((2, 4, 8, 10, 10), "pass"),
        ((1.05, 2.1, 4.3, 8.7, 10.9), "pass"),
        ((1, 2, 4, 8.9 + 0.7, 10), "inconclusive"),
        ((1, 2, 4, 8, 16), "fail"),
        ((1, 2, 4, 12, 10), "fail"),
        ((1, 2, 4, 6, 10), "fail"),
        ((1, 1, 1, 1, 1), "fail"),
        ((5, 5, 5, 5, 5), "fail"),
        ((), "fail"),
    ],
)
def test_delays_follow_a_ladder(delays: tuple[float, ...], verdict: str) -> None:
    assert ladder(*delays).verdict("AOR-010") == verdict


@pytest.mark.parametrize(
    ("delays", "rungs"),
    [
        ((1, 2, 4, 8, 10, 10), (1, 2, 4, 8, 10, 10)),
        ((2, 4, 8, 10, 10), (2, 4, 8, 10, 10)),
        ((5, 5, 5, 5, 5), (1, 2, 4, 8, 10)),
    ],
)
def test_the_delays_are_drawn_beside_the_rungs_of_their_ladder(
    delays: tuple[float, ...], rungs: tuple[float, ...]
) -> None:
    (drawn,) = next(one.drawn for one in ladder(*delays).findings("AOR-010") if one.drawn)
    assert drawn.values == pytest.approx(delays) and drawn.rungs == rungs
    assert drawn.limits == (("longest delay", 10),)


def test_an_upgrade_that_ends_at_once_is_an_attempt_that_failed() -> None:
    talk = Talk(80)
    talk.asks(1, 1)
    talk.ends(10, 1)
    for conn, at in enumerate((11, 13, 17, 25, 35), 2):
        talk.asks(at, conn)
        if at < 35:
            talk.ends(at + 0.05, conn)
    assert talk.verdict("AOR-010") == "pass", "1, 2, 4, 8 and 10 s: one series, and no success before the last"


def test_the_cap_is_the_one_that_the_client_was_told() -> None:
    told = {"RECONNECT_MAX_DELAY": "3"}
    assert ladder(1, 2, 3, 3, 3, told=told).verdict("AOR-010") == "pass"
    assert ladder(1, 2, 4, 8, 10, told=told).verdict("AOR-010") == "fail"


def tries(count: int, *ended: float) -> str:
    """Told to try five times, 1 s apart; `noreconnect` so long after the last attempt."""
    talk = ladder(*[1] * count, told={"RECONNECT_MAX_TRIES": "5", "RECONNECT_MAX_DELAY": "1"})
    talk.raised("noreconnect", *(10 + count + one for one in ended))
    return talk.verdict("AOR-020")


def test_attempts_stop_after_as_many_as_told_and_that_is_raised_once() -> None:
    assert tries(5, 0.1) == tries(6, 0.1) == "pass"
    assert tries(7, 0.1) == "fail"
    assert tries(4, 0.1) == "fail"
    assert tries(5) == "fail"
    assert tries(5, 0.1, 2) == "fail"
    assert tries(5, -1.5) == "fail", "before the last attempt"


def test_a_client_that_was_told_to_stay_away_does() -> None:
    told = {"AUTO_RECONNECT": "false"}
    assert ladder(told=told).verdict("AOR-030") == "pass"
    assert ladder(1, told=told).verdict("AOR-030") == "fail"
    assert ladder(1).verdict("AOR-030") in ("not observed", "blocked"), "it was told nothing of the kind"
    assert ladder(told=told, until=25).verdict("AOR-030") == "not observed"


def twice(*again: float, told: dict[str, str] | None = None, back: bool = True, until: float = 120) -> str:
    """Back after 1, 2, 4 and 8 s; lost again at 60 s, and then these delays."""
    talk = ladder(1, 2, 4, 8, back=True, told=told, until=until)
    talk.ends(60, 5)
    at = 60.0
    for number, delay in enumerate(again, 6):
        at += delay
        talk.asks(at, number, status=101 if back and number == len(again) + 5 else 503)
    return talk.verdict("AOR-040")


def test_after_a_success_the_ladder_and_the_count_begin_again() -> None:
    assert twice(1) == twice(1, 2, 4) == "pass"
    assert twice(8, 10, 10) == twice(2, 4, 8) == "fail", "later rungs"
    assert twice(6, 2, 4) == "pass", "it noticed the loss after 5 s, and its ladder began at its first rung"
    assert twice(2) == twice(10) == "inconclusive", "a later rung, or a loss that was noticed late: nothing tells"
    assert twice() == "fail"
    assert twice(1, 2, back=False) == "fail", "it stopped"
    assert twice(1.7) == "inconclusive", "less than a rung, more than a timer"


def many(account: str, *, sockets: int, reconnects: int) -> dict[str, str]:
    talk = Talk(120, settings={"account": account})
    for number in range(sockets):
        talk.asks(1, number + 1)
    talk.ends(10, 1)
    for number in range(reconnects):
        last = number == reconnects - 1
        talk.asks(11 + number, 100 + number, status=101 if last else 503)
    return talk.clauses("AOR-050")


def test_an_account_has_its_limits() -> None:
    assert many("Basic", sockets=1, reconnects=10) == {"": "pass"}
    assert many("Basic", sockets=2, reconnects=10)["connections"] == "fail"
    assert many("Basic", sockets=1, reconnects=11)["reconnects"] == "fail"
    assert many("Premium", sockets=3, reconnects=30) == {"": "pass"}
    assert many("Premium", sockets=1, reconnects=31)["reconnects"] == "fail"
    assert many("Enterprise", sockets=10, reconnects=45) == {"": "pass"}


def test_one_outage_starts_one_series() -> None:
    assert ladder(1, 2, 4, 8).clauses("AOR-060") == {"": "pass"}
    assert ladder(1, 0.3, 2, 4).clauses("AOR-060")["overlap"] == "fail"
    left = ladder(1, 2, 4, 8, back=True)
    left.asks(40, 9)
    assert left.clauses("AOR-060")["left over"] == "fail"


@pytest.mark.parametrize(
    ("plain", "own", "late", "verdict"),
    [
        ((1,), (1,), 0, "pass"),
        ((1,), (2,), 0, "inconclusive"),
        ((2,), (2,), 0, "pass"),
        ((1,), (1.7,), 0, "inconclusive"),
        ((1,), (1.1,), 0.24, "pass"),
        ((1.1,), (2,), 0.24, "inconclusive"),
        ((1, 2, 4), (2, 4, 8), 0, "fail"),
        ((2, 4, 8), (4, 8, 10), 0, "fail"),
        ((1, 2, 4), (2, 2, 4), 0, "pass"),
        ((1, 2, 4), (9, 4, 8), 0, "fail"),
        ((2, 2, 2), (4, 2, 2), 0, "inconclusive"),
        ((1, 2, 4), (2, 3, 4), 0.24, "inconclusive"),
    ],
)
def test_a_time_out_skips_no_rung(plain: tuple[float, ...], own: tuple[float, ...], late: float, verdict: str) -> None:
    """The first loss is the broker's; the second the client's own giving up. `late` is the harness's own lateness."""
    talk = _both(plain, own)
    calibration = {"round_trip_p99": late * 1000}
    assert talk.verdict("AOR-060", calibration=calibration if late else {}) == verdict


@pytest.mark.parametrize("pause", [0, 1, 3, 5, 9])
@pytest.mark.parametrize("ladder", [(1, 2, 4), (2, 4, 8)])
def test_a_loss_that_is_noticed_late_skips_no_rung(pause: float, ladder: tuple[float, ...]) -> None:
    """A library may tell of its own close after seconds. A client that begins its ladder then skips nothing."""
    late = (pause + ladder[0], *ladder[1:])
    assert _both(ladder, late).verdict("AOR-060") == "pass"
    assert _both(ladder, (pause + ladder[1], ladder[2], 2 * ladder[2])).verdict("AOR-060") == "fail"


def _both(plain: tuple[float, ...], own: tuple[float, ...]) -> Talk:
    """A plain loss at 10 s, and the client's own giving up at 60 s, each with its delays; the last attempts succeed."""
    talk = Talk(130)
    talk.asks(1, 1)
    talk.ends(10, 1)
    _attempts(talk, 10, 2, plain)
    talk.closes(60, 1 + len(plain), "client", 1000)
    _attempts(talk, 60, 2 + len(plain), own)
    return talk


def _attempts(talk: Talk, at: float, conn: int, delays: tuple[float, ...]) -> None:
    for number, delay in enumerate(delays):
        at += delay
        talk.asks(at, conn + number, status=101 if number == len(delays) - 1 else 503)
