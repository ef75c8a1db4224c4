"""Each number that a verdict hangs on is held from both sides, 10 % apart: the verdict changes between them.

The table is over the limits of the sets. A limit that no verdict hangs on at one value stands in `OTHERWISE`, with what
holds it. A limit of neither fails the last test: whoever adds one says how it is held.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import of_arrow
import of_stage2
import pytest
from of_stage2 import STAGE2
from traces import rows_of

TESTS = Path(__file__).parents[2]
ARROW = "arrow-orders"
STEP = 0.1


@dataclass(frozen=True)
class Held:
    """A conversation whose one quantity is `value`, and the verdicts of `row` below and above the limit's value.

    `whole`: a count, which is held by itself and by one more. `sum_of`: further limits that the row adds to it.
    `times`: the share that it adds, as a tolerance.
    """

    limit: str
    row: str
    build: Callable[[float], Any]
    below: str
    above: str
    whole: bool = False
    sum_of: tuple[str, ...] = ()
    times: float = 1
    note: str = ""
    set_id: str = STAGE2

    def __str__(self) -> str:
        return f"{self.limit}-{self.row}{self.note}"


def value_of(set_id: str, name: str) -> float:
    return rows_of(set_id).limits[name].value


def arrow(limit: str, row: str, build: Callable[[float], Any], below: str, above: str, **more: Any) -> Held:
    """Of Arrow's set."""
    return Held(limit, row, build, below, above, set_id=ARROW, **more)


