"""Reports each message 150 ms after it came, the next ones meanwhile: late, and never further behind."""

from __future__ import annotations

from common import main
from reporting import Reporter, say


class Delays(Reporter):
    def tell(self, line: str) -> None:
        self.loop.call_later(0.15, say, line)


if __name__ == "__main__":
    main(Delays)
