"""The scriptable mock brokers. They know nothing of who records or judges."""

from brokercert_mock.port.recorder import NullRecorder, Recorder
from brokercert_mock.port.rules.book import RuleError
from brokercert_mock.port.rules.rule import Hold, Rule
from brokercert_mock.port.tls import Certificates, Kind
from brokercert_mock.tradovate.broker import TradovateBroker
from brokercert_mock.tradovate.connection import Connection
from brokercert_mock.tradovate.sessions.sessions import Credentials
from brokercert_mock.tradovate.sessions.tokens import Token
from brokercert_mock.tradovate.settings import Settings

__all__ = [
    "Certificates",
    "Connection",
    "Credentials",
    "Hold",
    "Kind",
    "NullRecorder",
    "Recorder",
    "Rule",
    "RuleError",
    "Settings",
    "Token",
    "TradovateBroker",
]
