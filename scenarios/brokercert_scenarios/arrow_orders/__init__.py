"""Arrow order updates. One folder an area; every module here is searched for scenarios.

The background of each is a healthy broker: a keep-alive every 5 s, six live orders. Penalties that a scenario does not
judge (the account's limits, the end of a session) are off in it.
"""

from brokercert_scenarios.arrow_orders.dialect import DIALECT

__all__ = ["DIALECT"]
