"""What the client believes after a loss and the new sync: REC-040 (S2 §5)."""

from __future__ import annotations

from collections.abc import Iterator

from brokercert.judge.tradovate.bench import Bench, check
from brokercert.judge.tradovate.model.compared import compared_after
from brokercert.verdict import Finding


@check("REC-040")
def check_state_after_a_loss(bench: Bench) -> Iterator[Finding]:
    """After a loss and the new sync, the client's state is the broker's ledger, whatever happened while it was away."""
    answers = synced_anew(bench)
    if answers:
        yield from compared_after(bench, answers, "")


def synced_anew(bench: Bench) -> list[int]:
    """Records of the sync answers on sockets that were accepted after a loss."""
    synced = bench.talk.caught_up
    losses = [c.loss.t for c, _ in synced if c.loss is not None]
    if not losses:
        return []
    return [answer.record for c, answer in synced if c.accepted > min(losses)]
