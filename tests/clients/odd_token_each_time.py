"""Connections, lanes, attempts: a token request over REST and the connection that follows it are one attempt."""

import asyncio
import json
import urllib.request

from common import Client, main

SCENARIOS = ("loss-fin", "loss-rst", "outage-refused")
EXPECT: dict[str, str] = {}


class Odd(Client):
    async def before_connect(self) -> None:
        self.token = await asyncio.to_thread(self.fetch)

    def fetch(self) -> str:
        told = {"name": "USER", "password": "PASSWORD", "appId": "APP_ID", "appVersion": "APP_VERSION", "cid": "CID"}
        told |= {"sec": "SEC", "deviceId": "DEVICE_ID"}
        body = json.dumps({key: self.env[f"BROKERCERT_{name}"] for key, name in told.items()}).encode()
        request = urllib.request.Request(
            self.env["BROKERCERT_REST_URL"] + "/auth/accesstokenrequest", body, {"Content-Type": "application/json"}
        )
        direct = urllib.request.build_opener(urllib.request.ProxyHandler({}))
        with direct.open(request, timeout=self.STEP) as answer:
            return str(json.load(answer)["accessToken"])


if __name__ == "__main__":
    main(Odd)
