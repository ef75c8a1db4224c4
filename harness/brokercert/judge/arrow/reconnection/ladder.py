"""The ladder of delays: its rungs, its end, its beginning again (AR Reconnection Strategy)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise

from brokercert.judge.arrow.bench import BOTH, ArrowBench, Series, check
from brokercert.judge.arrow.timers import share, slack, sure
from brokercert.judge.check import seconds
from brokercert.judge.drawn import steps, with_drawing
from brokercert.judge.transcript import SECOND
from brokercert.verdict import Drawn, Finding, Form


def _cap(bench: ArrowBench) -> float:
    return bench.told_number("RECONNECT_MAX_DELAY", bench.limit("reconnect_max_delay"))


def rungs_of(first: Sequence[int], cap: float, count: int) -> list[float]:
    return [min(float(first[n]) if n < len(first) else cap, cap) for n in range(count)]


def ladder_of(bench: ArrowBench, delays: Sequence[int], late: float | None = None) -> str:
    """The name of the ladder that these delays follow for sure, or nothing; with `late`, perhaps, by so much."""
    may = sure if late is None else slack
    cap = _cap(bench)
    for name, first in bench.edition.ladders.items():
        rungs = rungs_of(first, cap, len(delays))
        off = [(d / SECOND - rung, may(bench, rung)) for d, rung in zip(delays, rungs, strict=True)]
        if all(-most <= by <= most + (late or 0.0) for by, most in off):
            return name
    return ""


def told(delays: Sequence[int]) -> str:
    return ", ".join(f"{d / SECOND:.2f}" for d in delays)


def _due(bench: ArrowBench, one: Series) -> bool:
    """It was watched long enough for the next attempt to have come."""
    cap = bench.limit("reconnect_max_delay")
    return bench.owed_until - one.last > (cap + slack(bench, cap) + bench.limit("next_attempt")) * SECOND


@check("AOR-010")
def check_ladder(bench: ArrowBench) -> Iterator[Finding]:
    """After a loss the client comes back, by a ladder of 1, 2, 4, 8 and then 10 s (or from 2 s), capped as told."""
    if not bench.reconnects:
        return
    for one in _lost_to_others(bench):
        if not one.attempts and _due(bench, one):
            yield bench.breach(
                Form.ABSENCE,
                f"no attempt in {seconds(bench.owed_until - one.loss)} after the loss{bench.exit_text()}",
                "the client reconnects",
                [one.record],
            )
        elif len(one.attempts) >= bench.limit("ladder_attempts"):
            yield with_drawing(_climbed(bench, one), _drawn(bench, one))


def _drawn(bench: ArrowBench, one: Series) -> Drawn:
    """Its delays, beside the rungs of the ladder that they follow, or else of the page's first."""
    cap = _cap(bench)
    name = ladder_of(bench, one.delays) or ladder_of(bench, one.delays, bench.limit("machine_late"))
    first = bench.edition.ladders.get(name) or next(iter(bench.edition.ladders.values()))
    rungs = rungs_of(first, cap, len(one.delays))
    return steps("delays before attempts", one.delays, [("longest delay", cap)], rungs)


def _lost_to_others(bench: ArrowBench) -> list[Series]:
    """Those after losses that were not the client's own giving up: that is AOH-020's and AOR-060's matter."""
    return [one for one in bench.series() if not one.by_client]


def _climbed(bench: ArrowBench, one: Series) -> Finding:
    said = f"{told(one.delays)} s"
    if name := ladder_of(bench, one.delays):
        return bench.ok(Form.SHOWN, f"{said}: {bench.edition.ladder(name)}", one.evidence)
    if name := ladder_of(bench, one.delays, bench.limit("machine_late")):
        return bench.unsure(f"{said}: {bench.edition.ladder(name)}, but late as on a busy machine", one.evidence)
    return bench.breach(
        Form.TIME,
        f"delays of {told(one.delays)} s",
        f"{bench.edition.climbs(_cap(bench))}; none above {_cap(bench):g} s; each ± {share(bench)}",
        one.evidence,
    )


@check("AOR-020", *BOTH)
def check_tries(bench: ArrowBench) -> Iterator[Finding]:
    """Attempts stop after the last try that is allowed, or one more, and `noreconnect` is raised once."""
    tries = round(bench.told_number("RECONNECT_MAX_TRIES", bench.limit("reconnect_max_tries")))
    for one in bench.series():
        if one.back is None and one.failed >= 1:
            yield from _tried(bench, one, tries)


def _tried(bench: ArrowBench, one: Series, tries: int) -> Iterator[Finding]:
    count, last = one.failed, one.attempts[-1]
    cap = _cap(bench)
    quiet = round((cap + slack(bench, cap) + bench.limit("tries_quiet")) * SECOND)
    expected, evidence = f"{tries} or {tries + 1}", [one.record, last.record]
    if count > tries + 1:
        yield bench.breach(Form.AGAIN, f"{count} attempts", expected, evidence)
    elif bench.owed_until - one.last < quiet:
        return  # it may go on
    elif count < tries:
        said = f"the client stopped after {count} attempt(s){bench.exit_text()}"
        yield bench.breach(Form.ABSENCE, said, expected, evidence)
    else:
        yield _gave_up(bench, one, count, quiet)


