"""The Tradovate dialect, as the engine sees it."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from brokercert.engine.client.subject import Factory
from brokercert.engine.play.dialect import Dialect, Reference
from brokercert.judge import Judging
from brokercert.judge.tradovate.bench import CHECKS, Bench
from brokercert.judge.tradovate.model.antecedents import ANTECEDENTS
from brokercert.judge.tradovate.model.conversation import Conversation
from brokercert.judge.tradovate.model.differences import compared_fields
from brokercert.judge.tradovate.model.entities import events_named, told_of
from brokercert.judge.tradovate.model.entity_types import ENTITY_TYPES, plural
from brokercert.judge.tradovate.model.seen import seen_of
from brokercert.judge.tradovate.model.shape import shape_of
from brokercert_mock import Recorder, Settings, TradovateBroker
from brokercert_mock.tradovate.settings import PROFILES

from brokercert_scenarios.tradovate_stage2.stage import Stage

# What the reference client tells on request hangs on these (docs/reference-client.md); it subscribes to more.
RELIES_ON = ("account", "cashBalance", "position", "order", "orderVersion", "command", "commandReport", "fill")


def _broker(settings: Mapping[str, Any], recorder: Recorder, seed: int, calendar: datetime | None) -> TradovateBroker:
    return TradovateBroker(settings=Settings(**settings), recorder=recorder, seed=seed, wall_start=calendar)


def _hosts(settings: Mapping[str, Any]) -> tuple[str, ...]:
    """With TLS by name: some stacks refuse certificates for IP addresses (`brokercert_mock.port.tls`)."""
    return ("localhost",) if settings.get("tls") else ()


def _reference() -> Factory:
    from brokercert.reference.tradovate import ReferenceClient

    return ReferenceClient


DIALECT = Dialect(
    name="tradovate",
    broker=_broker,
    stage=Stage,
    judging=Judging(
        package="brokercert.judge.tradovate",
        book=CHECKS,
        fold=Conversation,
        bench=Bench,
        compared=compared_fields(),
        entity_types=(*ENTITY_TYPES, *map(plural, ENTITY_TYPES)),
        told_of=told_of,
        events_named=events_named,
        shape_of=shape_of,
        seen_of=seen_of,
        antecedents=ANTECEDENTS,
    ),
    reference=Reference(
        command=(sys.executable, "-P", "-m", "brokercert.reference.tradovate"),
        offers=frozenset("wire stop process tokens tls dns shards report snapshot request orders".split()),
        factory=_reference,
        entity_types=RELIES_ON,
        readings={"split-snapshot": "one id"},
    ),
    mutants="brokercert.mutants.tradovate",
    hosts=_hosts,
    profiles=PROFILES,
)
