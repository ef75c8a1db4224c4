"""The judge: pure functions from traces to findings and rows."""

from brokercert.judge.judge import is_silent, judge_trace, never_came, not_reached
from brokercert.judge.judging import Antecedent, Judging
from brokercert.judge.rows import excerpts_from, has_excerpt, judge_rows

__all__ = [
    "Antecedent",
    "Judging",
    "excerpts_from",
    "has_excerpt",
    "is_silent",
    "judge_rows",
    "judge_trace",
    "never_came",
    "not_reached",
]
