"""Ten handlers of frames with one planted bug each, such as were met in real clients; the plain one has none."""

from __future__ import annotations

import json
import os
import signal
from typing import Any

from brokercert.fuzz.inprocess import Outcome

Message = dict[str, Any]


class Handler:
    """Takes frames as a careful client does: nothing is raised, whatever comes. Each step can be planted a bug in."""

    def __init__(self) -> None:
        self.orders: dict[int, Message] = {}
        self.answers: dict[int, Any] = {}
        self.ignored = 0

    def on_text(self, text: str) -> None:
        for message in self.read(text):
            if isinstance(message, dict):
                self.on_message(message)
            else:
                self.ignored += 1

    def read(self, text: str) -> list[Any]:
        if text[:1] != "a":
            return []
        try:
            found = json.loads(text[1:])
        except (ValueError, RecursionError):
            return []
        return found if isinstance(found, list) else []

    def on_message(self, message: Message) -> None:
        if message.get("e") == "props":
            self.on_event(message.get("d"))
        elif isinstance(message.get("i"), int):
            self.answers = {message["i"]: message.get("d")}

    def on_event(self, data: Any) -> None:
        if isinstance(data, dict):
            entity = data.get("entity")
            for one in entity if isinstance(entity, list) else [entity]:
                if isinstance(one, dict) and type(one.get("id")) is int:
                    self.on_entity(data, one)

    def on_entity(self, data: Message, entity: Message) -> None:
        if data.get("entityType") == "order":
            self.orders = {entity["id"]: entity}


class NarrowCatch(Handler):
    """Catches the decoder's error, and not the one for too deep a nesting."""

    def read(self, text: str) -> list[Any]:
        try:
            found = json.loads(text[1:]) if text[:1] == "a" else []
        except ValueError:
            return []
        return found if isinstance(found, list) else []


class NoCatch(Handler):
    """Decodes without a net."""

    def read(self, text: str) -> list[Any]:
        return list(json.loads(text[1:])) if text[:2] == "a[" else []


class FirstCharacter(Handler):
    """Looks at the second character of an empty frame."""

    def read(self, text: str) -> list[Any]:
        return super().read(text) if text[0] == "a" else []


class LatinOnly(Handler):
    """Logs frames in an encoding that has no snowman."""

    def on_text(self, text: str) -> None:
        text[:2].encode("latin-1")
        super().on_text(text)


class EveryElementAnObject(Handler):
    """Takes every element for an object."""

    def on_text(self, text: str) -> None:
        for message in self.read(text):
            message.get("e")
            self.on_message(message)


class StatusIsText(Handler):
    """Compares statuses without regard to case."""

    def on_entity(self, data: Message, entity: Message) -> None:
        if data.get("entityType") == "order":
            entity.get("ordStatus", "").lower()


class PriceIsNumber(Handler):
    """Computes with a fill's price."""

    def on_entity(self, data: Message, entity: Message) -> None:
        if data.get("entityType") == "fill":
            entity.get("price", 0) + 0.25


class CountsInBits(Handler):
    """Keeps ids in 64 bits, and quantities in an int made of a float."""

    def on_entity(self, data: Message, entity: Message) -> None:
        if isinstance(entity.get("qty"), float):
            int(entity["qty"])
        entity["id"].to_bytes(8, "big", signed=True)


class TableOfStatuses(Handler):
    """Looks a change up in a table."""

    def on_entity(self, data: Message, entity: Message) -> None:
        {"Created": 1, "Updated": 2, "Deleted": 3}[data["eventType"]]


class ListsAreWhole(Handler):
    """Takes every element of an entity list for an entity."""

    def on_event(self, data: Any) -> None:
        if isinstance(data, dict) and isinstance(data.get("entity"), list):
            [one["id"] for one in data["entity"]]
        super().on_event(data)


PLANTED: tuple[type[Handler], ...] = (
    NarrowCatch, NoCatch, FirstCharacter, LatinOnly, EveryElementAnObject, StatusIsText, PriceIsNumber, CountsInBits,
    TableOfStatuses, ListsAreWhole,
)  # fmt: skip


on_text = NoCatch().on_text  # by name, for whoever feeds it in another process


def leaves(text: str) -> None:
    """Ends the program at what it cannot read."""
    if text[:1] == "x":
        raise SystemExit(0)


def dies(text: str) -> None:
    """Takes its process with it."""
    if text[:1] == "x":
        os.kill(os.getpid(), signal.SIGKILL)


def findings(outcome: Outcome) -> tuple[int, dict[str, int], list[tuple[str, object]]]:
    """What must be the same whatever does the work: no seconds, no tracebacks, which show who called, and of what met
    the limit of the stack no frames: how small they can be made depends on who called as well.
    """
    finds = [(find.cause, find.frames if find.cause != "RecursionError" else None) for find in outcome.finds]
    return outcome.frames, outcome.counts, finds
