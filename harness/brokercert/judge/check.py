"""What a check is, and what it may say.

The law: a check is a pure function of a `Bench` (the folded trace of one scenario, its header and limits) that yields
findings for one requirement. It says *fail* only of what the trace proves; where the antecedent of its requirement
never came it yields nothing, and the judge then says *blocked* or *not observed*, never *pass*.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from typing import Any, Literal, TypeVar

from brokercert.judge.moments import records_of
from brokercert.judge.transcript import SECOND, Transcript
from brokercert.judge.violations import told
from brokercert.judge.watching import Cause, Ending, Watch, barred, ending_of, owed, seconds
from brokercert.trace import Header
from brokercert.verdict import Finding, Form, Level, Measured, Verdict

__all__ = ["AnyBench", "Breach", "Check", "CheckBook", "Ending", "Pass", "Watch", "seconds", "went_to_background"]

# What a breach rests on: a check must say it, since a standstill of the harness may make some of them and not others.
Breach = Literal[Form.CONTENT, Form.ENDING, Form.ABSENCE, Form.AGAIN, Form.TIME, Form.EARLY]
Pass = Literal[Form.SHOWN, Form.WAITED, Form.RESTRAINT]


@dataclass(frozen=True, slots=True)
class AnyBench:
    """All that a check may look at, and the ways to say what it found. Each dialect's has that dialect's fold."""

    row: str
    level: Level
    header: Header
    talk: Transcript[Any]

    def limit(self, name: str) -> float:
        """A limit as recorded in the trace, in its own unit (seconds, for times)."""
        return self.header.limits[name]

    def micros(self, name: str) -> int:
        return round(self.limit(name) * SECOND)

    @property
    def error(self) -> float:
        """The harness's own error of a time between two of its stamps, in s: its usual round trip, plus the worst lag
        of its loop while the scenario ran. Without a calibration (virtual time) the clock is exact.
        """
        known = self.header.calibration
        if not known:
            return 0.0
        lag = self.talk.finished.lag / SECOND if self.talk.finished else known["lag_max"] / 1000
        return known["round_trip_p99"] / 1000 + lag

    def time(self, name: str, value: int, limit: float | None, error: float | None = None) -> Measured:
        """A measured time in seconds from microseconds."""
        return Measured(
            name=name,
            value=round(value / SECOND, 6),
            unit="s",
            limit=limit,
            error=round(self.error if error is None else error, 6),
            clock=self.header.clock,
            side="harness",
        )

    def count(self, name: str, value: int, limit: float | None) -> Measured:
        return Measured(name=name, value=value, unit="1", limit=limit, clock=self.header.clock)

    def _say(
        self,
        verdict: Verdict,
        observed: str,
        expected: str = "",
        evidence: Iterable[int] = (),
        measured: Iterable[Measured] = (),
        clause: str = "",
        blocked_by: str = "",
        form: Form | None = None,
        spare: int = 0,
    ) -> Finding:
        return Finding(
            requirement=self.row,
            scenario=self.header.scenario,
            verdict=verdict,
            observed=observed,
            expected=expected,
            clause=clause,
            evidence=tuple(sorted(set(evidence))),  # chronological: what a finding is about has a first and a last
            measured=tuple(measured),
            blocked_by=blocked_by,
            form=form,
            play=self.header.play,
            spare=max(0.0, spare / SECOND),
        )

    def ok(
        self,
        form: Pass,
        observed: str,
        evidence: Iterable[int],
        measured: Iterable[Measured] = (),
        clause: str = "",
        spare: int = 0,
    ) -> Finding:
        """A pass: by what came (SHOWN), and no sooner than it might (WAITED), or by what did not come while it was
        looked for (RESTRAINT). `evidence`: the records that make it, or between which it was looked for. `spare`: how
        much longer than it must that was, in microseconds.
        """
        return self._say(Verdict.PASS, observed, "", evidence, measured, clause, form=form, spare=spare)

    def breach(
        self,
        form: Breach,
        observed: str,
        expected: str,
        evidence: Iterable[int] = (),
        measured: Iterable[Measured] = (),
        clause: str = "",
    ) -> Finding:
        """A breach: a failure of a MUST, a warning of a SHOULD.

        The time that `form` is about runs from the first of the evidence to the last, or to the end of the scenario for
        an ABSENCE.
        """
        verdict = Verdict.FAIL if self.level is Level.MUST else Verdict.WARNING
        return self._say(verdict, observed, expected, evidence, measured, clause, form=form)

    def warn(
        self,
        form: Breach,
        observed: str,
        expected: str,
        evidence: Iterable[int] = (),
        measured: Iterable[Measured] = (),
        clause: str = "",
    ) -> Finding:
        """A breach of a SHOULD clause of a MUST row."""
        return self._say(Verdict.WARNING, observed, expected, evidence, measured, clause, form=form)

    def inconclusive(
        self, observed: str, expected: str, evidence: Iterable[int] = (), measured: Iterable[Measured] = ()
    ) -> Finding:
        """The harness or the machine may have made what was seen: neither passed nor failed."""
        return self._say(Verdict.INCONCLUSIVE, observed, expected, evidence, measured)

    def short(self, observed: str, evidence: Iterable[int] = (), clause: str = "") -> Finding:
        """Not observed: the window was too short, or the source cannot show it."""
        left = self.talk.background
        if left is not None:
            observed, evidence = f"{observed}; {went_to_background(self.talk)}", [*evidence, left[1]]
        if self.talk.violations:
            observed, evidence = f"{observed}; {told(self.talk)}", [*evidence, self.talk.violations[0].record]
        return self._say(Verdict.NOT_OBSERVED, observed, "", evidence, (), clause)

    def not_applicable(self, observed: str) -> Finding:
        """The client has nothing that the requirement is about."""
        return self._say(Verdict.NOT_APPLICABLE, observed)

    def blocked(self, by: str, observed: str, evidence: Iterable[int] = ()) -> Finding:
        return self._say(Verdict.BLOCKED, observed, "", evidence, (), "", by)

    def against(
        self,
        measured: Measured,
        *,
        observed: str,
        expected: str,
        evidence: Iterable[int] = (),
        clause: str = "",
        form: Literal[Form.TIME, Form.ABSENCE] = Form.TIME,
        passes: Pass = Form.SHOWN,
    ) -> Finding:
        """A number against its upper limit: within its own stated error of the limit it is inconclusive.

        `form`: ABSENCE where what would have ended the time never came, so that it runs to the end of the scenario.
        `passes`: WAITED where the time had to be long enough too.
        """
        assert measured.limit is not None
        if measured.value > measured.limit + measured.error:
            return self.breach(form, observed, expected, evidence, (measured,), clause)
        if measured.value > measured.limit - measured.error:
            return self._say(Verdict.INCONCLUSIVE, observed, expected, evidence, (measured,), clause, form=form)
        return self.ok(passes, observed, evidence, (measured,), clause)

    # Facts that several checks ask for.

    @property
    def end(self) -> int:
        """When the observation ended: the trace's last moment, or the harness's own end of the subject."""
        return self.talk.end

    @property
    def owed_until(self) -> int:
        """Up to when the client owes anything: the observation's end, or a request to stop that is judged."""
        return min((stop.t for stop in self.talk.judged_stops()), default=self.end)

    @property
    def seen(self) -> int:
        """Up to when the client was observed alive: the observation's end, or its own."""
        ending = self.ending
        return self.end if ending is None else min(self.end, ending.t)

    def owed(self, since: int, window: int, until: int | None = None) -> Watch:
        """A watch for what the client owes: from `since` on, for `window` at least, up to `until` (None: the end).

        A client that ended by itself still owes it. One that was asked to stop does not, so that watch may be short.
        """
        return owed(self, since, window, self.end if until is None else until)

    def barred(self, since: int, window: int, until: int | None = None) -> Watch:
        """A watch for what the client must not do, for `window` at least, up to `until` (None: the end).

        The client's own end cuts it short, and it says so. It makes it whole only where a refused login in that time
        explains it, or where it was asked for before.
        """
        return barred(self, since, window, self.end if until is None else until)

    @property
    def ending(self) -> Ending | None:
        """How the client ended, asked or not; None: it lived on, or the harness ended it."""
        return ending_of(self.talk)

    def death(self, since: int = 0) -> Ending | None:
        """An end of the client's own, at `since` or later, that nobody had asked for."""
        ending = self.ending
        return ending if ending is not None and ending.cause is not Cause.ASKED and ending.t >= since else None

    def left(self, after: int) -> list[int]:
        """Records after that one with which the client ended its connections by itself, and itself."""
        ends = [c.given_up() for c in self.talk.connections.values()]
        return [number for number in records_of(*ends, self.death()) if number > after]

    def events_sent(self) -> Iterable[tuple[tuple[str, str, str], int]]:
        """What the broker's events were about (entity type, id, event type), and when each was sent. None, unless the
        dialect says more.
        """
        return ()

    def messages_sent(self) -> Iterable[tuple[tuple[int, int], int]]:
        """When each text message of the broker was sent, by connection and place, both counted from 1 as clients that
        report do. None, unless the dialect says more.
        """
        return ()

    def exit_text(self) -> str:
        """How the subject ended by itself, or nothing."""
        death = self.death()
        return "" if death is None else f"; the client {death.how}"


