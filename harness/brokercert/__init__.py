"""The certification harness: trace, requirement sets, checks, verdicts, runner, faults, front doors."""
