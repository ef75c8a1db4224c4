"""Antecedents that all dialects share: what must have happened before a row can be asked, looked up in the fold."""

from __future__ import annotations

from typing import Any

from brokercert.judge.attempts import attempts_of
from brokercert.judge.judging import Antecedent
from brokercert.judge.transcript import Transcript


def _connected(talk: Transcript[Any]) -> bool:
    return bool(talk.upgraded)


def _tried_again(talk: Transcript[Any]) -> bool:
    """Whether an attempt to connect followed the loss of some upgraded socket."""
    lost = [c.loss.t for c in talk.upgraded if c.loss is not None]
    return bool(lost) and bool(attempts_of(talk, min(lost)))


CONNECTED = Antecedent(_connected, "no upgrade request of the client was answered with a WebSocket")
SECOND_ATTEMPT = Antecedent(_tried_again, "after a loss, no attempt of the client to connect again was seen")
