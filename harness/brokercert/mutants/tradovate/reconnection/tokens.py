"""Defects of tokens that end while the client is away."""

from __future__ import annotations

from typing import Any

from brokercert.mutants.tradovate.mutant import mutant
from brokercert.reference.tradovate.client import ReferenceClient
from brokercert.reference.tradovate.tokens import Tokens


class _BlindToEnds(Tokens):
    def __init__(self, *arguments: Any) -> None:
        super().__init__(*arguments)
        self._token = ""

    def _end_of(self, expires: str) -> float:
        return super()._end_of("never")


@mutant(
    "ignores-a-tokens-end",
    "REC-070",
    reason="the first socket after the outage carries a token that had expired, as its answer had said",
)
class BlindToEnds(ReferenceClient):
    """Fetches its token, and takes it for good until it is refused."""

    tokens_class = _BlindToEnds
