"""Limits, heartbeat gap: 30 s and 10 % more, so a beat every 30.0 s is right; only its cadence warns."""

from common import Client, main

SCENARIOS = ("steady", "sync-ticket-long")
EXPECT: dict[str, str] = {"HBT-020": "warning"}


class Odd(Client):
    BEAT = 30.0


if __name__ == "__main__":
    main(Odd)
