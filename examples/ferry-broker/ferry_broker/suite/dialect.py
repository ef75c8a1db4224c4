"""The Ferry dialect, as the engine sees it."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from brokercert.engine.client.subject import Factory
from brokercert.engine.play.dialect import Dialect, Reference
from brokercert.judge import Judging
from brokercert_mock import Recorder

from ferry_broker.judge.bench import BOOK, FerryBench
from ferry_broker.judge.fold import ANTECEDENTS, Ride
from ferry_broker.mock import FerryBroker, FerrySettings
from ferry_broker.suite.stage import FerryStage


def _broker(settings: Mapping[str, Any], recorder: Recorder, seed: int, calendar: datetime | None) -> FerryBroker:
    """The page has no dates, so that no calendar is needed."""
    return FerryBroker(FerrySettings(**settings), recorder, seed)


def _reference() -> Factory:
    from ferry_broker.client import FerryClient

    return FerryClient


DIALECT = Dialect(
    name="ferry",
    broker=_broker,
    stage=FerryStage,
    judging=Judging(
        package="ferry_broker.judge",
        book=BOOK,
        fold=Ride,
        bench=FerryBench,
        antecedents=ANTECEDENTS,
    ),
    reference=Reference(
        command=(sys.executable, "-P", "-m", "ferry_broker.client"),
        offers=frozenset({"wire", "stop"}),
        factory=_reference,
        level="wire",
    ),
    mutants="ferry_broker.mutants",
)
