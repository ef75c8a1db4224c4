"""EVT-150 from traces made by hand: which figure, which error, and when the machine is to blame."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import Any

import pytest
from brokercert.judge.tradovate.events.processing import BURST, check_processing_time
from brokercert.trace import records as r
from brokercert.verdict import Finding, Verdict
from traces import bench_of, header

MS, S = 1_000, 1_000_000
SET = "tradovate-stage2"
COUNT = 1000  # messages, one a millisecond from the second second on
CALM = tuple((S + 20 * MS * n, 200) for n in range(50))  # a canary that answers after 0.2 ms


def written(n: int) -> int:
    return S + n * MS


def judged(
    took: Callable[[int], int | None],
    canary: Iterable[tuple[int, int]] = CALM,
    *,
    name: Callable[[int], dict[str, Any]] = lambda n: {"entityType": "order", "id": n, "eventType": "Created"},
    at: Callable[[int], int] = written,
    tier: str = "real",
    others: float = 0.0,
    count: int = COUNT,
) -> list[Finding]:
    """Findings of a burst of which message `n` is reported so many microseconds after it was written; None: never."""
    records: list[r.Body] = [r.Accepted(t=0, conn=1), r.UpgradeAnswer(t=0, conn=1, status=101)]

    def frame(t: int, sender: r.Side, text: str) -> None:
        records.append(r.Frame(t=t, conn=1, sender=sender, ordinal=1, opcode=1, text=text))

    frame(0, "broker", "o")
    frame(0, "client", "authorize\n0\n\ntoken")
    frame(0, "broker", 'a[{"s":200,"i":0}]')
    frame(0, "client", 'user/syncrequest\n1\n\n{"entityTypes":["order"]}')
    frame(0, "broker", 'a[{"s":200,"i":1,"d":{}}]')
    frame(0, "broker", "h")
    lines: list[r.Body] = []
    for n in range(count):
        entity = f'{{"entityType":"order","eventType":"Created","entity":{{"id":{n}}}}}'
        frame(at(n), "broker", f'a[{{"e":"props","d":{entity}}}]')
        if (after := took(n)) is not None:
            body = {"event": "processed", **name(n)}
            lines.append(r.SubjectReport(t=at(n) + after, event="processed", body=body))
    records = sorted([*records, *lines], key=lambda record: record.t)
    end = max(records[-1].t, at(count - 1)) + MS
    records += [r.Canary(t=end, samples=tuple(canary), others=others), r.Window(t=end, name=BURST, since=S - MS)]
    bench = bench_of(
        SET, records, "EVT-150", tier=tier, clock="monotonic", level="reports", offers=("wire", "report"),
        calibration={"round_trip_p99": 0.3}, limits={**header(SET).limits, "burst_messages": count},
    )  # fmt: skip
    return list(check_processing_time(bench))


def figure(finding: Finding) -> tuple[float, float]:
    return finding.measured[0].value, finding.measured[0].error


@pytest.mark.parametrize(("delay", "verdict"), [(80, "pass"), (99, "pass"), (102, "fail"), (150, "fail")])
def test_a_pipelined_delay_is_its_own_figure(delay: int, verdict: str) -> None:
    (finding,) = judged(lambda n: delay * MS)
    assert finding.verdict == verdict
    assert figure(finding) == (delay / 1000, 0.0005), "round trip 0.3 ms and the canary's usual 0.2 ms"


def test_what_was_timed_is_drawn_whatever_is_said_of_it() -> None:
    """Each message once; of one that was never reported, as long as it was watched."""
    for took in (
        lambda n: 80 * MS,
        lambda n: 150 * MS,
        lambda n: 200 * MS if n % 100 == 0 else MS,
        lambda n: n or None,
    ):
        for finding in judged(took):
            (drawn,) = finding.drawn
            assert sum(drawn.counts) == COUNT and drawn.limits == (("limit", 0.1),)
    (drawn,) = judged(lambda n: 80 * MS)[0].drawn
    assert drawn.counts == (COUNT,) and drawn.values[0] < 0.08 <= drawn.values[1]


def test_a_figure_within_its_error_of_the_limit_is_inconclusive_above_it_and_stands_below() -> None:
    (above,) = judged(lambda n: 100 * MS + 300)
    (below,) = judged(lambda n: 100 * MS - 300)
    assert (above.verdict, below.verdict) == (Verdict.INCONCLUSIVE, Verdict.PASS)


def test_one_that_blocks_shows_its_backlog() -> None:
    (finding,) = judged(lambda n: (n + 1) * MS)  # 2 ms a message: each is 1 ms later than the one before
    assert finding.verdict == "fail"
    assert "up to 500 messages waited at a time" in finding.observed
    assert "the median was 50.0 ms in the first tenth, 950.0 ms in the last" in finding.observed


def test_ninety_nine_of_a_hundred_count_and_the_worst_is_a_warning() -> None:
    passed, worst = judged(lambda n: 200 * MS if n % 100 == 0 else MS)
    assert (passed.verdict, worst.verdict, worst.clause) == (Verdict.PASS, Verdict.WARNING, "worst")
    (failed,) = judged(lambda n: 200 * MS if n % 50 == 0 else MS)
    assert failed.verdict == "fail"


def test_lag_of_the_canary_makes_no_failure_but_of_what_is_slow_throughout() -> None:
    lag = ((S + 500 * MS, 60 * MS),)

    def stalled(n: int) -> int:
        return max(MS, S + 610 * MS - written(n)) if 450 <= n < 600 else MS

    (finding,) = judged(stalled, (*CALM[:25], *lag, *CALM[29:]))
    assert finding.verdict == "inconclusive" and "the machine was busy" in finding.observed
    (slow,) = judged(lambda n: 170 * MS, (*CALM[:25], *lag, *CALM[29:]))
    assert slow.verdict == "fail", "its median is above the limit, lag or none"
    always = tuple((S + 100 * MS * n, 50 * MS) for n in range(10))
    (finding,) = judged(lambda n: 170 * MS, always)
    assert finding.verdict == "inconclusive", "half of the time was the machine's"
    (quick,) = judged(lambda n: 90 * MS, always)
    assert quick.verdict == "pass", "a busy machine makes a figure larger, never smaller"


def test_what_other_programs_use_makes_no_failure() -> None:
    (finding,) = judged(lambda n: min(1 + n, 150) * MS, others=1.5)  # it falls behind, as one does that gets no turn
    assert finding.verdict == "inconclusive" and "it was not alone" in finding.observed
    (finding,) = judged(lambda n: 150 * MS, others=1.5)
    assert finding.verdict == "fail", "not one was quick, not even the first, which came to an idle client"
    assert "other programs used 1.5 cores" in finding.observed
    (finding,) = judged(lambda n: 150 * MS, tuple((S + 100 * MS * n, 50 * MS) for n in range(10)), others=1.5)
    assert finding.verdict == "inconclusive", "the machine was so busy that nothing can be said"
    (finding,) = judged(lambda n: 80 * MS, others=1.5)
    assert finding.verdict == "pass"
    (finding,) = judged(lambda n: 150 * MS, others=0.1)
    assert finding.verdict == "fail"


def test_one_message_that_may_have_waited_for_its_turn_is_no_warning() -> None:
    (finding,) = judged(lambda n: 200 * MS if n == 500 else MS, others=1.5)
    assert finding.verdict == "pass" and "other programs used 1.5 cores" in finding.observed
    assert [f.verdict for f in judged(lambda n: 200 * MS if n == 500 else MS, others=0.1)] == ["pass", "warning"]


def test_lag_that_explains_the_worst_is_no_warning() -> None:
    lag = ((S + 500 * MS, 130 * MS),)
    findings = judged(lambda n: 130 * MS if n == 500 else MS, (*CALM[:25], *lag))
    assert [f.verdict for f in findings] == ["pass"]


@pytest.mark.parametrize("lines", [60, 100, 250])
def test_buffered_output_is_named_be_the_figure_above_the_limit_or_within_it(lines: int) -> None:
    (finding,) = judged(lambda n: lines * MS - (n % lines) * MS)
    assert finding.verdict == "inconclusive" and finding.observed.startswith("your output is buffered")


def test_bursts_that_the_machine_may_have_made_take_nothing_from_a_figure_within_the_limit() -> None:
    always = tuple((S + 100 * MS * n, 50 * MS) for n in range(10))
    (finding,) = judged(lambda n: 60 * MS - (n % 60) * MS, always)
    assert finding.verdict == "pass"


def test_what_a_buffer_kept_to_the_end_took_no_time_that_anybody_knows() -> None:
    (buffered,) = judged(lambda n: 100 * MS - (n % 100) * MS if n < 996 else None)
    assert "4 were never reported" in buffered.observed and buffered.measured[2].value == 0.1
    passed, worst = judged(lambda n: None if n == 3 else MS)
    assert (passed.verdict, worst.verdict, worst.clause) == (Verdict.PASS, Verdict.WARNING, "worst")
    assert "1 of 1000 messages were not reported" in worst.observed and "took" not in worst.observed


def test_what_is_never_reported_counts_as_late() -> None:
    (finding,) = judged(lambda n: None if n % 20 == 0 else MS)
    assert finding.verdict == "fail" and "50 were never reported" in finding.observed
    assert "p99 at least" in finding.observed and "median 1.0 ms, worst 1.0 ms" in finding.observed
    (silent,) = judged(lambda n: None)
    assert silent.verdict == "not observed"


def test_messages_are_named_by_their_ordinals_too() -> None:
    # `o`, two answers and `h` came before the first of them.
    (finding,) = judged(lambda n: MS, name=lambda n: {"connection": 1, "message": n + 5})
    assert finding.verdict == "pass" and "never" not in finding.observed and figure(finding)[0] == 0.001


def test_a_burst_that_was_too_slow_shows_nothing_and_virtual_time_neither() -> None:
    (finding,) = judged(lambda n: MS, at=lambda n: S + 2 * n * MS)
    assert finding.verdict == "inconclusive" and "the burst took" in finding.observed
    (finding,) = judged(lambda n: MS, tier="virtual")
    assert finding.verdict == "not observed"


@pytest.mark.parametrize(("count", "verdict"), [(99, "not observed"), (100, "fail")])
def test_fewer_than_a_hundred_messages_have_no_99th_percentile(count: int, verdict: str) -> None:
    (finding,) = judged(lambda n: 150 * MS, count=count)
    assert finding.verdict == verdict
