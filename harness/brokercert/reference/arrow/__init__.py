"""The reference client of the Arrow dialect: the page's whole surface, as a library, and as a subject.

Written independently of the mock broker: no shared codec, no shared table.
"""

from brokercert.reference.arrow.client import OrderUpdatesClient
from brokercert.reference.arrow.subject import ArrowSubject

__all__ = ["ArrowSubject", "OrderUpdatesClient"]
