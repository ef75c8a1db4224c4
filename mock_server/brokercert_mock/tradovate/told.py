"""The names by which this broker tells the recorder of what is its own: faults, and what is no rule of a rule book.

A name that ends in `-` or `[` is the beginning of several: what follows it says which.
"""

from __future__ import annotations

from enum import StrEnum


class TradovateFault(StrEnum):
    """Faults that only this protocol has."""

    PROTOCOL_CLOSE = "c["  # and the code and `]`
    SHUTDOWN = "shutdown"
    TLS = "tls-"  # and the kind of certificate
    NAME = "name-"  # and what the name server says
    NAME_RESOLVES = "name-resolves"
    TOKEN = "token-"  # and `expired` or `revoked`


class Told(StrEnum):
    """What is told as a rule is, at the moment at which it takes effect."""

    TLS_HELLO = "tls-hello"
    DNS = "dns-"  # and what the name server said
    QUOTA = "quota"
    BURST = "burst"
    BATCH = "batch"
    IN_SPACES = "in-spaces"
    EVENTS_HELD = "events-held"
    EVENTS_RELEASED = "events-released"
