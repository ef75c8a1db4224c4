"""The names that the documents know: entity types of the snapshot, and kinds of events (TP §4, §5.2).

The documents show values of `entityTypes` as singulars, the first letter small. Whether the broker takes another form
is not known: plurals count as well, in any letter case, and are told apart by `is_documented`.
"""

from __future__ import annotations

from typing import Any

from brokercert.judge.tradovate.model.conversation import data_of

# The 31 collections of the snapshot (TP §5.2), as singulars.
ENTITY_TYPES = (
    "user userProperty property account accountRiskStatus marginSnapshot userAccountAutoLiq cashBalance currency"
    " position fillPair order contract contractMaturity product exchange spreadDefinition command commandReport"
    " executionReport orderVersion fill fillFee orderStrategy orderStrategyLink userPlugin annualReview userReadStatus"
    " userPromoCode contractGroup orderStrategyType"
).split()
EVENT_KINDS = ("props", "shutdown", "md", "chart", "clock")


def plural(name: str) -> str:
    """`order` -> `orders`, `accountRiskStatus` -> `accountRiskStatuses`, `property` -> `properties`."""
    if name.endswith("y"):
        return name[:-1] + "ies"
    return name + ("es" if name.endswith("s") else "s")


_SINGULAR = {form.lower(): name for name in ENTITY_TYPES for form in (name, plural(name))}
KNOWN_TYPES = frozenset(_SINGULAR)


def is_documented(name: str) -> bool:
    """Whether it is one of the names, in the form that the documents show."""
    return name in ENTITY_TYPES


def type_of(name: str) -> str:
    """A type's name as it is compared: singular; a name that is not known, as it is."""
    return _SINGULAR.get(name.lower(), name)


def is_unknown(message: Any) -> bool:
    """An element of an `a[...]` that a client of today cannot know: an event kind or entity type of tomorrow."""
    if not isinstance(message, dict) or "e" not in message:
        return False
    return message["e"] not in EVENT_KINDS or (message["e"] == "props" and _is_of_unknown_type(message))


def _is_of_unknown_type(message: dict[str, Any]) -> bool:
    kind = data_of(message).get("entityType")
    return isinstance(kind, str) and kind.lower() not in KNOWN_TYPES
