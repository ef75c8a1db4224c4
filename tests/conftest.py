"""Says that the main thread has no event loop, before any test runs.

Else looptime's plugin, which asks for one around every synchronous test, makes the default policy create one that
nobody closes; it surfaces later, as an error of whichever test the garbage collector happens to run in.
"""

import asyncio
import signal
from functools import wraps
from typing import Any

if signal.getsignal(signal.SIGINT) is signal.SIG_IGN:
    # A process that a script started in the background ignores Ctrl-C, and so would every program that tests end by it.
    signal.signal(signal.SIGINT, signal.default_int_handler)

asyncio.set_event_loop(None)

SHORT = 120  # records: traces made by hand; those that a client played are spread by the kill matrix


def _in_a_loop() -> bool:
    """Whether this is within a run, which goes on in real time meanwhile."""
    try:
        asyncio.get_running_loop()
    except RuntimeError:
        return False
    return True


def _hold_to_the_truth() -> None:
    """Whatever a test has judged, an independent reader holds the sentences against the trace."""
    import brokercert.judge as judge
    from brokercert.matrix.truth.reader import uncited, untrue
    from brokercert.matrix.truth.spread import spread

    judged = judge.judge_trace

    @wraps(judged)
    def held(trace: Any, *more: Any, **named: Any) -> Any:
        findings = judged(trace, *more, **named)
        if trace.header.tier == "real" and _in_a_loop():
            return findings  # to read takes its time, and a harness that stands still would tell of it
        assert untrue(trace, findings) == [], "its trace refutes what the judge says"
        assert uncited(findings) == [], "a pass that cites nothing"
        later = spread(trace) if len(trace.records) <= SHORT else None
        if later is not None:
            said = untrue(later, judged(later, *more, **named))
            assert said == [], "had a slow machine recorded it, its trace would refute what the judge says"
        return findings

    judge.judge_trace = held


_hold_to_the_truth()
