"""Defects in the face of servers that are not there, and of slow ones."""

from __future__ import annotations

import dataclasses
import ssl
from typing import Any

from websockets.asyncio.client import ClientConnection

from brokercert.mutants.tradovate.mutant import mutant
from brokercert.reference.resolve import ResolveError
from brokercert.reference.tradovate.backoff import Backoff
from brokercert.reference.tradovate.client import End, ReferenceClient


@mutant(
    "no-connect-time-out",
    "CON-010",
    also={
        "REC-110": "an upgrade that is never answered is one of the faults of every phase",
    },
    reason="the upgrade's answer is awaited for ever",
)
class NoConnectTimeOut(ReferenceClient):
    """Waits for a connection as long as it takes."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.config = dataclasses.replace(self.config, connect_within=3600.0)


@mutant(
    "gives-up-when-refused",
    "CON-040",
    also={
        "REC-110": "a connect that fails ends the loop, so that the end of an outage is never seen",
        "REC-115": "a connect that fails ends the loop, so that the end of an outage is never seen",
        "CON-020": "a connect that fails ends the loop, so that the end of an outage is never seen",
        "CON-030": "a connect that fails ends the loop, so that the end of an outage is never seen",
    },
    reason="a connect that fails ends the loop, so that the end of an outage is never seen",
)
class GivesUpWhenRefused(ReferenceClient):
    """Stays away when a connection cannot be made."""

    failed = False

    async def open_socket(self) -> ClientConnection:
        try:
            return await super().open_socket()
        except ConnectionError:
            self.failed = True
            raise

    def delay_after(self, end: End, backoff: Backoff, refusals: int) -> float | None:
        return None if self.failed else super().delay_after(end, backoff, refusals)


@mutant(
    "a-second-is-enough",
    "CON-050",
    also={
        "CON-010": "over a slow way an answer takes longer than a second",
        "LOG-040": "a refusal that takes longer than a second is not read, and its token is sent again",
    },
    reason="over a slow way an answer takes longer than a second, and the login never comes to its end",
)
class ASecondIsEnough(ReferenceClient):
    """Gives connect, `o` and the answer to authorize a second each."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        self.config = dataclasses.replace(self.config, connect_within=1.0, open_within=1.0, answer_within=1.0)


@mutant("dies-of-an-unknown-name", "CON-020", reason="a name that does not resolve ends the program")
class DiesOfUnknownName(ReferenceClient):
    """Lets the failure of its name's lookup end it."""

    async def open_socket(self) -> ClientConnection:
        try:
            return await super().open_socket()
        except ResolveError as error:
            raise RuntimeError("nothing can be done") from error


@mutant("trusts-every-certificate", "CON-030", reason="its token goes to whoever answers")
class TrustsEverything(ReferenceClient):
    """Connects whatever certificate it is shown."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        super().__init__(*arguments, **options)
        if self._tls is not None:
            self._tls.check_hostname = False
            self._tls.verify_mode = ssl.CERT_NONE


@mutant(
    "dies-of-a-cut-handshake",
    "CON-030",
    also={
        "EVT-020": "a handshake that is cut before its first sync ends it",
        "REC-110": "a cut handshake is one of the faults of every phase",
    },
    reason="a handshake that is cut is a failure like any other, and passes",
)
class DiesOfCutHandshake(ReferenceClient):
    """Lets a connection that is reset while it is being made end it."""

    async def open_socket(self) -> ClientConnection:
        try:
            return await super().open_socket()
        except ssl.SSLCertVerificationError:
            raise
        except ConnectionResetError as error:
            raise RuntimeError("nothing can be done") from error
