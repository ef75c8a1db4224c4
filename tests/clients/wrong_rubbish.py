"""Processes: output is always drained, whatever it is; here binary, and never a newline."""

import signal
import sys

SCENARIOS = ("steady", "loss-fin", "stop-open", "sync-ticket")
EXPECT: dict[str, str] = {"LOG-010": "fail"}
OTHERS = "blocked"

if __name__ == "__main__":
    sys.stdout.buffer.write(bytes(range(256)).replace(b"\n", b"") * 400)
    sys.stdout.buffer.flush()
    signal.pause()
