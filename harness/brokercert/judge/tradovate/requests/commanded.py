"""Requests that the client was asked to send: what was sent, answered and told of each. The rows REQ-* share it."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from brokercert.judge.buffering.late_reports import unless_held
from brokercert.judge.told import Asked, Outcome
from brokercert.judge.tradovate.bench import Bench
from brokercert.judge.tradovate.model.conversation import Answer, Request
from brokercert.judge.tradovate.model.sends import Sends, final_answer, why_silent
from brokercert.verdict import Finding


@dataclass(frozen=True, slots=True)
class Commanded:
    """A command, the requests that it caused, and the answer that decided."""

    asked: Asked
    sends: list[Request]
    answer: Answer | None

    @property
    def name(self) -> str:
        """As the reader of a report recognises it."""
        endpoint, query = self.asked.body.get("endpoint"), self.asked.body.get("query")
        return f"{endpoint}?{query}" if query else str(endpoint)

    @property
    def t(self) -> int:
        return self.asked.t

    @property
    def record(self) -> int:
        return self.asked.record

    @property
    def outcome(self) -> Outcome | None:
        return self.asked.outcome

    @property
    def gave_up(self) -> bool:
        """It was told as never answered."""
        outcome = self.outcome
        return outcome is not None and not outcome.status and not outcome.ok

    @property
    def was_answered(self) -> bool:
        """It was told as answered; whether as what the answer was, is REQ-040's question."""
        outcome = self.outcome
        return outcome is not None and (outcome.ok or bool(outcome.status and self.answer))


def commanded(bench: Bench) -> Iterator[Commanded]:
    """Every request that the client was asked for, in order."""
    everything = Sends(bench.talk)
    for asked in bench.talk.told.requests():
        sends = everything.of(asked)
        yield Commanded(asked, sends, final_answer(sends))


def never_came(bench: Bench, one: Commanded) -> str:
    """Why no request came of the command, as far as anybody knows."""
    return why_silent(bench.talk, one.asked) or f"no `{one.asked.body.get('endpoint')}` came of command {one.asked.id}"


def no_outcome(bench: Bench, one: Commanded, answer: Answer) -> Finding:
    """The answer came, and nothing was told of it."""
    watch = bench.owed(answer.t, bench.micros("request_end"))
    silent = watch.missing(
        f"`{one.name}` was answered, and nothing was told of it in {watch}",
        "an outcome for every request",
        [one.record, answer.record],
        short=f"`{one.name}` was watched for {watch} after its answer only",
        seen=[answer.record],
    )
    if watch.short:
        return silent
    return unless_held(bench, silent, bench.talk.told.late_answers("outcome", one.asked.id))
