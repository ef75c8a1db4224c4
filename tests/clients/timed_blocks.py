"""Blocks for 2 ms a message: at a thousand a second it falls behind by a second each second."""

from __future__ import annotations

import time

from common import main
from reporting import Reporter


class Blocks(Reporter):
    def tell(self, line: str) -> None:
        time.sleep(0.002)
        super().tell(line)


if __name__ == "__main__":
    main(Blocks)
