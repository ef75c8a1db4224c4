"""The names by which this broker tells the recorder of faults that only it has."""

from __future__ import annotations

from enum import StrEnum


class ArrowFault(StrEnum):
    """What was done to its sessions."""

    SESSION_EXPIRED = "session-expired"
