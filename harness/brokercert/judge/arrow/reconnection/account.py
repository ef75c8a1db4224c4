"""How many sockets and reconnects there are: the account's limits, one series an outage (AR Rate Limits)."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from itertools import pairwise

from brokercert.judge.arrow.bench import ArrowBench, Series, check
from brokercert.judge.arrow.model import UpdateSocket
from brokercert.judge.arrow.reconnection.ladder import later_rungs, told
from brokercert.judge.attempts import attempts_of, most_within
from brokercert.judge.check import seconds
from brokercert.judge.transcript import SECOND
from brokercert.verdict import Finding, Form

ACCOUNT = "Enterprise"  # what the mock's broker is set to where a scenario says nothing else
MINUTE = 60 * SECOND


def _allowed(bench: ArrowBench, account: str, what: str) -> int | None:
    """A limit of the account's, as the set has it; None: unlimited."""
    name = f"{account.lower()}_{what}"
    return int(bench.limit(name)) if name in bench.header.limits else None


@check("AOR-050")
def check_account(bench: ArrowBench) -> Iterator[Finding]:
    """Over an outage, reconnects a minute and sockets at once stay inside the account's limits."""
    account = str(bench.header.settings.get("account", ACCOUNT))
    sockets, reconnects = _allowed(bench, account, "sockets"), _allowed(bench, account, "reconnects")
    fullest = _most_at_once(bench)
    crowded = sockets is not None and len(fullest) > sockets
    if crowded:
        said = f"{len(fullest)} sockets at once"
        yield bench.breach(Form.AGAIN, said, f"{account}: at most {sockets}", fullest, clause="connections")
    first = min((c.accepted for c, _ in bench.asked), default=None)
    if first is None:
        return
    count, which = most_within(attempts_of(bench.talk, first), MINUTE)
    evidence = [a.record for a in which]
    if reconnects is not None and count > reconnects:
        yield bench.breach(
            Form.AGAIN,
            f"{count} reconnects in a minute",
            f"{account}: at most {reconnects}",
            evidence,
            [bench.count("reconnects", count, reconnects)],
            "reconnects",
        )
    elif not crowded and _tried_again(bench):
        limit = "unlimited" if reconnects is None else f"of {reconnects}"
        said = f"{account}: {len(fullest)} socket(s) at once, {count} reconnects in a minute {limit}"
        yield bench.ok(Form.RESTRAINT, said, evidence)


def _tried_again(bench: ArrowBench) -> bool:
    """After some loss it made an attempt."""
    return any(one.attempts and one.attempts[-1].t > one.loss for one in bench.series())


def _most_at_once(bench: ArrowBench) -> list[int]:
    """The records of the upgrades of the most sockets that were open at one time."""
    changes: list[tuple[int, int, int]] = []  # (t, +1 or -1, record of the upgrade)
    for c, opened in bench.opened:
        changes += [(opened.t, 1, opened.record), (_open_until(bench, c), -1, opened.record)]
    now: list[int] = []
    fullest: list[int] = []
    for _, change, number in sorted(changes, key=lambda x: (x[0], x[1])):
        now = [*now, number] if change > 0 else [n for n in now if n != number]
        fullest = now if len(now) > len(fullest) else fullest
    return fullest


def _open_until(bench: ArrowBench, c: UpdateSocket) -> int:
    until = min(c.last_seen(bench.seen), bench.end)
    return until if c.closed is None else min(until, c.closed)


@check("AOR-060")
def check_one_series(bench: ArrowBench) -> Iterator[Finding]:
    """One outage starts one series: attempts never overlap, no socket is left over, no rung is skipped."""
    rows = list(bench.series())
    wrong = [finding for one in rows for finding in (*_overlap(bench, one), *left_over(bench, one))]
    yield from wrong
    plain, own = _first_of(rows, by_client=False), _first_of(rows, by_client=True)
    if plain is not None and own is not None:
        yield from _same_rung(bench, plain, own, wrong)
    elif not wrong and any(len(one.attempts) >= bench.limit("ladder_attempts") for one in rows):
        yield bench.ok(Form.RESTRAINT, "one attempt at a time", rows[0].evidence)


def _first_of(rows: Sequence[Series], by_client: bool) -> Series | None:
    """The first series after a loss by the client, or by another, in which there was an attempt."""
    return next((one for one in rows if one.attempts and one.by_client is by_client), None)


def _overlap(bench: ArrowBench, one: Series) -> Iterator[Finding]:
    together = bench.micros("attempts_apart")
    close = next(((a, b) for a, b in pairwise(one.attempts) if b.t - a.t < together), None)
    if close is not None:
        a, b = close
        yield bench.breach(
            Form.AGAIN,
            f"two attempts {seconds(b.t - a.t)} apart",
            "one attempt after the other",
            [one.record, a.record, b.record],
            clause="overlap",
        )


def left_over(bench: ArrowBench, one: Series) -> Iterator[Finding]:
    if one.back is None or one.back.upgraded is None:
        return
    since, until = one.back.upgraded.t, one.back.last_seen(bench.seen)
    extra = next(((c, opened) for c, opened in bench.opened if since < opened.t < until), None)
    if extra is not None:
        yield bench.breach(
            Form.AGAIN,
            f"connection {extra[0].id} was opened while {one.back.id} was open",
            "one socket in place of the one lost",
            [one.record, extra[1].record],
            clause="left over",
        )


def _same_rung(bench: ArrowBench, plain: Series, own: Series, wrong: Sequence[Finding]) -> Iterator[Finding]:
    both = [*plain.evidence, *own.evidence]
    delays = f"after the client's own giving up {told(own.delays)} s, after a plain loss {told(plain.delays)} s"
    skipped = later_rungs(bench, plain, own)
    if skipped:
        yield bench.breach(Form.TIME, delays, "the same rungs after either loss", both, clause="skipped rung")
    elif skipped is None:
        yield bench.unsure(delays, both)
    elif not wrong:
        yield bench.ok(Form.WAITED, f"one attempt at a time; {delays}", both)
