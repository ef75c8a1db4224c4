"""TLS: after a bad certificate leaving on its own is as right as trying again."""

import ssl

from common import Client, Leave, main
from websockets.asyncio.client import ClientConnection, connect

SCENARIOS = ("tls-untrusted", "tls-wrong-host", "tls-expired")
OFFERS = ("tls",)
EXPECT: dict[str, str] = {}


class Odd(Client):
    async def open(self) -> ClientConnection:
        try:
            return await connect(
                self.env["BROKERCERT_URL"],
                ssl=ssl.create_default_context(cafile=self.env["BROKERCERT_CA"]),
                open_timeout=self.STEP,
                close_timeout=1,
                ping_interval=None,
                proxy=None,
            )
        except ssl.SSLCertVerificationError as error:
            raise Leave(4) from error


if __name__ == "__main__":
    main(Odd)
