"""The figure is right within its stated error: the upgrade is asked for 6 s after the TCP connection was accepted."""

import asyncio
import socket
from urllib.parse import urlsplit

from common import Client, main
from websockets.asyncio.client import ClientConnection, connect

SCENARIOS = ("login-timed",)
EXPECT = {"LOG-010": "fail"}
FIGURES = {"LOG-010": 6.0}


class Wrong(Client):
    async def open(self) -> ClientConnection:
        parts = urlsplit(self.env["BROKERCERT_URL"])
        sock = socket.socket()  # a plain one: nothing but the library reads from it
        sock.setblocking(False)
        await asyncio.get_running_loop().sock_connect(sock, (parts.hostname, parts.port))
        await asyncio.sleep(6.0)
        return await connect(self.env["BROKERCERT_URL"], sock=sock, ping_interval=None, close_timeout=1, proxy=None)


if __name__ == "__main__":
    main(Wrong)
