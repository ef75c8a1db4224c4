"""A client that never connects gets one failure, not sixty."""

import signal

SCENARIOS = ("steady", "loss-fin", "stop-open", "sync-ticket")
EXPECT: dict[str, str] = {"LOG-010": "fail"}
OTHERS = "blocked"

if __name__ == "__main__":
    signal.pause()
