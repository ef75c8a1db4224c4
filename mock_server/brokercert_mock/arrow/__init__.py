"""The Arrow order-updates mock: a WebSocket that pushes order updates, the Orders REST API, and one order ledger."""

from brokercert_mock.arrow.broker import ArrowBroker
from brokercert_mock.arrow.broker3 import ArrowBroker3
from brokercert_mock.arrow.connection import ArrowConnection
from brokercert_mock.arrow.settings import ArrowSettings, Settings3

__all__ = ["ArrowBroker", "ArrowBroker3", "ArrowConnection", "ArrowSettings", "Settings3"]
