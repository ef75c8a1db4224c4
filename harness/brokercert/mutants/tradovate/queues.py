"""What mutants of several areas change of the queue."""

from __future__ import annotations

from typing import Any

from brokercert.reference.tradovate.requests import Lockout, RequestQueue
from brokercert.reference.tradovate.session import Session


def with_queue(queue: type[RequestQueue]) -> type[Session]:
    """A session class whose requests pass through a queue of this class."""

    class _Session(Session):
        def __init__(self, *arguments: Any) -> None:
            super().__init__(*arguments)
            self._requests = queue(Lockout(self.config.lockout))

    return _Session
