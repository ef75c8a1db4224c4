"""The proxied path: one Toxiproxy proxy per scenario, in front of its broker."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal, Protocol

Times = tuple[float, float]  # requested, acknowledged: seconds of the loop's clock


class ProxiedPath(Protocol):
    """What a scenario may do to the way between client and broker."""

    @property
    def listen(self) -> tuple[str, int]: ...

    async def disable(self) -> Times: ...

    async def enable(self) -> Times: ...

    async def add(
        self, kind: str, stream: Literal["upstream", "downstream"], attributes: Mapping[str, int]
    ) -> Times: ...

    async def remove(self, name: str) -> Times: ...

    async def destroy(self) -> None: ...