def _gave_up(bench: ArrowBench, one: Series, count: int, quiet: int) -> Finding:
    """It stopped as it should, and made no attempt for so long after the last."""
    last = one.attempts[-1]
    raised = [x for x in bench.talk.raised("noreconnect") if x.t >= one.loss]
    if len(raised) != 1 or raised[0].t < last.t:
        return bench.breach(
            Form.AGAIN if raised else Form.ABSENCE,
            f"`noreconnect` was raised {len(raised)} time(s)",
            "once, after the last attempt",
            [last.record, *(x.record for x in raised)],
            clause="noreconnect",
        )
    watch = bench.barred(one.last, quiet)
    said = f"{count} attempts, then `noreconnect`"
    return watch.kept(said, [last.record, raised[0].record], short=f"watched for {watch} after the last attempt only")


@check("AOR-030")
def check_stays_away(bench: ArrowBench) -> Iterator[Finding]:
    """Told not to reconnect, the client makes no attempt after a loss."""
    if bench.reconnects:
        return
    for one in bench.series():
        if one.attempts:
            after = seconds(one.attempts[0].t - one.loss)
            yield bench.breach(Form.AGAIN, f"an attempt {after} after the loss", "none", one.evidence[:2])
            continue
        watch = bench.barred(one.loss, bench.micros("window_restraint"))
        yield watch.kept(f"no attempt in {watch}", [one.record], short=f"watched for {watch} only")


@check("AOR-040", *BOTH)
def check_again(bench: ArrowBench) -> Iterator[Finding]:
    """After a success the ladder begins at its first rung again, and the count of tries at nought."""
    for before, after in pairwise(_lost_to_others(bench)):
        if before.back is None or before.failed < bench.limit("ladder_attempts") - 1:
            continue
        if after.attempts:
            yield from _began_again(bench, before, after)
        elif _due(bench, after):
            said = "no attempt after the second loss"
            yield bench.breach(Form.ABSENCE, said, "the ladder begins again", [after.record])


def _began_again(bench: ArrowBench, before: Series, after: Series) -> Iterator[Finding]:
    both = [*before.evidence, *after.evidence]
    went_on = later_rungs(bench, before, after)
    if went_on:
        said = f"the second series went {told(after.delays)} s, the first {told(before.delays)} s"
        yield bench.breach(Form.TIME, said, "the ladder begins again after a success", both)
    elif after.back is None and _due(bench, after):
        said = f"the client stopped after {after.failed} attempt(s) of the second series"
        yield bench.breach(Form.ABSENCE, said, "the count begins again after a success", after.evidence)
    elif went_on is None:
        first, again = seconds(before.delays[0]), seconds(after.delays[0])
        yield bench.unsure(f"the series began with {first} and {again}", both)
    elif after.back is not None:
        said = f"the second series went {told(after.delays)} s, the first {told(before.delays)} s: the same rungs"
        yield bench.ok(Form.WAITED, said, both)


def later_rungs(bench: ArrowBench, one: Series, other: Series) -> bool | None:
    """Whether the other series went by later rungs of this client's ladder than the one; None: that cannot be told.

    A client may notice the end of a socket late, and its first delay then holds that too. From then on it waits from
    one refused attempt to the next, which nothing of that touches. So later delays alone show a rung; where there are
    none, equal first delays show the same one, and different first delays show nothing.
    """
    pairs = list(zip(one.delays, other.delays, strict=False))
    if any(is_other_rung(bench, b - a, max(a, b)) for a, b in pairs[1:]):
        return True
    told = pairs[1:] if _grows(bench, one.delays[1 : len(pairs) + 1]) else pairs[:1]
    return None if any(may_be_other_rung(bench, abs(b - a), max(a, b)) for a, b in told) else False


def _grows(bench: ArrowBench, delays: Sequence[int]) -> bool:
    """Whether each of these rungs can be told from the next. Nothing can be told of one rung alone."""
    return len(delays) > 1 and all(is_other_rung(bench, b - a, b) for a, b in pairwise(delays))


def is_other_rung(bench: ArrowBench, apart: int, longest: int) -> bool:
    """Whether two delays of at most `longest` microseconds that differ by so much are of two rungs for sure."""
    return apart > max(2 * slack(bench, longest / SECOND), bench.limit("rungs_apart")) * SECOND


def may_be_other_rung(bench: ArrowBench, apart: int, longest: int) -> bool:
    """Whether they may be: a late harness may have hidden its own lateness of a rung, in either delay."""
    hidden = bench.limit("rungs_apart") - 2 * bench.error
    return apart > min(2 * sure(bench, longest / SECOND), hidden) * SECOND
