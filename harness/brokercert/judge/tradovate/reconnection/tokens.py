"""Tokens that became bad while the client was away (S2 §5)."""

from __future__ import annotations

from collections.abc import Iterator

from brokercert.judge.tradovate.bench import Bench, check
from brokercert.judge.tradovate.model.tokens import Replacement, bad_tokens, borne, replaced
from brokercert.verdict import Finding


@check("REC-070")
def check_replaced_while_away(bench: Bench) -> Iterator[Finding]:
    """A token that expired during the outage is not used again, if the client was told its end: one that it was only
    given is refused once at most, as one that was revoked.
    """
    lost = [loss.t for c, loss in bench.talk.lost if not bench.unprovoked(c)]
    if not lost:
        return
    for how in ("expired", "revoked"):
        bad = bad_tokens(bench, how)
        if bad:
            yield from replaced(bench, Replacement(bad, how, min(lost), most=borne(bench, bad, how)))
