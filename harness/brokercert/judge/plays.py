"""What the playings of one scenario say together, where it was played more than once.

The law: a playing that a standstill touched is replaced by a whole one that none touched, and by nothing else: of one
that was cut short, its breaches count and no more. A breach that no
standstill excused stands, whichever playing it is of; playings that were not touched combine by the worst of them. So a
run on a bad machine ends certified later, and no client hides a defect that shows only now and then.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence

from brokercert.verdict import Finding, Verdict

MOST = 3  # playings of a scenario: the first, and two more
BREACHES = (Verdict.FAIL, Verdict.WARNING)


def is_touched(finding: Finding) -> bool:
    """Whether another playing may replace it: a standstill may have made it, or our own machinery broke."""
    return finding.stalled is not None or finding.verdict is Verdict.HARNESS_ERROR


def combined(plays: Mapping[int, Sequence[Finding]], cut: Collection[int] = ()) -> list[Finding]:
    """The findings that count, of all playings of one scenario (by number, from 1). `cut` are those that were
    interrupted.
    """
    whole = {play: findings for play, findings in plays.items() if play not in cut}
    if not whole:
        return _of_whole(plays)
    return _of_whole(whole) + [one for play in sorted(cut) for one in plays[play] if one.verdict in BREACHES]


def _of_whole(plays: Mapping[int, Sequence[Finding]]) -> list[Finding]:
    by_row: dict[str, dict[int, list[Finding]]] = {}
    for play in sorted(plays):
        for finding in plays[play]:
            by_row.setdefault(finding.requirement, {}).setdefault(play, []).append(finding)
    result: list[Finding] = []
    for found in by_row.values():
        result += _of_row(found, plays)
    return result


def _of_row(found: Mapping[int, Sequence[Finding]], plays: Mapping[int, Sequence[Finding]]) -> list[Finding]:
    """`found` are a row's findings, by playing. One that says nothing of the row found nothing wrong, where nothing
    else in it was touched: else it may have broken, or stood still, before it came to that.
    """
    kept = [one for play in sorted(found) for one in found[play] if not is_touched(one)]
    if any(_is_whole(found.get(play) or plays[play]) for play in plays):
        return kept
    latest = _latest(found)
    touched = [one for one in found[latest] if is_touched(one)]
    # A pass of a playing that was touched elsewhere in the same row is no whole answer; a breach is.
    return [one for one in kept if one.verdict in BREACHES or one.play == latest] + touched


def _is_whole(findings: Sequence[Finding]) -> bool:
    return not any(map(is_touched, findings))


def _latest(found: Mapping[int, Sequence[Finding]]) -> int:
    """The playing that says most: where our machinery broke in one and not in another, the other does."""
    better = [play for play in found if not any(one.verdict is Verdict.HARNESS_ERROR for one in found[play])]
    return max(better or found)
