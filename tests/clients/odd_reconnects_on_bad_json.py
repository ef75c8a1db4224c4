"""MSG-010: after malformed JSON a clean reconnect is as right as going on; its server is not healthy."""

from common import Client, Over, main

SCENARIOS = ("malformed-json",)
EXPECT: dict[str, str] = {}


class Odd(Client):
    def malformed(self, text: str) -> None:
        raise Over


if __name__ == "__main__":
    main(Odd)