TABLE = (
    Held("connect", "LOG-010", of_stage2.upgrade_takes, "pass", "fail"),
    Held("authenticate", "LOG-030", of_stage2.authorize_takes, "pass", "fail"),
    Held("first_request", "LOG-035", of_stage2.asks_after, "pass", "warning"),
    Held("pong", "CON-070", of_stage2.unanswered_ping, "not observed", "fail"),
    Held("authorize_again", "LOG-020", of_stage2.authorize_again, "fail", "warning"),
    Held("window_first_authorize", "LOG-010", of_stage2.never_connects, "not observed", "fail"),
    Held("withhold", "LOG-025", of_stage2.open_held, "not observed", "pass"),
    Held("give_up", "LOG-080", of_stage2.never_opened, "warning", "fail", sum_of=("timer_late",)),
    Held("give_up_should", "LOG-080", of_stage2.never_opened, "pass", "warning", sum_of=("timer_late",)),
    Held("refused_token_window", "LOG-040", of_stage2.refused_within, "fail", "pass"),
    Held("one_use", "LOG-040", of_stage2.one_use_of_two, "pass", "fail"),
    Held("heartbeat_gap_page", "HBT-010", of_stage2.beats_every, "pass", "fail", times=1.1),
    Held("heartbeat_gap_protocol", "HBT-020", of_stage2.beats_every, "pass", "warning", times=1.1),
    Held("silence", "HBT-050", of_stage2.silent_for, "warning", "fail", sum_of=("timer_late",)),
    Held("silence_should", "HBT-050", of_stage2.silent_for, "pass", "warning", sum_of=("timer_late",)),
    Held("load_span", "HBT-030", lambda value: of_stage2.load_of(value), "silent", "pass"),
    Held("load_pause", "HBT-030", lambda value: of_stage2.load_of(every=value), "pass", "silent"),
    Held("quiet", "HBT-040", of_stage2.quiet_for, "silent", "pass"),
    Held("lane_doubled", "REC-060", of_stage2.two_sockets_for, "pass", "fail"),
    Held("old_socket_beats", "HBT-080", of_stage2.old_beats_for, "pass", "fail"),
    Held("second_stream", "HBT-080", of_stage2.second_stream, "pass", "fail"),
    Held("reconnect", "REC-010", of_stage2.back_after, "pass", "fail"),
    Held("fin_after_event", "REC-010", of_stage2.fin_after_event, "fail", "not observed"),
    Held("fin_after_quiet", "REC-015", of_stage2.fin_after_event, "silent", "warning"),
    Held("closing_allowance", "REC-010", of_stage2.broker_closes_for, "fail", "pass", note="-closing"),
    Held("lane_overlap", "REC-060", of_stage2.overlap, "pass", "fail"),
    Held("ticket_late", "RLP-020", of_stage2.ticketed, "pass", "fail"),
    Held("lockout", "RLP-070", of_stage2.after_429, "fail", "pass"),
    Held("captcha_rest", "RLP-040", of_stage2.captcha_again, "fail", "pass"),
    Held("window_recovery", "CON-040", of_stage2.outage, "pass", "fail"),
    Held("window_control", "MSG-010", of_stage2.control, "not observed", "pass"),
    Held("stop_under_way", "OFF-010", of_stage2.stops, "pass", "fail"),
    Held("leave", "OFF-010", of_stage2.leaves, "pass", "warning"),
    Held("refused_token_repeats", "LOG-040", of_stage2.refused_so_often, "pass", "fail", whole=True),
    Held("attempts_60s", "LOG-040", lambda n: of_stage2.tried_after_refusal(n, 2.4), "pass", "fail", whole=True),
    Held("attempts_5s", "LOG-040", lambda n: of_stage2.tried_after_refusal(n, 0.6), "pass", "fail", whole=True),
    Held("attempts_60s", "REC-050", lambda n: of_stage2.attempts_of(n, 60), "pass", "fail", whole=True),
    Held("attempts_5s", "REC-050", lambda n: of_stage2.attempts_of(n, 5), "pass", "fail", whole=True),
    Held("heartbeat_flood", "HBT-070", of_stage2.flood, "pass", "warning", whole=True),
    Held("ticket_early", "RLP-020", lambda value: of_stage2.ticketed(-value), "pass", "fail"),
    Held("backoff_tail", "REC-050", lambda n: of_stage2.tail_of(n - 1), "pass", "fail", whole=True),
    Held("left_over", "REC-100", lambda n: of_stage2.dropped(n, held="descriptors"), "pass", "warning", whole=True),
    Held(
        "left_over",
        "REC-100",
        lambda n: of_stage2.dropped(n, held="threads"),
        "pass",
        "warning",
        whole=True,
        note="-threads",
    ),
    Held("left_over_memory", "REC-100", lambda value: of_stage2.dropped(value, held="memory"), "pass", "warning"),
    Held("client_closing", "REC-010", of_stage2.client_closes_for, "pass", "fail"),
    Held("one_loss", "REC-050", of_stage2.lost_together, "pass", "fail"),
    Held("series_ends", "REC-010", of_stage2.series, "pass", "fail"),
    Held("outage", "REC-050", of_stage2.away, "not observed", "pass"),
    Held("backoff_growth", "REC-050", of_stage2.grown, "fail", "pass"),
    Held("backoff_floor", "REC-050", of_stage2.long_enough, "fail", "pass"),
    Held("arrival", "LOG-040", of_stage2.crossed, "pass", "fail"),
    Held("load_after_h", "HBT-030", of_stage2.beat_after_h, "fail", "pass"),
    Held("load_reached", "HBT-030", of_stage2.reached, "not observed", "pass"),
    Held("quiet_watchdog", "HBT-040", of_stage2.left_in_quiet, "blocked", "fail"),
    Held("request_end", "REQ-030", of_stage2.unanswered_for, "pass", "fail"),
    Held("request_end", "REQ-040", of_stage2.given_up_after, "pass", "fail"),
    Held("request_wait", "REQ-040", of_stage2.given_up_after, "fail", "pass"),
    Held("ticket_late", "LOG-060", of_stage2.left_after_penalty, "pass", "fail"),
    Held("window_single_sync", "EVT-010", of_stage2.no_second_sync_for, "not observed", "pass"),
    Held("window_default", "REQ-010", of_stage2.watched_ids, "not observed", "pass"),
    Held("window_stability", "LOG-060", of_stage2.stable_for, "not observed", "pass"),
    Held("window_heartbeat", "HBT-010", of_stage2.beating_for, "not observed", "pass"),
    Held("window_refused", "LOG-040", of_stage2.refused_for, "not observed", "pass"),
    Held("window_lockout", "RLP-070", of_stage2.locked_for, "not observed", "pass"),
    Held("window_captcha", "RLP-040", of_stage2.captcha_for, "not observed", "pass"),
    Held("window_first_sync", "EVT-020", of_stage2.never_synced, "not observed", "fail"),
    Held("snapshot_settle", "EVT-050", of_stage2.settles, "not observed", "fail"),
    Held("snapshot_stable", "EVT-050", of_stage2.stays_equal, "not observed", "pass"),
    Held("order_waits", "REC-095", of_stage2.kept_order, "not observed", "fail"),
    Held("processing_p99", "EVT-150", of_stage2.burst, "pass", "fail"),
    Held("canary_lag", "EVT-150", of_stage2.lagging, "fail", "inconclusive"),
    Held("canary_busy", "EVT-150", of_stage2.busy_for, "fail", "inconclusive"),
    Held("canary_alone", "EVT-150", of_stage2.crowded, "fail", "inconclusive"),
    Held("burst_fewest", "EVT-150", lambda n: of_stage2.fewer(n - 1), "not observed", "pass", whole=True),
    Held("burst_slower", "EVT-150", of_stage2.slower, "pass", "inconclusive"),
    Held("second_stream_beats", "HBT-080", lambda n: of_stage2.few_beats(n - 1), "pass", "fail", whole=True),
    Held("token_leads", "REC-010", of_stage2.token_before, "pass", "fail"),
    Held("in_turn", "REC-010", of_stage2.back_in_turn, "pass", "fail"),
    Held("healthy_gap", "LOG-060", of_stage2.unknown_words, "fail", "inconclusive"),
    Held("healthy_span", "LOG-060", of_stage2.gap_before, "inconclusive", "fail"),
    # Arrow.
    arrow("reconnect_max_delay", "AOR-010", of_arrow.cap_of, "pass", "inconclusive", times=1.1),
    arrow("timer_slack", "AOR-010", of_arrow.late_first_rung, "pass", "inconclusive"),
    arrow("calm", "AOH-010", of_arrow.late_harness, "pass", "inconclusive"),
    arrow("raised_early", "AOC-030", lambda value: of_arrow.raised_late(-value), "pass", "fail"),
    arrow("read_timeout", "AOH-020", of_arrow.arrow_silent, "warning", "pass", times=0.9),
    arrow("goodbye", "AOC-040", lambda value: of_arrow.arrow_stop(left=value), "pass", "fail"),
    arrow("track_timeout", "AOU-080", of_arrow.track_given_up, "pass", "fail"),
    arrow("window_recovery", "AOC-025", of_arrow.session_over, "not observed", "fail"),
    arrow("next_attempt", "AOR-010", of_arrow.never_tried, "not observed", "fail"),
    arrow("tries_quiet", "AOR-020", of_arrow.stopped_trying, "not observed", "pass"),
    Held(
        "reconnect_max_tries",
        "AOR-020",
        lambda n: of_arrow.arrow_tries(n + 1),
        "pass",
        "fail",
        set_id=ARROW,
        whole=True,
    ),
    Held(
        "ladder_attempts",
        "AOR-010",
        lambda n: of_arrow.rungs_seen(n - 1),
        "not observed",
        "pass",
        set_id=ARROW,
        whole=True,
    ),
    arrow("machine_late", "AOR-010", of_arrow.late_rung, "inconclusive", "fail"),
    arrow("back_after_time_out", "AOH-020", of_arrow.given_up_and_not_back, "not observed", "fail"),
    arrow("pong", "AOC-060", of_arrow.unanswered_ping, "not observed", "fail"),
    arrow("window_default", "AOC-050", of_arrow.well_formed_for, "not observed", "pass"),
    arrow("first_pong", "AOH-010", of_arrow.first_beat, "pass", "fail"),
    arrow("snapshot_settle", "AOU-010", of_arrow.believed, "not observed", "fail"),
    arrow("clear_terminal", "AOU-070", of_arrow.cleared, "not observed", "warning"),
    arrow("raised_within", "AOC-030", of_arrow.raised_late, "pass", "fail"),
    arrow("window_connect", "AOC-010", of_arrow.arrow_never, "not observed", "fail"),
    arrow("attempts_apart", "AOR-060", of_arrow.together, "fail", "pass"),
    arrow("read_timeout_most", "AOH-020", of_arrow.arrow_silent, "pass", "fail", times=1.1),
    arrow("pong_every", "AOH-010", of_arrow.ponged, "pass", "fail", times=1.1),
    arrow("window_stop", "AOC-040", lambda value: of_arrow.arrow_stop(until=value), "not observed", "pass"),
    arrow("stop_flight", "AOC-040", lambda value: of_arrow.arrow_stop(back_at=value), "pass", "fail"),
    arrow("refused_attempts", "AOC-020", of_arrow.arrow_refused, "pass", "fail", whole=True),
    Held(
        "window_refused",
        "AOC-020",
        lambda value: of_arrow.arrow_refused(2, 1 + value),
        "not observed",
        "pass",
        set_id=ARROW,
    ),
    arrow("window_restraint", "AOR-030", of_arrow.arrow_stays_away, "not observed", "pass"),
    Held(
        "basic_sockets",
        "AOR-050",
        lambda n: of_arrow.arrow_account("Basic", sockets=n),
        "pass",
        "fail",
        set_id=ARROW,
        whole=True,
    ),
    Held(
        "premium_sockets",
        "AOR-050",
        lambda n: of_arrow.arrow_account("Premium", sockets=n),
        "pass",
        "fail",
        set_id=ARROW,
        whole=True,
    ),
    Held(
        "enterprise_sockets",
        "AOR-050",
        lambda n: of_arrow.arrow_account("Enterprise", sockets=n),
        "pass",
        "fail",
        set_id=ARROW,
        whole=True,
    ),
    Held(
        "basic_reconnects",
        "AOR-050",
        lambda n: of_arrow.arrow_account("Basic", reconnects=n),
        "pass",
        "fail",
        set_id=ARROW,
        whole=True,
    ),
    Held(
        "premium_reconnects",
        "AOR-050",
        lambda n: of_arrow.arrow_account("Premium", reconnects=n),
        "pass",
        "fail",
        set_id=ARROW,
        whole=True,
    ),
    arrow("rungs_apart", "AOR-060", of_arrow.second_rung, "inconclusive", "fail"),
)


