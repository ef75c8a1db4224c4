"""What a mutant is, and where all of them are found: in the modules of this package, by the decorator below."""

from __future__ import annotations

import importlib
from collections.abc import Callable
from dataclasses import dataclass

from brokercert.reference.client import ReferenceClient


@dataclass(frozen=True, slots=True)
class Mutant:
    """`fails`: rows that it must fail (a SHOULD row by a warning). `also`: rows that may fall with them, and no others.

    `text` says the defect, `reason` why just these rows fail.
    """

    name: str
    text: str
    fails: frozenset[str]
    also: frozenset[str]
    reason: str
    client: type[ReferenceClient]


MUTANTS: dict[str, Mutant] = {}


def mutant(
    name: str, fails: str, *, also: str = "", reason: str
) -> Callable[[type[ReferenceClient]], type[ReferenceClient]]:
    """Register a client class; its docstring is the defect. `fails` and `also` are ids, separated by spaces."""

    def register(client: type[ReferenceClient]) -> type[ReferenceClient]:
        text = (client.__doc__ or "").strip()
        if name in MUTANTS or not text:
            raise ValueError(f"mutant {name!r}: stands twice, or does not say its defect")
        MUTANTS[name] = Mutant(name, text, frozenset(fails.split()), frozenset(also.split()), reason, client)
        return client

    return register


for _module in ("login", "heartbeats", "events", "tickets", "reconnect", "messages"):
    importlib.import_module(f"brokercert.mutants.{_module}")
