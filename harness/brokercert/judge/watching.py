"""When did watching end, and how did the client end: the one answer, for every check.

The law:

* What the client **owes**, it owes until it is asked to stop. One that ended by itself still owes it: that is a breach.
* What the client **must not do** is watched until it ends or is asked to stop. A client that ended by itself did
  nothing wrong afterwards, since it did nothing at all: so its end makes a short watch no longer. The watch is
  *not observed* then, and says how the client ended. Where a row says that the client survives, that end is a breach.
* Two ends make a short watch whole: one that a refused login explains, and one that was asked for before the watch
  began. Leaving is right then, and whoever left can do nothing more.

Times are microseconds. Pure: no I/O, no clock.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Literal, Protocol

from brokercert.judge.moments import Moment
from brokercert.judge.transcript import SECOND, Transcript
from brokercert.verdict import Finding, Form, Measured

SHOWN = 120  # characters of the client's last line that a sentence shows


def seconds(t: int) -> str:
    return f"{t / SECOND:.3f} s"


class Cause(StrEnum):
    """Why a client ended."""

    ASKED = "asked"  # the harness had asked for it
    REFUSED = "refused"  # its login had been refused, and it did not log in afterwards
    ITSELF = "itself"  # nobody asked for it, and nothing explains it


@dataclass(frozen=True, slots=True)
class Ending:
    """The end of the client at `t`, told by `record`. `code`: its exit status, or minus the signal that ended it.

    `since`: when it was asked to stop, or refused. `words`: the last line that it printed, empty where there is none.
    """

    t: int
    record: int
    code: int
    cause: Cause
    since: int
    words: str

    @property
    def how(self) -> str:
        """What is said of it in a sentence about the client."""
        did = f"was ended by signal {-self.code}" if self.code < 0 else f"exited with status {self.code}"
        return f"{did} at {seconds(self.t)}"

    @property
    def told(self) -> str:
        """The same with what it said last."""
        words = self.words if len(self.words) <= SHOWN else f"{self.words[:SHOWN]}..."
        return f"{self.how}, asked by nobody" + (f"; its last line: {words}" if words else "")


def ending_of(talk: Transcript[Any]) -> Ending | None:
    """How the client ended by itself or as it was asked; None: it did not, or the harness ended it."""
    exited = talk.exited
    if exited is None:
        return None
    cause, since = Cause.ITSELF, exited.t
    refused = _refused(talk, exited.t)
    if exited.what.asked:
        cause, since = Cause.ASKED, min((stop.t for stop in talk.stops), default=exited.t)
    elif refused is not None:
        cause, since = Cause.REFUSED, refused.t
    return Ending(exited.t, exited.record, exited.what.code, cause, since, talk.told.last_words)


def _refused(talk: Transcript[Any], until: int) -> Moment | None:
    """The last refusal of a login by then, where no login was granted after it."""
    refused = max((one for one in talk.refusals() if one.t <= until), default=None)
    if refused is None or any(refused < one and one.t <= until for one in talk.grants()):
        return None
    return refused


class Saying(Protocol):
    """What a watch needs of a bench: the fold, and the ways to say what was found."""

    @property
    def talk(self) -> Transcript[Any]: ...

    @property
    def owed_until(self) -> int: ...

    def ok(
        self,
        form: Literal[Form.RESTRAINT],
        observed: str,
        evidence: Iterable[int],
        *,
        clause: str = "",
        spare: int = 0,
    ) -> Finding: ...

    def breach(
        self,
        form: Literal[Form.ABSENCE, Form.ENDING],
        observed: str,
        expected: str,
        evidence: Iterable[int] = (),
        measured: Iterable[Measured] = (),
        clause: str = "",
    ) -> Finding: ...

    def short(self, observed: str, evidence: Iterable[int] = (), clause: str = "") -> Finding: ...

    def exit_text(self) -> str: ...


@dataclass(frozen=True, slots=True)
class Watch:
    """The client was watched for something from `since` to `until`, and for `window` it must be. Microseconds.

    `ending`: its end, where that ended the watch. `over`: that end tells all that a longer watch would.
    """

    bench: Saying
    since: int
    until: int
    window: int
    ending: Ending | None = None
    over: bool = False

    @property
    def time(self) -> int:
        """How long the client was watched."""
        return max(0, self.until - self.since)

    @property
    def short(self) -> bool:
        """Too short to say anything: the window was not over, and the client's end does not tell the rest."""
        return self.time < self.window and not self.over

    @property
    def died(self) -> bool:
        """The client ended by itself within the window, and nothing explains that."""
        return self.short and self.ending is not None and self.ending.cause is Cause.ITSELF

    def __str__(self) -> str:
        return seconds(self.time)

    def missing(
        self,
        observed: str,
        expected: str,
        evidence: Iterable[int] = (),
        measured: Iterable[Measured] = (),
        clause: str = "",
        *,
        short: str,
        seen: Iterable[int] | None = None,
    ) -> Finding:
        """What should have come did not. *Not observed*, saying `short`, where the watch was too short; else a breach,
        with how the client ended where it did. `seen` is the evidence of the former (None: the same).
        """
        evidence = list(evidence)
        if self.short:
            return self.cut(short, evidence if seen is None else seen, clause)
        said = f"{observed}{self.bench.exit_text()}"
        return self.bench.breach(Form.ABSENCE, said, expected, evidence, measured, clause)

    def kept(
        self,
        observed: str,
        evidence: Iterable[int] = (),
        clause: str = "",
        *,
        short: str,
        seen: Iterable[int] | None = None,
        survives: str = "",
    ) -> Finding:
        """What should not come did not: a pass by restraint; *not observed* where the watch was too short.

        `survives`: what the client lives on after, where the row says so. Its unexplained end is a breach then.
        """
        evidence = list(evidence)
        if survives and self.died and self.ending is not None and self.ending.t >= self.since:
            return self._did_not_survive(survives, evidence, clause)
        if self.short:
            return self.cut(short, evidence if seen is None else seen, clause)
        return self.bench.ok(Form.RESTRAINT, observed, evidence, clause=clause, spare=self.time - self.window)

    def cut(self, short: str, evidence: Iterable[int] = (), clause: str = "") -> Finding:
        """*Not observed*: the watch was too short, by the client's own end where it was that."""
        if self.ending is None or not self.died:
            return self.bench.short(short, evidence, clause)
        return self.bench.short(f"{short}: the client {self.ending.told}", [*evidence, self.ending.record], clause)

    def _did_not_survive(self, what: str, evidence: list[int], clause: str) -> Finding:
        assert self.ending is not None
        return self.bench.breach(
            Form.ENDING,
            f"the client did not survive {what}: it {self.ending.told}",
            f"a client that survives {what}",
            [*evidence, self.ending.record],
            clause=clause,
        )


def owed(bench: Saying, since: int, window: int, until: int) -> Watch:
    """A watch for what the client owes: until it is asked to stop. Its own end pays nothing."""
    ending = ending_of(bench.talk)
    over = ending is not None and ending.cause is not Cause.ASKED
    return Watch(bench, since, min(until, bench.owed_until), window, ending if over else None, over)


def barred(bench: Saying, since: int, window: int, until: int) -> Watch:
    """A watch for what the client must not do: until it ends, or is asked to stop after the watch began. Of one that
    had ended before, it has no length.
    """
    asked = min((stop.t for stop in bench.talk.judged_stops() if stop.t > since), default=until)
    until = min(until, asked)
    ending = ending_of(bench.talk)
    if ending is None or ending.t > until:
        return Watch(bench, since, until, window)
    if ending.t < since:  # there was nobody to watch
        return Watch(bench, since, since, window, ending)
    explained = ending.cause is Cause.ASKED or (ending.cause is Cause.REFUSED and ending.since >= since)
    return Watch(bench, since, ending.t, window, ending, explained)
