"""Tokens that became bad while the client was away (S2 §5)."""

from __future__ import annotations

from collections.abc import Iterator

from brokercert.judge.tradovate.bench import Bench, check
from brokercert.judge.tradovate.model.tokens import Replacement, bad_tokens, replaced
from brokercert.verdict import Finding


@check("REC-070")
def check_replaced_while_away(bench: Bench) -> Iterator[Finding]:
    """A token that expired during the outage is not used again; one that was revoked is refused once at most."""
    lost = [loss.t for c, loss in bench.talk.lost if not bench.unprovoked(c)]
    if not lost:
        return
    for how, most in (("expired", 0), ("revoked", 1)):
        bad = bad_tokens(bench, how)
        if bad:
            yield from replaced(bench, Replacement(bad, how, min(lost), most))
