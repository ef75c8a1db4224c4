"""The Arrow dialect by the third edition, as the engine sees it."""

from __future__ import annotations

import sys
from collections.abc import Mapping
from dataclasses import replace
from datetime import datetime
from typing import Any

from brokercert.engine.client.subject import Factory
from brokercert.engine.play.dialect import Reference
from brokercert.judge.arrow.bench import BOOK3
from brokercert.judge.arrow.edition3 import Updates3
from brokercert_mock import Recorder
from brokercert_mock.arrow import ArrowBroker3, Settings3

from brokercert_scenarios.arrow_orders import DIALECT as FIRST
from brokercert_scenarios.arrow_orders_2026.stage import ArrowStage3


def _broker(settings: Mapping[str, Any], recorder: Recorder, seed: int, calendar: datetime | None) -> ArrowBroker3:
    return ArrowBroker3(settings=Settings3(**settings), recorder=recorder, seed=seed, wall_start=calendar)


def _reference() -> Factory:
    from brokercert.reference.arrow.edition3 import ArrowSubject3

    return ArrowSubject3


DIALECT = replace(
    FIRST,
    broker=_broker,
    stage=ArrowStage3,
    judging=replace(FIRST.judging, book=BOOK3, fold=Updates3),
    reference=Reference(
        command=(sys.executable, "-P", "-m", "brokercert.reference.arrow.edition3"),
        offers=FIRST.reference.offers | {"tokens"},
        factory=_reference,
    ),
    mutants="brokercert.mutants.arrow_2026",
)
