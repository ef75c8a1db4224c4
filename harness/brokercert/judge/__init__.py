"""The judge: pure functions from traces to findings and rows."""

from brokercert.judge.check import CHECKS, Bench, Check
from brokercert.judge.judge import fold, judge_rows, judge_trace

__all__ = ["CHECKS", "Bench", "Check", "fold", "judge_rows", "judge_trace"]
