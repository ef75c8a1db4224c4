"""How a dialect's traces are judged: which fold reads them, and which checks there are."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from brokercert.judge.check import AnyBench, Check, CheckBook
from brokercert.judge.excerpt import ToldOf, told_of_none
from brokercert.judge.transcript import Transcript
from brokercert.trace import Trace


def _none_named(trace: Trace) -> tuple[()]:
    return ()


@dataclass(frozen=True)
class Judging:
    """`fold` is the dialect's model of what was said, `bench` what its checks are handed, `book` where they are
    registered. Every module of `package` and of its folders is searched for checks, so that a new file needs no
    registration. `compared` names the fields in which a client's state is compared: each must have a
    mutant that fails by it. `told_of` says for an excerpt what a record tells of one entity. `events_named` yields what
    the broker's events were about (entity type, event type, id), as a client's reports name them.
    """

    package: str
    book: CheckBook
    fold: type[Transcript[Any]]
    bench: type[AnyBench]
    compared: tuple[str, ...] = ()
    told_of: ToldOf = told_of_none
    events_named: Callable[[Trace], Iterable[tuple[Any, ...]]] = _none_named

    @cached_property
    def checks(self) -> dict[str, Check]:
        """Row -> its check."""
        package = importlib.import_module(self.package)
        for info in pkgutil.walk_packages(package.__path__, f"{self.package}."):
            importlib.import_module(info.name)
        return self.book

    def folded(self, trace: Trace) -> Transcript[Any]:
        """The whole trace, read."""
        talk = self.fold()
        for record in trace.records:
            talk.feed(record)
        return talk