@pytest.mark.parametrize("held", TABLE, ids=str)
def test_a_verdict_changes_between_the_two_sides_of_its_limit(held: Held) -> None:
    limit = held.times * sum(value_of(held.set_id, name) for name in (held.limit, *held.sum_of))
    sides = (limit, limit + 1) if held.whole else (limit * (1 - STEP / 2), limit * (1 + STEP / 2))
    for value, due in zip(sides, (held.below, held.above), strict=True):
        assert said_of(held, value) == due, value


def said_of(held: Held, value: float) -> str:
    """The row's verdict where the conversation's quantity is that; `silent`: what it is about did not come up."""
    talk = held.build(value)
    if held.set_id == ARROW:
        return str(talk.verdict(held.row))
    said = talk.verdict(held.row)
    return "silent" if said in ("not observed", "blocked") and SILENT in _words(talk, held) else str(said)


SILENT = "did not come up"


def _words(talk: Any, held: Held) -> str:
    offers = ("wire", "tokens", *rows_of(STAGE2).by_id[held.row].needs)
    found = talk.findings(offers=offers)
    return " ".join(one.observed for one in found if one.requirement == held.row)


# Limits on which no verdict hangs at one value, or whose both sides another test holds.
SCENARIO = "how long a scenario plays or waits: no check reads it"
STANDSTILL = "both sides, 10 % apart: tests/judge/test_standstill.py"
OTHERWISE: dict[str, dict[str, str]] = {
    STAGE2: {
        "stall_noticed": STANDSTILL,
        "stall_late": STANDSTILL,
        "stall_flight": STANDSTILL,
        "stall_owed": STANDSTILL,
        "heartbeat_gap_tolerance": "part of the two gaps that are held: tests/judge/sides/test_both_sides.py",
        "left_over_memory_floor": "small and large: tests/judge/tradovate/reconnection/test_resources.py",
        "quiet_noted": "no verdict hangs on it below `quiet`: tests/judge/tradovate/heartbeats/test_cadence.py",
        "frame_messages": "four and three: tests/judge/tradovate/events/test_stimuli.py",
        "snapshot_size": "one that is smaller is not observed: tests/judge/tradovate/events/test_snapshots.py",
        "snapshot_size_small": "the same in virtual time: tests/judge/tradovate/events/test_snapshots.py",
        "window_stop": "cut short by a second: tests/matrix/test_windows.py",
        "window_request": SCENARIO,
        "shape_settle": SCENARIO,
        "shape_most": SCENARIO,
        "burst_messages": SCENARIO,
        "burst_rate": "`burst_slower` is a share of it: tests/judge/sides/test_both_sides.py",
        "drops": "names the reading that is judged: tests/judge/tradovate/reconnection/test_resources.py",
        "drops_settled": "names the reading that is judged: tests/judge/tradovate/reconnection/test_resources.py",
    },
    ARROW: {
        "stall_noticed": STANDSTILL,
        "stall_late": STANDSTILL,
        "stall_flight": STANDSTILL,
        "stall_owed": STANDSTILL,
        "tolerance": "part of the delays and beats that are held: tests/judge/sides/test_both_sides.py",
        "window_heartbeat": SCENARIO,
        "window_outage": SCENARIO,
    },
}


def test_what_holds_a_limit_otherwise_is_there() -> None:
    for said in (said for by_limit in OTHERWISE.values() for said in by_limit.values()):
        _, _, path = said.rpartition(": ")
        assert said == SCENARIO or (TESTS.parent / path).is_file(), said


@pytest.mark.parametrize("set_id", [STAGE2, ARROW])
def test_every_limit_is_held(set_id: str) -> None:
    here = {name for one in TABLE if one.set_id == set_id for name in (one.limit, *one.sum_of)}
    known = set(rows_of(set_id).limits)
    assert here | set(OTHERWISE[set_id]) == known, "hold it in TABLE, or say in OTHERWISE what does"
    assert not here & set(OTHERWISE[set_id])
