"""How a dialect's traces are judged: which fold reads them, and which checks there are."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, NamedTuple

from brokercert.judge.check import AnyBench, Check, CheckBook
from brokercert.judge.excerpt import ToldOf, told_of_none
from brokercert.judge.transcript import Transcript
from brokercert.trace import Shape, Trace


class Antecedent(NamedTuple):
    """What must have happened before a row can be judged. `came`: whether it did, by the fold. `missing` completes
    "could not be asked: ..." where it did not.
    """

    came: Callable[[Any], bool]
    missing: str


def _none_named(trace: Trace) -> tuple[()]:
    return ()


def _nothing_more(talk: Any, limits: Mapping[str, float]) -> tuple[str, ...]:
    """What all dialects share is all that is told of a start."""
    return ()


def _no_shape(talk: Any) -> None:
    """A dialect whose clients have one socket needs none."""


@dataclass(frozen=True)
class Judging:
    """`fold` is the dialect's model of what was said, `bench` what its checks are handed, `book` where they are
    registered. Every module of `package` and of its folders is searched for checks, so that a new file needs no
    registration. `compared` names the fields in which a client's state is compared: each must have a
    mutant that fails by it. `entity_types` are the names that its documents have. `told_of` says for an excerpt what a
    record tells of one entity. `events_named` yields what
    the broker's events were about (entity type, event type, id), as a client's reports name them. `shape_of` is what a
    folded start with nothing wrong shows of the client's healthy shape; None: nothing, or the dialect judges by none.
    `seen_of` tells of such a start, in sentences of which the client is the subject, what only this dialect knows; it
    is given the set's limits, from which any number of the page comes.
    `antecedents` are those of the set by their words; of one that is missing here nobody can say that it came.
    """

    package: str
    book: CheckBook
    fold: type[Transcript[Any]]
    bench: type[AnyBench]
    compared: tuple[str, ...] = ()
    entity_types: tuple[str, ...] = ()
    told_of: ToldOf = told_of_none
    events_named: Callable[[Trace], Iterable[tuple[Any, ...]]] = _none_named
    shape_of: Callable[[Any], Shape | None] = _no_shape
    seen_of: Callable[[Any, Mapping[str, float]], Iterable[str]] = _nothing_more
    antecedents: Mapping[str, Antecedent] = field(default_factory=dict)

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
        talk.shape = trace.header.shape
        for record in trace.records:
            talk.feed(record)
        return talk
