"""Names of this machine by which clients are told to reach a broker: looked at before anything is played.

The law: a name that cannot be served ends the run in a sentence, before any client could be blamed for it.
"""

from __future__ import annotations

from collections.abc import Iterable

from brokercert_mock.port.addresses import AddressError, loopback_of

from brokercert.engine.errors import UsageError
from brokercert.engine.play.dialect import Dialect
from brokercert.engine.play.scenario import Scenario


async def check_hosts(dialect: Dialect, scenarios: Iterable[Scenario]) -> dict[str, str]:
    """Each name with the addresses on which it is served, for the report. Raises `UsageError`."""
    told: dict[str, str] = {}
    for name in sorted({name for scenario in scenarios for name in dialect.hosts(scenario.settings)}):
        try:
            here, absent = await loopback_of(name)
        except AddressError as error:
            raise UsageError(str(error)) from error
        without = f"; this machine has no {', '.join(absent)}" if absent else ""
        told[f"addresses of {name}"] = f"{', '.join(here)}{without}"
    return told
