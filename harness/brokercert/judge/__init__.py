"""The judge: pure functions from traces to findings and rows."""

from brokercert.judge.judge import (
    excerpts_from,
    has_excerpt,
    is_silent,
    judge_rows,
    judge_trace,
    never_came,
    not_reached,
)
from brokercert.judge.judging import Judging

__all__ = [
    "Judging",
    "excerpts_from",
    "has_excerpt",
    "is_silent",
    "judge_rows",
    "judge_trace",
    "never_came",
    "not_reached",
]
