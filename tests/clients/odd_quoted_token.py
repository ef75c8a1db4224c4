"""Secrets are compared by label: a token as a JSON string with escapes is the same token."""

from common import Client, main

SCENARIOS = ("login-timed", "loss-fin", "answer-in-batch", "token-refused")
EXPECT: dict[str, str] = {}


class Odd(Client):
    def token_text(self) -> str:
        escaped = "".join(c if c.isalnum() else f"\\u{ord(c):04x}" for c in self.token)
        return f'"{escaped}"\n'


if __name__ == "__main__":
    main(Odd)
