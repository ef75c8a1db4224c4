"""The scriptable mock brokers. They know nothing of who records or judges."""

from brokercert_mock.port.recorder import NullRecorder, Recorder
from brokercert_mock.port.rules import Hold, Rule
from brokercert_mock.port.tls import Certificates, Kind
from brokercert_mock.tradovate.broker import Credentials, TradovateBroker
from brokercert_mock.tradovate.connection import Connection
from brokercert_mock.tradovate.settings import Settings
from brokercert_mock.tradovate.tokens import Token

__all__ = [
    "Certificates",
    "Connection",
    "Credentials",
    "Hold",
    "Kind",
    "NullRecorder",
    "Recorder",
    "Rule",
    "Settings",
    "Token",
    "TradovateBroker",
]
