"""Defects of telling the user how a login went."""

from __future__ import annotations

from typing import Any

from brokercert.mutants.tradovate.mutant import mutant
from brokercert.reference.tradovate.client import ReferenceClient
from brokercert.reference.tradovate.commands import Reports


class _NoRefusals(Reports):
    def say(self, event: str, **more: Any) -> None:
        if "refused" not in str(more.get("text", "")):
            super().say(event, **more)


@mutant("hides-a-refused-login", "LOG-045", reason="the user is told of a login that was refused")
class Hides(ReferenceClient):
    """Keeps to itself that its login was refused."""

    def __init__(self, *arguments: Any, **more: Any) -> None:
        super().__init__(*arguments, **more)
        self.reports = _NoRefusals(self._output, self.config.level)
