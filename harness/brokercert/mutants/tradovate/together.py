"""Several defects in one client: what each mutant changes, changed at once.

The classes of all are bases of one, and so are those of their sessions, queues, stores, ladders and tokens. Two that
change the same thing cannot be one client: the first would hide the second.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from typing import Any

from brokercert.mutants.tradovate.mutant import MUTANTS, Mutant
from brokercert.reference.tradovate.client import ReferenceClient
from brokercert.reference.tradovate.requests import RequestQueue

PARTS = ("session_class", "backoff_class", "tokens_class", "store_class")
ENV = {"BROKERCERT_URL": "ws://x", "BROKERCERT_REST_URL": "http://x"}
ANYBODYS = {"__init__", "__module__", "__doc__", "__qualname__", "__dict__", "__weakref__", "__annotations__", *PARTS}


def changes_of(mutant: Mutant) -> frozenset[str]:
    """What it changes of the reference client: methods and attributes by the class that has them, numbers by name."""
    client = mutant.client
    found = _own(client, ReferenceClient)
    for part in PARTS:
        found |= _own(getattr(client, part), getattr(ReferenceClient, part))
    found |= _own(client.session_class.queue_class, RequestQueue)
    made, sound = client(ENV, print), ReferenceClient(ENV, print)
    for one in dataclasses.fields(sound.config):
        if getattr(made.config, one.name) != getattr(sound.config, one.name):
            found.add(f"config.{one.name}")
    found |= {name for name in ("reports", "commands") if type(getattr(made, name)) is not type(getattr(sound, name))}
    return frozenset(found)


def _own(cls: type[Any], base: type[Any]) -> set[str]:
    above = cls.__mro__[: cls.__mro__.index(base)]
    return {f"{base.__name__}.{name}" for one in above for name in vars(one) if name not in ANYBODYS} - {
        "Session.queue_class"
    }


def why_not_together(*mutants: Mutant) -> str:
    """Why these cannot be one client; empty: they can."""
    seen: dict[str, str] = {}
    for one in mutants:
        if one.process:
            return f"{one.name} needs a process of its own"
        if made := [part for part in PARTS if part in vars(one.client(ENV, print))]:
            return f"{one.name} chooses its {made[0]} when it is made, whatever another has chosen"
        for change in sorted(changes_of(one)):
            if change in seen:
                return f"{seen[change]} and {one.name} both change {change}"
            seen[change] = one.name
    return ""


def together(names: Sequence[str]) -> type[ReferenceClient]:
    """The client with all of these defects. Raises `ValueError` where two of them change the same thing."""
    mutants = [MUTANTS[name] for name in names]
    if why := why_not_together(*mutants):
        raise ValueError(why)
    clients: list[type[Any]] = [one.client for one in mutants]
    parts: dict[str, Any] = {
        part: _joined([getattr(client, part) for client in clients], getattr(ReferenceClient, part)) for part in PARTS
    }
    queue = _joined([client.session_class.queue_class for client in clients], RequestQueue)
    parts["session_class"] = type("_Session", (parts["session_class"],), {"queue_class": queue})
    text = " ".join(one.text for one in mutants)
    return type("Together", tuple(dict.fromkeys(clients)), {**parts, "__doc__": text})


def _joined(classes: Sequence[type[Any]], base: type[Any]) -> type[Any]:
    """One class of those that differ from `base`."""
    bases = tuple(one for one in dict.fromkeys(classes) if one is not base)
    return type("_Joined", bases, {}) if bases else base
