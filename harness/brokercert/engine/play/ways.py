"""The proxies of one scenario, one for each address by which its client may come; whatever is done is done to all."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Literal

from brokercert.engine.play.faults import ProxiedPath, Times


class Ways:
    """A path of several proxies on one port. Times are those of the first request and of the last acknowledgement."""

    def __init__(self, proxies: Sequence[ProxiedPath]) -> None:
        self._proxies = proxies

    @property
    def listen(self) -> tuple[str, int]:
        """Of the first: the address that is told to clients, unless they are told a name."""
        return self._proxies[0].listen

    async def disable(self) -> Times:
        return await self._each(lambda one: one.disable())

    async def enable(self) -> Times:
        return await self._each(lambda one: one.enable())

    async def add(self, kind: str, stream: Literal["upstream", "downstream"], attributes: Mapping[str, int]) -> Times:
        return await self._each(lambda one: one.add(kind, stream, attributes))

    async def remove(self, name: str) -> Times:
        return await self._each(lambda one: one.remove(name))

    async def destroy(self) -> None:
        for one in self._proxies:
            await one.destroy()

    async def _each(self, act: Callable[[ProxiedPath], Awaitable[Times]]) -> Times:
        times = [await act(one) for one in self._proxies]
        return times[0][0], times[-1][1]
