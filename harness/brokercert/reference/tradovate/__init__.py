"""The reference client for Tradovate's WebSocket: a sans-I/O session in a thin asyncio shell.

Written from the protocol notes alone: it shares no codec and no table with the mock broker.
"""

from brokercert.reference.tradovate.client import ReferenceClient
from brokercert.reference.tradovate.config import Config

__all__ = ["Config", "ReferenceClient"]
