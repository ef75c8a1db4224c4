"""What a client does not do after a `shutdown` event (TP §4, §10).

The row is passed by doing nothing, but only after what asks for it has come.
"""

from __future__ import annotations

from collections.abc import Iterator

from brokercert.judge.attempts import attempts_within_limits
from brokercert.judge.moments import Moment
from brokercert.judge.tradovate.bench import Bench, check
from brokercert.judge.tradovate.model.back_off import back_off
from brokercert.judge.tradovate.model.conversation import objects_in
from brokercert.judge.tradovate.model.trying import tries
from brokercert.trace.names import WindowName
from brokercert.verdict import Finding


@check("EVT-140")
def check_shutdown(bench: Bench) -> Iterator[Finding]:
    """After `shutdown` and the close that follows, attempts stay inside the limits, and back off where it goes on."""
    told = _shutdowns(bench)
    if not told:
        return
    if any(mark.what.name.startswith(WindowName.OUTAGE) for mark in bench.talk.windows):
        yield from back_off(bench, WindowName.SHUT_DOWN)
    else:
        yield from _within_limits(bench, *told[0])


def _within_limits(bench: Bench, since: int, record: int) -> Iterator[Finding]:
    """The attempts after the `shutdown` at `since`, which that record tells."""
    sockets = [c for c in bench.talk.authorized if c.accepted < since]
    attempts = tries(bench, since)
    too_many = list(attempts_within_limits(bench, attempts, max(1, len(sockets))))
    yield from too_many
    if not too_many:
        watch = bench.barred(since, bench.micros("window_default"))
        yield watch.kept(
            f"{len(attempts)} attempt(s) in {watch} after the shutdown",
            [record],
            short=f"watched for {watch} after the shutdown only",
        )


def _shutdowns(bench: Bench) -> list[Moment]:
    """Every `shutdown` event."""
    return sorted(Moment(said.t, said.record) for said in bench.talk.data_sent if _holds_shutdown(said.text))


def _holds_shutdown(text: str) -> bool:
    if not text.startswith("a") or '"shutdown"' not in text:
        return False
    return any(message.get("e") == "shutdown" for message in objects_in(text))
