"""The names by which the faults of any broker's port and connections are told to the recorder.

A name that ends in `-` is the beginning of several: what follows it says which.
"""

from __future__ import annotations

from enum import StrEnum


class Fault(StrEnum):
    """What was done to one connection, or to the port."""

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
