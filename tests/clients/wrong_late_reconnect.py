"""The figure is right within its stated error: the first attempt comes 11 s after the loss."""

from common import Client, main

SCENARIOS = ("loss-rst",)
EXPECT = {"REC-010": "fail"}
FIGURES = {"REC-010": 11.0}


class Wrong(Client):
    def delay(self, attempts: int) -> float:
        return 11.0


if __name__ == "__main__":
    main(Wrong)
