"""Requests that the client is asked for, their answers and what is told of them: what several files tell."""

from __future__ import annotations

from typing import Any

from brokercert.trace import records as r
from talks import S, Talk, alone, authorize, sync


def asked_for(until: float = 200) -> Talk:
    """Two items, of ids 1 and 2, asked for and sent at 10 and 11 s."""
    talk = alone(until)
    authorize(talk, 2, s=200)
    sync(talk, 3, ident=90, d={})
    for number in (1, 2):
        ask(talk, 9 + number, number)
        talk.client((9 + number) * S, 1, f"order/item\n{number}\nid={number}\n")
    return talk


def ask(talk: Talk, at: float, number: int, endpoint: str = "order/item", **more: Any) -> None:
    body = {"endpoint": endpoint, "query": f"id={number}", **more}
    talk.told.append(r.Command(t=round(at * S), id=number, command="request", body=body))


def answer(talk: Talk, at: float, number: int, status: int = 200, **data: Any) -> None:
    talk.broker(round(at * S), 1, {"s": status, "i": number, "d": {"id": number, **data}})


def outcome(talk: Talk, at: float, number: int, *, ok: bool = True, status: int = 200, item: int | None = None) -> None:
    """Told as having item `item` (none: its own)."""
    body = {"event": "outcome", "id": number, "status": status, "ok": ok, "error": "" if ok else "it failed"}
    body |= {"data": {"id": item or number}} if status else {}
    talk.told.append(r.SubjectReport(t=round(at * S), event="outcome", body=body))
