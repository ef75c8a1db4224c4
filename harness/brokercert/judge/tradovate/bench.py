"""What a check of the Tradovate dialect is handed, and the book that it is registered in."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Self

from brokercert.judge.check import AnyBench, CheckBook
from brokercert.judge.tradovate.model.conversation import Connection, Conversation, Loss
from brokercert.judge.tradovate.model.lanes import Lanes, lanes_of
from brokercert.judge.tradovate.model.penalty import Span, cause_in_penalty
from brokercert.judge.tradovate.model.props import props_on

CHECKS = CheckBook()
check = CHECKS.check


@dataclass(frozen=True, slots=True)
class Bench(AnyBench):
    """The Tradovate dialect's."""

    talk: Conversation

    @property
    def lanes(self) -> Lanes:
        """Which socket is on which lane, and whose sequel it is."""
        return lanes_of(self.talk)

    @property
    def starts(self) -> Iterator[Self]:
        """The same of each start of the client, this one first: what a scenario plays again, it plays in another."""
        return (replace(self, talk=talk) for talk in self.talk.starts)

    def unprovoked(self, c: Connection) -> bool:
        """The client ended a healthy, authorized connection without any cause from outside. A penalty is one while it
        runs, and until its retry is due.
        """
        gone = c.given_up()
        if gone is None or c.authorized is None:
            return False
        # In virtual time cause and effect bear the same stamp: what was told first came first.
        if c.excused is not None and c.excused < (gone.t, gone.record):
            return False
        return self.penalty_at(c, gone) is None

    def penalty_at(self, c: Connection, gone: Loss) -> Span | None:
        """The penalty that may be why the client gave that socket up."""
        return cause_in_penalty(self, self.talk, c, gone)

    def events_sent(self) -> Iterator[tuple[tuple[str, str, str], int]]:
        for c in self.talk.upgraded:
            yield from ((prop.key, prop.t) for prop in props_on(c))

    def messages_sent(self) -> Iterator[tuple[tuple[int, int], int]]:
        for number, c in enumerate(self.talk.upgraded, 1):
            texts = sorted([(said.record, said.t) for said in c.data_sent] + [(b.record, b.t) for b in c.server_beats])
            yield from (((number, ordinal), t) for ordinal, (_, t) in enumerate(texts, 1))
