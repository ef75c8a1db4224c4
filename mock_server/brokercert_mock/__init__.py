"""The scriptable mock brokers. They know nothing of who records or judges."""

from brokercert_mock.broker import Credentials, TradovateBroker
from brokercert_mock.connection import Connection
from brokercert_mock.recorder import NullRecorder, Recorder
from brokercert_mock.rules import Hold, Rule
from brokercert_mock.settings import Settings
from brokercert_mock.tls import Certificates, Kind
from brokercert_mock.tokens import Token

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
