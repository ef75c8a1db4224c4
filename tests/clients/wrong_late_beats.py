"""The figure is right within its stated error: 34 s between two heartbeats."""

from common import Client, main

SCENARIOS = ("steady",)
EXPECT = {"HBT-010": "fail", "HBT-020": "warning"}
FIGURES = {"HBT-010": 34.0}


class Wrong(Client):
    BEAT = 34.0


if __name__ == "__main__":
    main(Wrong)
