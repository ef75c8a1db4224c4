"""Processes each message at once, and prints through a buffer that is emptied four times a second."""

from __future__ import annotations

from common import main
from reporting import Reporter, say


class Buffers(Reporter):
    def __init__(self) -> None:
        super().__init__()
        self.buffer: list[str] = []

    def tell(self, line: str) -> None:
        if not self.buffer:
            self.loop.call_later(0.25, self.empty)
        self.buffer.append(line)

    def empty(self) -> None:
        lines, self.buffer = self.buffer, []
        say("\n".join(lines))


if __name__ == "__main__":
    main(Buffers)
