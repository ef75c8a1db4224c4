"""Which sockets synced anew after a loss."""

from __future__ import annotations

from brokercert.judge.tradovate.reconnection.state import synced_anew
from sockets import Sockets


def test_two_sockets_that_live_together_are_no_reconnect() -> None:
    story = Sockets()
    story.sync()
    story.sync()
    assert synced_anew(story.bench()) == []
