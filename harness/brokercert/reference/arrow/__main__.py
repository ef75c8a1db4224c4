"""`python -m brokercert.reference.arrow`: the reference client as a process, from its environment.

Exit codes: 0 asked to stop, 2 the environment lacks something.
"""

from __future__ import annotations

import asyncio
import json
import sys

from brokercert.reference.arrow.config import ConfigError
from brokercert.reference.arrow.subject import ArrowSubject
from brokercert.reference.program import serve


async def _on_line(client: ArrowSubject, line: bytes) -> None:
    try:
        command = json.loads(line)
    except (ValueError, RecursionError):
        return
    if isinstance(command, dict):
        await client.command(command)


def main(factory: type[ArrowSubject] = ArrowSubject) -> int:
    try:
        return asyncio.run(serve(factory, lambda client: client.config.level == "commands", _on_line))
    except ConfigError as error:
        print(f"reference client: {error}", file=sys.stderr)
        return 2


if __name__ == "__main__":
    sys.exit(main())
