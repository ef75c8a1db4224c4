"""Limits, attempts during an outage: 50 % jitter, so that later delays may be shorter than earlier ones."""

import random

from common import Client, main

SCENARIOS = ("outage-closed", "shutdown-at-once", "upgrade-429")
EXPECT: dict[str, str] = {}


class Odd(Client):
    def delay(self, attempts: int) -> float:
        return min(10.0, 1.0 * float(2**attempts)) * random.uniform(0.5, 1.0)


if __name__ == "__main__":
    main(Odd)
