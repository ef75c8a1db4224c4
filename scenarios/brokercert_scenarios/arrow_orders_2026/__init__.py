"""Arrow order updates by the third edition of the page. What both editions play alike is written in the first's suite.

The background of each is a healthy broker: a keep-alive every 2 s, six live orders. Penalties that a scenario does not
judge (the account's limits, the end of a token) are off in it.
"""

from brokercert_scenarios.arrow_orders_2026.dialect import DIALECT

__all__ = ["DIALECT"]
