"""An exit nobody asked for is a fact in the trace: one failure, the rest blocked by it."""

SCENARIOS = ("steady", "loss-fin", "stop-open", "sync-ticket")
EXPECT: dict[str, str] = {"LOG-010": "fail"}
OTHERS = "blocked"

if __name__ == "__main__":
    print("no configuration found")
