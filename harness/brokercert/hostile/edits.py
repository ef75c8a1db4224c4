"""Edits of any JSON document at one place: what makes a message, a request or a file wrong in one respect.

An edit never touches what it is given: it copies along the path to the place.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from random import Random
from typing import Any

import msgspec

Path = tuple[str | int, ...]
Edit = Callable[[Random, Any, Path], Any]

SNOWMAN = "☃"
LONG = "x☃" * 500  # 2 kB: longer than any field, small enough for twenty thousand frames a second
DEPTH = 20_000  # levels: beyond the stack of every recursive decoder that has no limit of its own


def raw(text: str) -> msgspec.Raw:
    """JSON that no value of Python's says."""
    return msgspec.Raw(text.encode())


def nested(depth: int) -> msgspec.Raw:
    return raw("[" * depth + "]" * depth)


# What stands where something else is expected. Numbers first: what shrinks becomes the first of them.
NUMBERS: tuple[Any, ...] = (0, -1, 1, 0.5, 2**31, 2**53 + 1, -(2**63), 2**64 - 1)
HUGE: tuple[Any, ...] = (raw("9" * 400), raw("1e308"), raw("1e999"), raw("-1e999"), raw("1e-999"), raw("-0.0"), LONG)
TEXTS: tuple[Any, ...] = (
    "",
    SNOWMAN,
    "\x00",
    "null",
    "NaN",
    "12",
    "𝄞",
    "\u202e",
    "__proto__",
    "%s%n{}",
    "\ud7ff\ue000",
)
OTHERS: tuple[Any, ...] = (True, False, [], {}, [None], {"": None}, [[]], {"id": "☃"})
BY_TYPE: dict[type, tuple[Any, ...]] = {  # a value's type -> values of every other type
    str: (*NUMBERS, *OTHERS),
    int: (*TEXTS, *OTHERS),
    float: (*TEXTS, *OTHERS),
    bool: (*NUMBERS, *TEXTS, [], {}),
    dict: (*NUMBERS, *TEXTS, True, False, [], [None], [[]]),
    list: (*NUMBERS, *TEXTS, True, False, {}, {"": None}),
    type(None): (*NUMBERS, *TEXTS, *OTHERS),
}


def paths(document: Any, here: Path = ()) -> Iterator[Path]:
    """Every place of a document but its root, outer ones first."""
    items: Iterator[tuple[str | int, Any]] = iter(())
    if isinstance(document, dict):
        items = iter(document.items())
    elif isinstance(document, list):
        items = iter(enumerate(document))
    for key, value in items:
        yield (*here, key)
        yield from paths(value, (*here, key))


def at(document: Any, path: Path) -> Any:
    for key in path:
        document = document[key]
    return document


def put(document: Any, path: Path, value: Any, place: int = 0) -> Any:
    """A copy of the document with `value` at `path`."""
    copy = document.copy()
    key = path[place]
    copy[key] = value if place == len(path) - 1 else put(document[key], path, value, place + 1)
    return copy


def drop(document: Any, path: Path, place: int = 0) -> Any:
    """A copy without what is at `path`."""
    copy = document.copy()
    key = path[place]
    if place == len(path) - 1:
        del copy[key]
    else:
        copy[key] = drop(document[key], path, place + 1)
    return copy


def one_of(rng: Random, values: tuple[Any, ...]) -> Any:
    return values[int(rng.random() * len(values))]


# The edits by name.


def missing(rng: Random, document: Any, path: Path) -> Any:
    return drop(document, path)


def null(rng: Random, document: Any, path: Path) -> Any:
    return put(document, path, None)


def wrong_type(rng: Random, document: Any, path: Path) -> Any:
    return put(document, path, one_of(rng, BY_TYPE[type(at(document, path))]))


def huge(rng: Random, document: Any, path: Path) -> Any:
    return put(document, path, one_of(rng, HUGE))


def strange_text(rng: Random, document: Any, path: Path) -> Any:
    return put(document, path, one_of(rng, TEXTS))


def strange_number(rng: Random, document: Any, path: Path) -> Any:
    return put(document, path, one_of(rng, NUMBERS))


def wrapped(rng: Random, document: Any, path: Path) -> Any:
    """A value inside a list or an object of its own."""
    value = at(document, path)
    return put(document, path, [value] if rng.random() < 0.5 else {"value": value})


def extra(rng: Random, document: Any, path: Path) -> Any:
    """A field more, beside the one at `path`."""
    parent = at(document, path[:-1])
    key, value = one_of(rng, EXTRA_KEYS), one_of(rng, OTHERS)
    if isinstance(parent, dict):
        return put(document, (*path[:-1], key), value)
    return put(document, path[:-1], [*parent, value]) if path[:-1] else [*parent, value]


EXTRA_KEYS = ("__proto__", "constructor", "toString", "", SNOWMAN, "e", "hasOwnProperty", "__class__")


def deep(rng: Random, document: Any, path: Path) -> Any:
    return put(document, path, one_of(rng, DEEP))


DEEP = (nested(200), nested(2_000), nested(DEPTH), raw('{"a":' * DEPTH + "1" + "}" * DEPTH))

EDITS: dict[str, tuple[Edit, str, int]] = {  # name -> edit, what it does, weight
    "missing": (missing, "a field is not there", 60),
    "null": (null, "a field is null", 60),
    "wrong-type": (wrong_type, "a field has a value of another type", 180),
    "huge": (huge, "a field is a number or a text beyond all measure", 20),
    "strange-text": (strange_text, "a field is a text that is empty, not ASCII, or a word of some language", 60),
    "strange-number": (strange_number, "a field is zero, negative, a fraction, or beyond 32, 53 or 63 bits", 60),
    "wrapped": (wrapped, "a field stands in a list or object of its own", 45),
    "extra": (extra, "a field more, with a name that means something to a language", 30),
    "deep": (deep, f"a field is nested up to {DEPTH:,} levels deep", 1),
}
_DRAWN = [name for name, (_, _, weight) in EDITS.items() for _ in range(weight)]


def edit(rng: Random, document: Any, where: list[Path]) -> tuple[str, Any]:
    """(name, document) of one edit at one of these places."""
    name = _DRAWN[int(rng.random() * len(_DRAWN))]
    return name, EDITS[name][0](rng, document, where[int(rng.random() * len(where))])
