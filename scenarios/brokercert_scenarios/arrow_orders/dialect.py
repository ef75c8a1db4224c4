"""The Arrow dialect, as the engine sees it."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from datetime import datetime
from typing import Any

from brokercert.engine.client.subject import Factory
from brokercert.engine.play.dialect import Dialect, Reference
from brokercert.judge import Judging
from brokercert.judge.arrow.antecedents import ANTECEDENTS
from brokercert.judge.arrow.bench import BOOK, ArrowBench
from brokercert.judge.arrow.model import Updates
from brokercert.judge.arrow.seen import seen_of
from brokercert_mock import Recorder
from brokercert_mock.arrow import ArrowBroker, ArrowSettings

from brokercert_scenarios.arrow_orders.stage import ArrowStage


def _broker(settings: Mapping[str, Any], recorder: Recorder, seed: int, calendar: datetime | None) -> ArrowBroker:
    return ArrowBroker(settings=ArrowSettings(**settings), recorder=recorder, seed=seed, wall_start=calendar)


def _reference() -> Factory:
    from brokercert.reference.arrow import ArrowSubject

    return ArrowSubject


DIALECT = Dialect(
    name="arrow",
    broker=_broker,
    stage=ArrowStage,
    judging=Judging(
        package="brokercert.judge.arrow",
        book=BOOK,
        fold=Updates,
        bench=ArrowBench,
        seen_of=seen_of,
        antecedents=ANTECEDENTS,
    ),
    reference=Reference(
        command=(sys.executable, "-P", "-m", "brokercert.reference.arrow"),
        offers=frozenset({"wire", "stop", "process", "report", "snapshot", "config"}),
        factory=_reference,
    ),
    mutants="brokercert.mutants.arrow",
)
