"""What a mutant is, and a dialect's register of them."""

from __future__ import annotations

import importlib
import pkgutil
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, TypeVar

C = TypeVar("C", bound=type[Any])


@dataclass(frozen=True, slots=True)
class Mutant:
    """`fails`: rows that it must fail (a SHOULD row by a warning). `knocks`: rows that fall with them, and no others,
    each with what of the same defect brings it down. `made_for`: the first row of `fails`, as it is written; the
    mutant's module lies in the area of this row.

    `text` says the defect, `reason` why just these rows fail. `client` is the class: a factory of subjects. `fields`
    are compared fields (as `Judging.compared` names them) by which it fails. `process`: only in a process of its own,
    in real time, has it this defect (it blocks, or leaks), so that it is played as one alone.
    """

    name: str
    text: str
    fails: frozenset[str]
    knocks: Mapping[str, str]
    reason: str
    client: type[Any]
    fields: frozenset[str] = frozenset()
    process: bool = False
    made_for: str = ""

    @property
    def also(self) -> frozenset[str]:
        return frozenset(self.knocks)


@dataclass(frozen=True, slots=True)
class Form:
    """On which of its sockets a client has a defect: `make` gives the client of a mutant's client.

    `says` completes the sentence of the defect.
    """

    name: str
    says: str
    make: Callable[[type[Any]], type[Any]]


@dataclass(frozen=True, slots=True)
class Forms:
    """A dialect's forms of its mutants. All of them are made but where one makes no sense, and the tables say why.

    `reference` is the class that mutants change. `changes`: what they may change of it that belongs to no socket.
    `mutants`: names, or names with a form (`NAME@FORM`), that have none. `rows`: form, or `NAME@FORM` -> rows that
    cannot be asked of the sockets that have the defect then. `knocks`: form -> rows that may fall with each mutant in
    it, and name -> rows that may fall with this one in any. Each has its reason.
    """

    all: tuple[Form, ...]
    reference: type[Any]
    changes: Mapping[str, str]
    mutants: Mapping[str, str]
    rows: Mapping[str, Mapping[str, str]]
    knocks: Mapping[str, Mapping[str, str]] = field(default_factory=dict)

    def why_none(self, mutant: Mutant, form: Form) -> str:
        """Why this mutant does not exist in this form; empty: it does."""
        for name in (mutant.name, f"{mutant.name}@{form.name}"):
            if name in self.mutants:
                return self.mutants[name]
        for name, why in self.changes.items():
            if getattr(mutant.client, name, None) is not getattr(self.reference, name, None):
                return why
        asked = self._spared(mutant, form)
        return "" if mutant.fails - set(asked) else "; ".join(sorted({asked[row] for row in mutant.fails}))

    def of(self, mutants: Mapping[str, Mutant]) -> dict[str, Mutant]:
        """Every mutant in every form that makes sense, by `NAME@FORM`. Those of a process are left out."""
        made = [
            self._in(mutant, form)
            for form in self.all
            for mutant in mutants.values()
            if not mutant.process and not self.why_none(mutant, form)
        ]
        return {one.name: one for one in made}

    def _spared(self, mutant: Mutant, form: Form) -> dict[str, str]:
        return {**self.rows.get(form.name, {}), **self.rows.get(f"{mutant.name}@{form.name}", {})}

    def _in(self, mutant: Mutant, form: Form) -> Mutant:
        spared = self._spared(mutant, form)
        fails = mutant.fails - set(spared)
        # What need not fall may fall: the rows that are not asked, and what falls with the defect elsewhere.
        may = dict.fromkeys([*mutant.knocks, *(mutant.fails - fails)], mutant.reason)
        may |= dict.fromkeys(self.knocks.get(form.name, {}), mutant.reason)
        may |= self.knocks.get(mutant.name, {})
        knocks = {row: why for row, why in may.items() if row not in fails}
        text = f"{mutant.text.rstrip('.')}: {form.says}."
        return replace(
            mutant,
            name=f"{mutant.name}@{form.name}",
            text=text,
            fails=fails,
            knocks=knocks,
            client=form.make(mutant.client),
        )


class Register(dict[str, Mutant]):
    """A dialect's mutants, by name."""

    def mutant(
        self,
        name: str,
        fails: str,
        *,
        also: str | Mapping[str, str] = "",
        fields: str = "",
        process: bool = False,
        reason: str,
    ) -> Callable[[C], C]:
        """Register a client class; its docstring is the defect. `fails` are ids, separated by spaces, and so are
        `fields`, names of fields; `also` are ids too, where `reason` explains them, else each with its own reason.
        """
        rows = fails.split()
        knocks = dict.fromkeys(also.split(), reason) if isinstance(also, str) else dict(also)

        def register(client: C) -> C:
            text = (client.__doc__ or "").strip()
            if name in self:
                there = self[name].client
                raise ValueError(
                    f"mutant {name!r}: stands twice, in {there.__module__} and {client.__module__}; "
                    "expected each name once: rename one by its defect"
                )
            if not text:
                raise ValueError(f"mutant {name!r}: no docstring; expected its one defect, in a sentence")
            if not rows:
                raise ValueError(f"mutant {name!r}: fails: empty; expected each row that it must fail, by spaces")
            shown = frozenset(fields.split())
            self[name] = Mutant(name, text, frozenset(rows), knocks, reason, client, shown, process, made_for=rows[0])
            return client

        return register


def import_all(package: str, path: Iterable[str]) -> None:
    """Import every module of a package and of its folders, by name, so that a new file needs no line elsewhere.

    A program (`__main__`) is left out: it would be run.
    """
    for found in pkgutil.walk_packages(path, f"{package}."):
        if not found.name.endswith(".__main__"):
            importlib.import_module(found.name)


def whole(value: Any) -> int:
    """A number as it should be; 0 for whatever a hostile broker puts there: that is another defect's matter."""
    return value if type(value) is int else 0
