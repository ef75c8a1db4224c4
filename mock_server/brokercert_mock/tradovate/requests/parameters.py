"""What a request names, in its query or its body: by that a rule knows the one request that it is about."""

from __future__ import annotations

from collections.abc import Mapping
from decimal import Decimal, InvalidOperation
from typing import Any


def parameters(query: Mapping[str, list[str]], body: Any) -> dict[str, Any]:
    """By name in lower case; the body's outrank the query's."""
    values: dict[str, Any] = {key.lower(): value for key, value in query.items()}
    if isinstance(body, dict):
        values |= {str(key).lower(): value for key, value in body.items()}
    return values


def listed(value: Any) -> list[Any]:
    """A parameter's values: a query may have several."""
    if value is None:
        return []
    return value if isinstance(value, list) else [value]


def names(values: Mapping[str, Any], only: Mapping[str, Any]) -> bool:
    """Whether these parameters have every value of `only`: numbers as numbers, whatever their form."""
    return all(any(_same(wanted, given) for given in listed(values.get(key.lower()))) for key, wanted in only.items())


def _same(wanted: Any, given: Any) -> bool:
    if str(wanted) == str(given):
        return True
    try:
        return Decimal(str(wanted)) == Decimal(str(given))
    except InvalidOperation:
        return False
