"""The live page: what a mock broker thinks, in a browser, as it happens; and its strings, pulled by hand."""

from brokercert.live.feed import Feed
from brokercert.live.server import LivePage

__all__ = ["Feed", "LivePage"]
