"""A scenario asks its stage for a number of the requirement set by name."""

from __future__ import annotations

import pytest
from brokercert.engine.errors import HarnessError
from brokercert_scenarios.tradovate_stage2.stage import Stage
from command_stage import LIMITS, virtually


def test_an_unknown_limit_is_refused_with_the_names_that_there_are() -> None:
    seen: list[dict[str, float]] = []

    async def play(stage: Stage) -> None:
        seen.append({name: stage.limit(name) for name in LIMITS})
        with pytest.raises(HarnessError, match=r"scenario test asks for the limit 'window_sotp'.*window_stop"):
            stage.limit("window_sotp")

    virtually(play)
    assert seen == [LIMITS]
