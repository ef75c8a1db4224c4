"""Defects of reading frames at login: their letter, the ids of answers (TP §11, rows 1, 2 and 5)."""

from __future__ import annotations

import json

from brokercert.mutants.tradovate.mutant import mutant
from brokercert.mutants.tradovate.queues import with_queue
from brokercert.reference.tradovate import wire
from brokercert.reference.tradovate.client import ReferenceClient
from brokercert.reference.tradovate.requests import RequestQueue
from brokercert.reference.tradovate.session import Session


class _LetteredSession(Session):
    def receive(self, text: str, now: float) -> None:
        if len(text) == 1:
            super().receive(text, now)
        self._heard = now  # `a[...]` is no JSON: what stands in it is lost


@mutant(
    "takes-the-letter-for-json",
    "LOG-060 LOG-045",
    also={
        "LOG-040": "it does not read the refusal, and tries the same token with each new socket",
        "RLP-070": "it does not read the 429 either, and logs in again with each new socket",
        "LOG-100": "nor the captcha",
        "REC-110": "it comes to no sync, whatever the fault",
        "HBT-040": "it ends the connection in a time of nothing but `h`",
        "REC-010": "it hangs up again and again, so that its ladder has climbed when the broker ends a connection",
        "LOG-055": "it ends the connection before its token ends, which looks like that one's doing",
        "CON-050": "it ends the connection over a slow way too, which looks like the way's doing",
    },
    reason="no answer is read: nobody is told of a refusal, and after 8 s without a success it hangs up",
)
class LetterForJson(ReferenceClient):
    """Parses a frame as JSON without taking its letter off, and knows `o` and `h` only."""

    session_class = _LetteredSession


class _NoZeroQueue(RequestQueue):
    def on_reply(self, reply: wire.Reply, now: float) -> None:
        if reply.id == 0 and reply.status != 200:
            self._pending.pop(0, None)  # `if (item.i && ...)`: nobody waits for it any more
        else:
            super().on_reply(reply, now)


@mutant(
    "takes-the-id-0-for-none",
    "LOG-045",
    also={
        "LOG-040": "where the server closes after it, the same token follows by the ladder of any loss",
        "REC-070": "a revoked token's refusal goes unnoticed, so that no other follows",
    },
    reason="the refusal of authorize bears its id, 0, and nobody is told of what was not seen",
)
class ZeroForNone(ReferenceClient):
    """Takes the id 0 for none where an answer is no 200, so that a refusal leaves it waiting."""

    session_class = with_queue(_NoZeroQueue)


class _JsonSession(Session):
    def send_authorize(self, now: float) -> None:
        super().send_authorize(now)
        self._requests.take()  # its four lines, in whose place an object goes
        self._out.append(json.dumps({"op": "authorize", "data": {"token": self._token}}))


@mutant(
    "authorizes-with-an-object",
    "LOG-030",
    also={
        "CON-010": "whoever is back after an outage has logged in, and it comes to no login",
        "CON-020": "so it is after a name that did not resolve",
        "CON-050": "it gives up each login that is not answered, which looks like the slow way's doing",
        "LOG-080": "it comes to no login after the `o` that never came",
        "REC-110": "it comes to no sync, whatever the fault",
    },
    reason="an object is no request, and is never answered",
)
class AuthorizesWithAnObject(ReferenceClient):
    """Sends authorize as a JSON object in place of the four lines."""

    session_class = _JsonSession
