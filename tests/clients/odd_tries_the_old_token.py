"""Secrets and tokens: the end of a token is found out by a refusal, and a fresh one is fetched then; renewing at any
rate is free, and REST calls carry what was renewed.
"""

import asyncio
import json
import urllib.request
from contextlib import suppress

from common import Client, Over, main
from websockets.asyncio.client import ClientConnection

SCENARIOS = ("token-expired", "token-revoked-away", "token-expires")
OFFERS = ("tokens",)
EXPECT: dict[str, str] = {}


class Odd(Client):
    async def refused(self, ws: ClientConnection) -> None:
        told = {"name": "USER", "password": "PASSWORD", "appId": "APP_ID", "appVersion": "APP_VERSION", "cid": "CID"}
        told |= {"sec": "SEC", "deviceId": "DEVICE_ID"}
        body = json.dumps({key: self.env[f"BROKERCERT_{name}"] for key, name in told.items()}).encode()
        self.token = json.loads(await self.call("auth/accesstokenrequest", body))["accessToken"]
        raise Over

    async def beat(self, ws: ClientConnection) -> None:
        renewing = asyncio.create_task(self.renew())
        try:
            await super().beat(ws)
        finally:
            renewing.cancel()

    async def renew(self) -> None:
        while True:
            await asyncio.sleep(8)
            with suppress(OSError):
                self.token = json.loads(await self.call("auth/renewaccesstoken"))["accessToken"]
                await self.call("account/list")

    async def call(self, endpoint: str, body: bytes | None = None) -> bytes:
        headers = {"Content-Type": "application/json", "Authorization": f"Bearer {self.token}"}
        request = urllib.request.Request(f"{self.env['BROKERCERT_REST_URL']}/{endpoint}", body, headers)
        direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))

        def ask() -> bytes:
            with direct.open(request, timeout=self.STEP) as answer:
                return bytes(answer.read())

        return await asyncio.to_thread(ask)


if __name__ == "__main__":
    main(Odd)
