"""Defects of tokens that end while the client is away."""

from __future__ import annotations

from brokercert.mutants.tradovate.mutant import mutant
from brokercert.reference.tradovate.client import ReferenceClient
from brokercert.reference.tradovate.tokens import Tokens


class _BlindToEnds(Tokens):
    def _end_of(self, expires: str) -> float:
        return super()._end_of("never")


@mutant("ignores-a-tokens-end", "REC-070", reason="the first socket after the outage carries a token that had expired")
class BlindToEnds(ReferenceClient):
    """Takes every token for good until it is refused."""

    tokens_class = _BlindToEnds
