"""Looks at this machine and says what will trouble a run, each line with its remedy. It changes nothing."""
