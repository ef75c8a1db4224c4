"""How far a client's timer may be off: by the set's tolerance, and by what this machine itself was late."""

from __future__ import annotations

from brokercert.judge.arrow.bench import ArrowBench


def share(bench: ArrowBench) -> str:
    """The tolerance in words."""
    return f"{100 * bench.limit('tolerance'):g} %"


def slack(bench: ArrowBench, delay: float) -> float:
    """By how much a timer of `delay` seconds may be off before it is wrong, in seconds."""
    return max(delay * bench.limit("tolerance"), bench.limit("timer_slack")) + bench.error


def sure(bench: ArrowBench, delay: float) -> float:
    """By how much it may be off and be right, in seconds. Between the two it is unsure: the harness was late itself."""
    return slack(bench, delay) - (bench.error if bench.error > bench.limit("calm") else 0.0)
