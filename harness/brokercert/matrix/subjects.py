"""A dialect's reference client and its mutants as clients of this process, every draw and date from the seed."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from functools import lru_cache
from importlib import import_module
from typing import Any, Literal

from brokercert.engine.client.subject import Subject, SubjectSpec
from brokercert.engine.play.scenario import load_dialect
from brokercert.engine.play.virtual import wall
from brokercert.mutants.register import Forms, Mutant
from brokercert.requirements import load_set

Tier = Literal["real", "virtual"]
REFERENCE = "reference"
NOT_INSIDE = {"process"}  # its resources would be those of the harness


def outside(set_id: str) -> frozenset[str]:
    """The rows that a client of this process in virtual time cannot show; their mutants are played as processes."""
    return frozenset(row.id for row in load_set(set_id).rows if NOT_INSIDE & set(row.needs) or row.clock == "real")


def mutants_of(set_id: str) -> Mapping[str, Mutant]:
    """The register of a set's dialect: name -> mutant. Empty where it declares none."""
    module = load_dialect(set_id).mutants
    register: Mapping[str, Mutant] = import_module(module).MUTANTS if module else {}
    return register


def failures_of(set_id: str) -> tuple[Any, ...]:
    """What was seen to go wrong in real clients, each with its mutants, where a set's dialect has such a table."""
    module = load_dialect(set_id).mutants
    return getattr(import_module(module), "FAILURES", ()) if module else ()


@lru_cache(maxsize=4)
def forms_of(set_id: str) -> Mapping[str, Mutant]:
    """`NAME@FORM` -> each mutant that is a client of this process, in each form that makes sense for it."""
    forms = forms_in(set_id)
    return forms.of(mutants_of(set_id)) if forms else {}


def formless(set_id: str) -> Mapping[str, str]:
    """`NAME@FORM` -> why there is none. Empty where a set's dialect has no forms."""
    forms = forms_in(set_id)
    if forms is None:
        return {}
    pairs = [(one, form) for form in forms.all for one in insiders(set_id).values()]
    return {f"{one.name}@{form.name}": why for one, form in pairs if (why := forms.why_none(one, form))}


def forms_in(set_id: str) -> Forms | None:
    """The table of a dialect's forms, where it has one."""
    module = load_dialect(set_id).mutants
    return getattr(import_module(module), "FORMS", None) if module else None


def known(set_id: str) -> Mapping[str, Mutant]:
    """Every mutant and every form of one."""
    return {**mutants_of(set_id), **forms_of(set_id)}


def insiders(set_id: str) -> Mapping[str, Mutant]:
    """The mutants that are clients of this process; the others show their defect as a process only."""
    return {name: one for name, one in mutants_of(set_id).items() if not one.process}


def subject_named(set_id: str, name: str, seed: int = 1, tier: Tier = "virtual") -> SubjectSpec:
    """A mutant, or the reference client itself. It is made with a calendar and a seed as well (docs/new-dialect.md)."""
    reference = load_dialect(set_id).reference
    client: Any = reference.factory() if name == REFERENCE else known(set_id)[name].client
    calendar = wall if tier == "virtual" else time.time  # the broker's, in both cases

    def factory(env: Mapping[str, str], output: Callable[[str], None]) -> Subject:
        made: Subject = client(env, output, wall=calendar, seed=seed)
        return made

    return SubjectSpec(
        name,
        factory=factory,
        level="in process",
        offers=reference.offers - NOT_INSIDE,
        entity_types=reference.entity_types,
        readings=reference.readings,
    )
