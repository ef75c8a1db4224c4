"""Limits, attempts during an outage: a ladder without jitter; the order and evenness of single delays is not judged."""

from common import Client, main

SCENARIOS = ("outage-refused",)
EXPECT: dict[str, str] = {}


class Odd(Client):
    def delay(self, attempts: int) -> float:
        return min(10.0, 0.5 * float(2**attempts))


if __name__ == "__main__":
    main(Odd)
