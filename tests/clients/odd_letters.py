"""What the mock must take: mixed-case endpoints, bodies on several lines, ids from 2^31."""

import json
from typing import Any

from common import Client, main

SCENARIOS = ("steady", "sync-ticket", "answer-in-batch", "loss-fin")
EXPECT: dict[str, str] = {}


class Odd(Client):
    FIRST_ID = 2**31

    def endpoint(self, name: str) -> str:
        return {"user/syncrequest": "user/syncRequest", "authorize": "Authorize"}[name]

    def body(self, content: dict[str, Any]) -> str:
        return json.dumps(content, indent=4) + "\n"


if __name__ == "__main__":
    main(Odd)
