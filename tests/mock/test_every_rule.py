"""The law of rules: what a broker takes can be seen on the wire, and what cannot be seen is never told as applied."""

from __future__ import annotations

import asyncio
from functools import cache
from typing import Any

import pytest
from brokercert.trace import records as r
from brokercert_mock import Rule, RuleError
from brokercert_mock.port.broker import AnyBroker
from brokercert_mock.port.rules.book import RuleBook
from brokercert_mock.port.rules.rule import When
from every_rule import ARGUMENTS, BEGINS, BROKERS, KINDS, RULES, SENTENCES, Broker, Seen, lines, played, say

LINES = lines()
OVER = ("socket", "rest")


@cache
def plain(make: type[Broker], over: str) -> Seen:
    """What is seen of a broker without rules."""
    return played(make, lambda broker: None, over)[0]


def made(make: type[Broker], trigger: str, word: str) -> Rule[Any] | None:
    """The rule that the line makes; None where that raises as it should."""

    async def write() -> Rule[Any] | None:
        broker = make()  # type: ignore[call-arg]  # every dialect's has its own settings, and defaults for all
        try:
            say(broker, trigger, word)
        except AttributeError as error:
            if isinstance(error, RuleError):
                assert repr(word) in str(error) and make.__name__ in str(error) and "expected one of" in str(error)
                mine = type(BEGINS[trigger](broker)).words()
                assert word not in mine and all(one in str(error) for one in mine)
            else:
                assert trigger == "open" and not hasattr(broker, "on_open")
        finally:
            await broker.close()
        return broker.book.rules[0] if broker.book.rules else None

    return asyncio.run(write())


@pytest.mark.parametrize("make", BROKERS)
@pytest.mark.parametrize(("trigger", "word"), LINES)
def test_a_rule_that_is_taken_can_be_seen_and_any_other_raises(make: type[Broker], trigger: str, word: str) -> None:
    rule = made(make, trigger, word)
    if rule is None:
        return
    for over in OVER:
        seen, records = played(make, lambda broker: say(broker, trigger, word), over)
        told = [x.name for x in records if isinstance(x, r.RuleApplied) and x.name == rule.told]
        unused = [x.name for x in records if isinstance(x, r.RuleUnused)]
        assert bool(told) == (seen != plain(make, over)), f"{rule.told} over {over}: told {told}, seen {seen}"
        assert unused == ([] if told else [rule.told])
        assert told or over == "rest", "it did nothing at all"


def test_every_rule_has_a_word_and_is_taken_by_a_broker() -> None:
    taken = {kind for make in BROKERS for kind in make.takes}
    by_words = {type(rule) for make in BROKERS for line in LINES if (rule := made(make, *line)) is not None}
    assert set(RULES) == taken == by_words
    assert len({kind.name for kind in RULES}) == len(RULES), "two rules with one name cannot be told apart in a trace"
    assert {kind for kinds in KINDS.values() for kind in kinds} == set(SENTENCES), "no broker begins a line with it"
    assert set(ARGUMENTS) <= set(LINES), "arguments of a word that is none"


@pytest.mark.parametrize("make", BROKERS)
def test_what_a_broker_does_not_take_is_refused_however_it_is_made(make: type[Broker]) -> None:
    async def write() -> None:
        broker = make()  # type: ignore[call-arg]  # every dialect's has its own settings, and defaults for all
        for kind in RULES:
            rule: Rule[Any] = kind.__new__(kind)
            if kind in make.takes:
                continue
            with pytest.raises(RuleError, match=f"{make.__name__} takes no rule '{kind.name}'"):
                broker.book.add(rule, When())
        assert broker.book.rules == []
        await broker.close()

    asyncio.run(write())


@pytest.mark.parametrize("sentence", SENTENCES)
def test_a_misspelt_word_raises_where_it_is_written(sentence: type[Any]) -> None:
    async def write() -> None:
        broker = BROKERS[0]()  # type: ignore[call-arg]  # every dialect's has its own settings, and defaults for all
        line = sentence(RuleBook("SomeBroker", (), broker.ground), When())
        for word in sentence.words():
            for n in range(len(word)):
                for wrong in (word[:n] + word[n + 1 :], word[: n + 1] + word[n:], word[:n] + "q" + word[n + 1 :]):
                    if wrong and not wrong.startswith("_") and wrong not in sentence.words():
                        with pytest.raises(RuleError, match=f"SomeBroker has no rule '{wrong}' .*{word}"):
                            getattr(line, wrong)
        await broker.close()

    asyncio.run(write())


@pytest.mark.parametrize(("trigger", "word"), LINES)
def test_a_broker_that_lists_no_rule_takes_none(trigger: str, word: str) -> None:
    class Bare(BROKERS[0]):  # type: ignore[misc]  # one of the brokers, whichever
        takes = ()

    async def write() -> None:
        broker: AnyBroker[Any] = Bare()
        with pytest.raises(RuleError, match=r"Bare takes no rule .* it takes none"):
            say(broker, trigger, word)
        assert broker.book.rules == []
        await broker.close()

    asyncio.run(write())
