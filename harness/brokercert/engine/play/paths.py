"""The proxied paths of a run: one Toxiproxy for all, started when the first scenario asks for it."""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import Self

from brokercert.engine.play.faults import ProxiedPath
from brokercert.engine.play.ways import Ways
from brokercert.toxiproxy.choose import Chosen, choose, inside, named
from brokercert.toxiproxy.driver import ProxyHandle, ToxiproxyError

LOOPBACK = "127.0.0.1"
TRIES = 5  # ports, until one is free on every address


class Paths:
    """Opens a proxy per scenario, named `<run>-<scenario>`, so that a server may be shared."""

    def __init__(self, run_id: str, *, virtual: bool = False, seed: int = 0) -> None:
        self._run_id = run_id
        self._virtual = virtual
        self._seed = seed
        self._chosen: Chosen | None = None
        self._lock = asyncio.Lock()
        self.description = "not used"

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        if self._chosen is not None:
            try:
                await self._chosen.close()
            except Exception as error:  # all was played by now: it costs no verdict
                self.description += f"; it could not be ended: {type(error).__name__}: {error}"

    async def check(self) -> None:
        """Before anything is run: whether the server that `TOXIPROXY_URL` names, if it does, can be used.

        Raises `UsageError`.
        """
        if named():
            await self._choose()

    async def open(self, scenario: str, upstream_port: int, addresses: Sequence[str] = (LOOPBACK,)) -> ProxiedPath:
        """A proxy in front of a broker on loopback, on each of these addresses, all on one port.

        Raises `ToxiproxyError`.
        """
        chosen = await self._choose()
        name, upstream = f"{self._run_id}-{scenario}", f"{LOOPBACK}:{upstream_port}"
        for left in reversed(range(TRIES)):
            made: list[ProxyHandle] = []
            try:
                for place, address in enumerate(addresses):
                    host = f"[{address}]" if ":" in address else address
                    listen = f"{host}:{made[0].listen[1] if made else 0}"
                    made.append(await chosen.driver.create(f"{name}-{place + 1}" if place else name, upstream, listen))
                return Ways(made)
            except ToxiproxyError:
                await Ways(made).destroy()
                if not left or not made:  # not even the first: another port would not mend it
                    raise
        raise AssertionError("the last try returns or raises")

    async def _choose(self) -> Chosen:
        async with self._lock:
            if self._chosen is None:
                self._chosen = inside(self._seed) if self._virtual else await choose(seed=self._seed)
                self.description = self._chosen.description
        return self._chosen
