"""Tickets, ids: it repeats a sync that drew a ticket under the id that it had, since no document asks for a new one."""

from common import Client, main
from websockets.asyncio.client import ClientConnection

SCENARIOS = ("sync-ticket", "sync-ticket-nested")
EXPECT = {"REQ-010": "warning"}


class Odd(Client):
    async def request(self, ws: ClientConnection, endpoint: str, body: str) -> int:
        if self.ticket and ws in self.sync_ids:
            self.ids[ws] = self.sync_ids[ws] - 1
        return await super().request(ws, endpoint, body)


if __name__ == "__main__":
    main(Odd)
