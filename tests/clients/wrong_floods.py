"""Processes: output is always drained; a client that floods it at full speed harms nobody else."""

import sys

SCENARIOS = ("stop-open", "sync-ticket")
EXPECT: dict[str, str] = {"LOG-010": "fail"}
OTHERS = "blocked"
LIMITS = {"window_first_authorize": 6.0}

if __name__ == "__main__":
    line = b"nothing to do\n" * 1000
    while True:
        sys.stdout.buffer.write(line)
