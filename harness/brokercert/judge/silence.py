"""What is said of a row whose check says nothing: why it could not be asked, as far as the trace shows that.

The law: silence is no pass, and no reason is given that the trace refutes. Whether an antecedent came is looked up in
the fold. A row blocks another only where its demand was not met in that trace, never where it passed there.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from msgspec.structs import replace

from brokercert.judge.check import went_to_background
from brokercert.judge.judging import Judging
from brokercert.judge.standstill import Standstills
from brokercert.judge.transcript import Transcript
from brokercert.judge.violations import told
from brokercert.judge.watching import Cause, ending_of
from brokercert.requirements import NONE, Requirement, RequirementSet
from brokercert.trace import Trace
from brokercert.verdict import PASSES, Finding, Verdict

NOTHING_TO_JUDGE = "what the row is about did not come up in this scenario"


def would_fail(finding: Finding) -> bool:
    """A breach that a standstill excused."""
    return finding.stalled is not None and finding.form not in (None, *PASSES)


def presupposed(exercised: Iterable[Requirement], talk: Transcript[Any], rows: RequirementSet) -> list[Requirement]:
    """The rows that demand what the exercised rows need to have happened, first links of the chain first; then those
    for whose sake the scenario went no further.
    """
    ids: dict[str, None] = {}
    for row in exercised:
        for demanded in links(row, rows):
            ids.setdefault(demanded)
    if rows.stability:
        ids.setdefault(rows.stability)
    for _, _, left in talk.left_off:
        if left.row in rows.by_id:
            ids.setdefault(left.row)
    return [rows.by_id[row] for row in ids]


def links(row: Requirement, rows: RequirementSet) -> tuple[str, ...]:
    """The row's chain of demands. Of a row that no other leads to: that the client connects, as all else asks for."""
    chain = rows.demand_chain(row.id)
    return chain or ((rows.first,) if rows.first not in ("", row.id) else ())


@dataclass(frozen=True, slots=True)
class Silence:
    """One trace, and what was said of the rows that are judged in it."""

    trace: Trace
    talk: Transcript[Any]
    rows: RequirementSet
    judging: Judging
    still: Standstills
    said: Mapping[str, Sequence[Finding]]

    def of(self, row: Requirement) -> Finding:
        """What is said of this row, of which its check says nothing."""
        silence = self._with_exit(self._plainly(row))
        span = self.still.noticed
        if span is None or silence.verdict is Verdict.UNTESTED:
            return silence
        failed = any(f.verdict is Verdict.FAIL for f in self.said.get(silence.blocked_by, ()))
        excused = next((link for link in self._why(row) if any(map(would_fail, self.said.get(link, ())))), "")
        if excused and not failed:
            why = f"could not be asked: {excused} is inconclusive, since {span.told}"
            silence = replace(silence, verdict=Verdict.INCONCLUSIVE, observed=why, blocked_by="")
        return replace(silence, stalled=span.seconds)

    def _plainly(self, row: Requirement) -> Finding:
        """The same, whatever stood still."""
        failed = self._failed_before(row)
        if failed:
            return self._finding(row, Verdict.BLOCKED, f"could not be asked: {self._failing(failed)}", failed)
        if row.id not in self.judging.checks:
            return self._finding(row, Verdict.UNTESTED, "no check judges it yet")
        early = self._ended_early()
        if early:
            return self._finding(row, Verdict.NOT_OBSERVED, early)
        if self._came(row) or row.antecedent == NONE:
            return self._finding(row, Verdict.NOT_OBSERVED, self._left_off() or NOTHING_TO_JUDGE)
        missing = self._left_off() or self._missing(row)
        if row.demanded_by and not self._passed(row.demanded_by):
            return self._finding(row, Verdict.BLOCKED, missing, row.demanded_by)
        return self._finding(row, Verdict.NOT_OBSERVED, missing)

    def _finding(self, row: Requirement, verdict: Verdict, text: str, blocked_by: str = "") -> Finding:
        return Finding(
            requirement=row.id,
            scenario=self.trace.header.scenario,
            verdict=verdict,
            observed=text,
            blocked_by=blocked_by,
        )

    def _came(self, row: Requirement) -> bool:
        """Whether the fold shows the row's antecedent. Of one that the dialect cannot look up: no."""
        antecedent = self.judging.antecedents.get(row.antecedent)
        return antecedent is not None and antecedent.came(self.talk)

    def _missing(self, row: Requirement) -> str:
        antecedent = self.judging.antecedents.get(row.antecedent)
        why = antecedent.missing if antecedent is not None else NOTHING_TO_JUDGE
        return f"could not be asked: {why}"

    def _why(self, row: Requirement) -> tuple[str, ...]:
        """The rows whose failure may be why this one could not be asked."""
        demands = () if self._came(row) else links(row, self.rows)
        stability = (self.rows.stability,) if self.rows.stability not in ("", row.id) else ()
        left = tuple(left.row for _, _, left in self.talk.left_off[-1:] if left.row not in ("", row.id))
        frames = (self.rows.frames,) if self.talk.violations and self.rows.frames not in ("", row.id) else ()
        return (*demands, *left, *stability, *frames)

    def _failed_before(self, row: Requirement) -> str:
        """The row whose failure is why this one could not be asked, or nothing."""
        told = [finding for link in self._why(row) for finding in self.said.get(link, ())]
        failed = next((one.requirement for one in told if one.verdict is Verdict.FAIL), "")
        return failed or next((one.blocked_by for one in told if one.verdict is Verdict.BLOCKED), "")

    def _failing(self, row: str) -> str:
        """That it failed, and what the scenario had waited for in vain, where that is it."""
        left = next((left.text for _, _, left in self.talk.left_off[-1:] if left.row == row), "")
        return f"{left} ({row} failed)" if left else f"{row} failed"

    def _passed(self, row: str) -> bool:
        said = self.said.get(row, ())
        return bool(said) and all(finding.verdict is Verdict.PASS for finding in said)

    def _left_off(self) -> str:
        """Why the scenario went no further, or nothing."""
        return next((f"the scenario went no further: {left.text}" for _, _, left in self.talk.left_off[-1:]), "")

    def _ended_early(self) -> str:
        """Why the scenario ended before the row could be asked, or nothing."""
        if self.trace.truncated or self.talk.ended_as("interrupted") is not None:
            return "the run ended before it could be asked"
        return f"it could not be asked; {went_to_background(self.talk)}" if self.talk.background is not None else ""

    def _with_exit(self, silence: Finding) -> Finding:
        """With what the client did to itself: no reason why a row could not be asked hides that."""
        own = [told(self.talk)]
        ending = ending_of(self.talk)
        if ending is not None and ending.cause is Cause.ITSELF:
            own.append(f"the client {ending.told}")
        return replace(silence, observed="; ".join(filter(None, [silence.observed, *own])))
