"""The names that a trace tells rules, faults and windows by, as far as anybody compares them.

Who tells them (a mock broker, the harness, a scenario) and who compares them (the judge) know nothing of each other.
Here they meet. Saved traces have these names: none is ever changed. A name that ends in `-` or `[` is the beginning of
several.
"""

from __future__ import annotations

from enum import StrEnum


class RuleName(StrEnum):
    """`RuleApplied.name`: what a broker did differently."""

    # Rules that any broker may take.
    ACCEPT_CLOSED = "accept-closed"
    UPGRADE_REFUSED = "upgrade-refused"
    UPGRADE_UNANSWERED = "upgrade-unanswered"
    UPGRADE_CLOSED = "upgrade-closed"
    UPGRADE_THEN_CLOSE = "upgrade-then-close"
    REFUSE = "refuse"
    ANSWER_WITH = "answer-with"
    ANSWER_AFTER = "answer-after"
    NEVER_ANSWER = "never-answer"  # told with `:` and the endpoint
    HOLD = "hold"
    EVENT_TWICE = "event-twice"
    EVENT_DROPPED = "event-dropped"
    # Rules of a protocol with an open frame, numbered requests and penalties.
    SHUTDOWN_AT_ONCE = "shutdown-at-once"
    HOLD_OPEN = "hold-open"
    OPEN_NEVER = "open-never"
    OPEN_AFTER = "open-after"
    HOLD_ANSWER = "hold-answer"
    IN_ONE_FRAME = "in-one-frame"
    TICKET = "ticket"
    LAST_IN_BATCH = "last-in-batch"
    AFTER_EVENTS = "after-events"
    ANSWER_TWICE = "answer-twice"
    FIRST = "first"
    THEN = "then"
    INSTEAD = "instead"
    EVENT_AS_ARRAY = "event-as-array"
    # Told as rules are, by the broker's other parts.
    TLS_HELLO = "tls-hello"
    DNS = "dns-"  # and what the name server said
    QUOTA = "quota"
    BURST = "burst"
    BATCH = "batch"
    IN_PARTS = "in-parts"
    IN_SPACES = "in-spaces"
    EVENTS_HELD = "events-held"
    EVENTS_RELEASED = "events-released"
    # Told by scenarios.
    IDLE_CLOSE = "idle-close"

    @staticmethod
    def unanswered(endpoint: str) -> str:
        """What is told of a request to this endpoint that was left unanswered."""
        return f"{RuleName.NEVER_ANSWER}:{endpoint}"


class FaultName(StrEnum):
    """`Fault.name`: what was done to a connection, to the port, to the way, or to what a client was given."""

    FIN = "fin"
    RST = "rst"
    UNREAD = "unread"
    CLOSE = "close-"  # and the close code
    SILENT = "silent-"  # and `application` or `dead`
    HALF_OPEN = "half-open"
    DEAF = "deaf"
    MID_FRAME = "mid-frame"
    PORT_REFUSED = "port-refused"
    PORT_UNANSWERED = "port-unanswered"
    PORT_OPEN = "port-open"
    # The way between client and broker.
    PROXY_DOWN = "proxy-down"
    PROXY_UP = "proxy-up"
    TOXIC = "toxic-"  # and its kind
    # What a protocol adds.
    PROTOCOL_CLOSE = "c["  # and the code and `]`
    SHUTDOWN = "shutdown"
    TLS = "tls-"  # and the kind of certificate
    NAME = "name-"  # and what the name server says
    NAME_RESOLVES = "name-resolves"
    TOKEN = "token-"  # and `expired` or `revoked`
    SESSION_EXPIRED = "session-expired"
    CLOCK_STEP = "clock-step"  # of the client's wall clock
    # Told by scenarios.
    UPGRADES_ANSWERED = "upgrades-answered"


class WindowName(StrEnum):
    """The beginning of `Window.name`: a time that a scenario marks."""

    OUTAGE = "outage"  # of any kind
    UNAVAILABLE = "outage: unavailable"
    SHUT_DOWN = "outage: shut down"
    HUSHED = "hushed"  # the broker said nothing by itself
    LOCKED_OUT = "outage: every upgrade answered with 429"


class LedgerName(StrEnum):
    """`Ledger.name`, beside those that a scenario gives its own points of comparison."""

    TOLD = "told"  # what the client was told at its start
