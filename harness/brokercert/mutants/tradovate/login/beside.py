"""A login that nobody answers, of a socket that has a sound one for quotes beside it."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from typing import Any

from brokercert.mutants.tradovate.mutant import mutant
from brokercert.mutants.tradovate.quotes import BesideQuotes

LONG = 86_400.0


@mutant(
    "never-gives-up-a-login-beside-quotes",
    "LOG-080",
    reason="the socket for quotes, which is authorized meanwhile, is no sign of giving up",
)
class NeverGivesUpALogin(BesideQuotes):
    """Waits for `o` and for the authorize answer for ever, and has a sound socket for quotes beside it."""

    def __init__(self, env: Mapping[str, str], output: Callable[[str], None], **options: Any) -> None:
        super().__init__(env, output, **options)
        self.config = dataclasses.replace(self.config, answer_within=LONG, open_within=LONG)
