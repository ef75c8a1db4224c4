"""The rules laid over one broker, each said in one readable line.

    broker.on("authorize", nth=2).refuse(401, "Invalid access token")
    hold = broker.on("authorize", nth=1).hold(); ...; hold.release()
    with broker.on_upgrade().refuse(503): ...

A broker lists the kinds that it takes (`takes`); making any other raises `RuleError` where the line stands. A rule is
told to the recorder each time it is applied, and once more if it never was. Counting is over the broker, never over a
connection: a client may come back on another one. The newest rule that fits is applied. A rule that goes on with a
request (a hold, say, once it is released) leaves it to the rule beneath, the newest of the older ones that fits.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any, Generic, TypeVar

from brokercert_mock.port.ground import Ground
from brokercert_mock.port.rules.rule import Kinds, Rule, When

R = TypeVar("R", bound=Rule[Any])


class RuleError(AttributeError):
    """A rule that this broker does not take: says which, of which broker, and what it takes."""


@dataclass(frozen=True, slots=True)
class Trigger(Generic[R]):
    """Something that rules of this kind may be about: the `total`-th of the broker, on that connection."""

    kind: type[R]
    conn: int
    endpoint: str
    total: int


@dataclass(slots=True)
class RuleBook:
    """The rules of one broker, and how often each trigger came. `owner` is the broker's name in a `RuleError`."""

    owner: str
    takes: Kinds
    ground: Ground
    rules: list[Rule[Any]] = field(default_factory=list)
    totals: dict[str, int] = field(default_factory=dict)

    def add(self, rule: R, when: When) -> R:
        """Lay it over the broker. Raises `RuleError` where the broker does not take its kind."""
        if type(rule) not in self.takes:
            known = sorted(kind.name for kind in self.takes if kind.trigger == rule.trigger)
            raise RuleError(
                f"{self.owner} takes no rule {rule.name!r}; for {rule.trigger} it takes {listed(known)};"
                f" use one of these, or add {type(rule).__name__} to its `takes` and let it do something there"
            )
        rule.when = when
        self.rules.append(rule)
        return rule

    def begin_anew(self) -> None:
        """End every rule, and count what triggers them from the beginning."""
        for rule in self.rules:
            rule.cancel()
        self.totals.clear()

    def met(self, kind: type[R], conn: int, endpoint: str = "") -> R | None:
        """Count a trigger, and give the newest rule of this kind that fits it; the recorder is told of it."""
        return self.newest(self.count(kind, conn, endpoint))

    def count(self, kind: type[R], conn: int, endpoint: str = "") -> Trigger[R]:
        """A trigger, counted."""
        key = f"{kind.trigger}:{endpoint}"
        total = self.totals[key] = self.totals.get(key, 0) + 1
        return Trigger(kind, conn, endpoint, total)

    def newest(
        self, trigger: Trigger[R], suits: Callable[[R], bool] = lambda rule: True, beneath: R | None = None
    ) -> R | None:
        """The newest rule that fits it and suits, of those that are older than `beneath` where that is given; the
        recorder is told of it.
        """
        # One that was cancelled meanwhile has no place any more.
        older = self.rules
        if beneath is not None and beneath in self.rules:
            older = self.rules[: self.rules.index(beneath)]
        for rule in reversed(older):
            if isinstance(rule, trigger.kind) and _fits(rule, trigger) and suits(rule):
                rule.applied += 1
                self.ground.tell_rule(rule.told, trigger.conn, rule.detail)
                return rule
        return None

    def tell_unused(self) -> None:
        """The broker's end: tell of every rule whose trigger never came."""
        for rule in self.rules:
            if not rule.applied:
                self.ground.recorder.rule_unused(self.ground.clock(), rule.told)


def _fits(rule: Rule[Any], trigger: Trigger[Any]) -> bool:
    return rule.when.endpoint == trigger.endpoint and rule.fits(trigger.total)


class Sentence:
    """The beginning of a rule's line: when. Its words (`refuse`, `hold`, ...) are what, and each makes a rule."""

    def __init__(self, book: RuleBook, when: When) -> None:
        self._book, self._when = book, when

    def _make(self, rule: R) -> R:
        return self._book.add(rule, self._when)

    @classmethod
    def words(cls) -> list[str]:
        """What may follow, in the order of the alphabet."""
        return sorted(name for name in dir(cls) if not name.startswith("_") and name != "words")

    if not TYPE_CHECKING:  # the types know the words: they must not be told that any name will do

        def __getattr__(self, name: str) -> Any:
            """A word that is misspelt, or of another broker."""
            if name.startswith("_"):
                raise AttributeError(f"{type(self).__name__} has no attribute {name!r}")
            raise RuleError(
                f"{self._book.owner} has no rule {name!r} after {type(self).__name__}; expected one of"
                f" {listed(self.words())}; correct the word, or use the broker that has it"
            )


def listed(names: Sequence[str]) -> str:
    return ", ".join(names) or "none"
