"""What a mutant is, and a dialect's register of them."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, TypeVar

C = TypeVar("C", bound=type[Any])


@dataclass(frozen=True, slots=True)
class Mutant:
    """`fails`: rows that it must fail (a SHOULD row by a warning). `also`: rows that may fall with them, and no others.

    `text` says the defect, `reason` why just these rows fail. `client` is the class: a factory of subjects. `fields`
    are compared fields (as `Judging.compared` names them) by which it fails.
    """

    name: str
    text: str
    fails: frozenset[str]
    also: frozenset[str]
    reason: str
    client: type[Any]
    fields: frozenset[str] = frozenset()


class Register(dict[str, Mutant]):
    """A dialect's mutants, by name."""

    def mutant(self, name: str, fails: str, *, also: str = "", fields: str = "", reason: str) -> Callable[[C], C]:
        """Register a client class; its docstring is the defect. `fails` and `also` are ids, `fields` names of fields,
        separated by spaces.
        """

        def register(client: C) -> C:
            text = (client.__doc__ or "").strip()
            if name in self or not text:
                raise ValueError(f"mutant {name!r}: stands twice, or does not say its defect")
            self[name] = Mutant(
                name, text, frozenset(fails.split()), frozenset(also.split()), reason, client, frozenset(fields.split())
            )
            return client

        return register
