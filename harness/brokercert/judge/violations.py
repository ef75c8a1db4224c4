"""The client's own violations of HTTP and WebSocket, for which the broker had to end a connection."""

from __future__ import annotations

from typing import Any

from brokercert.judge.moments import Noted
from brokercert.judge.transcript import Transcript
from brokercert.trace import records as r

BEYOND = "more than a client may send"  # how the mock broker's text begins where its budget for a client was met


def of_websocket(talk: Transcript[Any]) -> list[Noted[r.Violation]]:
    """Those after an upgrade was answered, and where more came than a client may send. What else came before it is
    HTTP, and another matter.
    """
    return [one for one in talk.violations if talk.connections[one.what.conn].upgraded or is_too_much(one.what)]


def is_too_much(violation: r.Violation) -> bool:
    """Whether the client sent so much that the broker took no more, well-formed or not."""
    return violation.text.startswith(BEYOND)


def told(talk: Transcript[Any]) -> str:
    """That the broker ended a connection for the first of them; nothing where there was none. It completes a sentence
    about something that was cut short.
    """
    if not talk.violations:
        return ""
    first, count = talk.violations[0].what, len(talk.violations)
    more = f" (and did so {count} times in all)" if count > 1 else ""
    did = "sent" if is_too_much(first) else "broke the rules of WebSocket:"
    return f"the broker ended connection {first.conn}, since the client {did} {first.text}{more}"
