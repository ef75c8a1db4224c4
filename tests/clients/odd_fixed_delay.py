"""Limits, attempts during an outage: delays that never grow are right where they are long, here always 6.5 s."""

from common import Client, main

SCENARIOS = ("outage-refused", "loss-fin")
EXPECT: dict[str, str] = {}


class Odd(Client):
    def delay(self, attempts: int) -> float:
        return 6.5


if __name__ == "__main__":
    main(Odd)
