"""Defects of telling the user how a login went."""

from __future__ import annotations

from typing import Any

from brokercert.mutants.tradovate.mutant import mutant
from brokercert.reference.tradovate.client import ReferenceClient
from brokercert.reference.tradovate.commands import Reports
from brokercert.reference.tradovate.requests import Outcome
from brokercert.reference.tradovate.session import Session


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


class _NoTexts(Reports):
    def say(self, event: str, **more: Any) -> None:
        super().say(event, **(more | {"text": ""} if event == "error" else more))


@mutant("tells-of-failures-without-a-word", "LOG-045", also="RLP-040", reason="an empty text tells nobody")
class TellsNothing(ReferenceClient):
    """Tells its user of a failure with an empty text."""

    def __init__(self, *arguments: Any, **more: Any) -> None:
        super().__init__(*arguments, **more)
        self.reports = _NoTexts(self._output, self.config.level)


class _Knows401(Session):
    def on_authorize(self, outcome: Outcome, now: float) -> None:
        if outcome.ok or outcome.status in (0, 401, 429):
            super().on_authorize(outcome, now)


@mutant(
    "knows-401-alone",
    "LOG-045",
    also={"LOG-040": "where the broker closes after a 403, it is back at once with the same token, as after any loss"},
    reason="a refusal has other statuses than 401, and its user is to be told of each",
)
class Knows401(ReferenceClient):
    """Looks for the status 401 in the answer to authorize, and waits on where there is another error."""

    session_class = _Knows401


class _BlindToTexts(Session):
    def on_authorize(self, outcome: Outcome, now: float) -> None:
        if outcome.ok or outcome.status != 200:
            super().on_authorize(outcome, now)


@mutant(
    "hides-an-error-text-in-a-200",
    "LOG-045",
    reason="a recommendation: a login is refused by an error text inside a 200 too",
)
class BlindToTexts(ReferenceClient):
    """Does not go on after an error text inside a 200, and tells nobody."""

    session_class = _BlindToTexts
