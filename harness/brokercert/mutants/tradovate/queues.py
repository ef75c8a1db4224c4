"""What mutants of several areas change of the queue."""

from __future__ import annotations

from brokercert.reference.tradovate.requests import RequestQueue
from brokercert.reference.tradovate.session import Session


def with_queue(queue: type[RequestQueue]) -> type[Session]:
    """A session class whose requests pass through a queue of this class."""

    class _Session(Session):
        queue_class = queue

    return _Session
