"""Tradovate Stage 2: WebSocket management. One folder an area; every module here is searched for scenarios.

The background of each is a healthy broker: `h` at its cadence and plain, schema-true events of subscribed types.
Penalties that a scenario does not judge are off in it.
"""

from brokercert_scenarios.tradovate_stage2.dialect import DIALECT

__all__ = ["DIALECT"]
