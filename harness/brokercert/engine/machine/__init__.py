"""What the machine does to a run: room, standstills, lag. A verdict must not depend on it."""
