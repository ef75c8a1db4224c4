"""Whoever waits for a run is told how it goes.

The law: telling changes nothing. Whatever a progress raises (a closed stream, a bug of whoever draws) stays with it.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Protocol


class Progress(Protocol):
    """Told how a run goes; for whoever waits."""

    def planned(self, whom: str, names: Sequence[str], predicted: float) -> None:
        """`whom`: the client's name. Told first."""

    def noted(self, text: str) -> None:
        """What somebody who waits should know now; it may have several lines."""

    def started(self, name: str) -> None: ...

    def ended(self, name: str, state: str) -> None: ...

    def tick(self, running: Sequence[str], elapsed: float) -> None: ...

    def again(self, names: Sequence[str], lasts: float) -> None:
        """These are played once more, which takes about so many seconds."""

    def stalled(self, length: float) -> None:
        """The harness stood still for so many seconds."""


class Quiet:
    """A progress that says nothing."""

    def planned(self, whom: str, names: Sequence[str], predicted: float) -> None:
        pass

    def noted(self, text: str) -> None:
        pass

    def started(self, name: str) -> None:
        pass

    def ended(self, name: str, state: str) -> None:
        pass

    def tick(self, running: Sequence[str], elapsed: float) -> None:
        pass

    def again(self, names: Sequence[str], lasts: float) -> None:
        pass

    def stalled(self, length: float) -> None:
        pass


class Careful:
    """Tells another progress, and lets nothing that it raises reach the run."""

    def __init__(self, told: Progress) -> None:
        self._told = told

    def planned(self, whom: str, names: Sequence[str], predicted: float) -> None:
        _tell(lambda: self._told.planned(whom, names, predicted))

    def noted(self, text: str) -> None:
        _tell(lambda: self._told.noted(text))

    def started(self, name: str) -> None:
        _tell(lambda: self._told.started(name))

    def ended(self, name: str, state: str) -> None:
        _tell(lambda: self._told.ended(name, state))

    def tick(self, running: Sequence[str], elapsed: float) -> None:
        _tell(lambda: self._told.tick(running, elapsed))

    def again(self, names: Sequence[str], lasts: float) -> None:
        _tell(lambda: self._told.again(names, lasts))

    def stalled(self, length: float) -> None:
        _tell(lambda: self._told.stalled(length))


def _tell(tell: Callable[[], None]) -> None:
    try:
        tell()
    except Exception:
        return  # the run's record has what was to be told