CheckFunction = Callable[[Any], Iterator[Finding]]  # of the dialect's own bench
F = TypeVar("F", bound=CheckFunction)


@dataclass(frozen=True, slots=True)
class Check:
    """A requirement's check. `text` is the first sentence of its docstring."""

    row: str
    run: CheckFunction
    text: str
    source: str  # module:line, for JUnit's file attribute


class CheckBook(dict[str, Check]):
    """A dialect's checks, by row."""

    def check(self, row: str) -> Callable[[F], F]:
        """Register a function as the check of `row`. There is one a row."""

        def register(function: F) -> F:
            if row in self:
                raise ValueError(f"{row} has two checks: {self[row].source} and {function.__module__}")
            text = (function.__doc__ or "").strip().partition("\n\n")[0].replace("\n    ", " ")
            if not text:
                raise ValueError(f"the check of {row} says nothing of what it judges")
            code = function.__code__
            self[row] = Check(row, function, text, f"{function.__module__}:{code.co_firstlineno}")
            return function

        return register


def went_to_background(talk: Transcript[Any]) -> str:
    """That the subject's program left before the rest of it, and what to do; nothing where it did not."""
    if talk.background is None:
        return ""
    t, _, left = talk.background
    how = f"was ended by signal {-left.code}" if left.code < 0 else f"left with status {left.code}"
    return (
        f"the client's program {how} at {seconds(t)}, what it had started went on, and the harness ended that at"
        f" {seconds(talk.end)}: keep the client in the foreground"
    )
