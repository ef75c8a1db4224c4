"""The suite of the set `ferry-rides`: its dialect, its scenarios, and the set's data beside them."""

from ferry_broker.suite.dialect import DIALECT

__all__ = ["DIALECT"]
