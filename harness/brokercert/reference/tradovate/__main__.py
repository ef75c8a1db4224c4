"""`python -m brokercert.reference.tradovate`: the reference client as a process, from its environment.

Exit codes: 0 asked to stop, 2 the environment lacks something.
"""

from __future__ import annotations

import asyncio
import sys
from collections.abc import Callable, Mapping

from brokercert.reference.program import serve
from brokercert.reference.tradovate.client import ReferenceClient
from brokercert.reference.tradovate.config import ConfigError

Factory = Callable[[Mapping[str, str], Callable[[str], None]], ReferenceClient]


def main(factory: Factory = ReferenceClient) -> int:
    try:
        return asyncio.run(
            serve(
                factory,
                lambda client: client.config.level == "commands",
                lambda client, line: client.commands.on_line(line),
            )
        )
    except ConfigError as error:
        print(f"reference client: {error}", file=sys.stderr)
        return 2


if __name__ == "__main__":
    sys.exit(main())
