"""Bodies as the real server reads and refuses them: Go's JSON rules and error texts, as far as a client can see them.

Only the first JSON value counts, what trails is ignored; field names match in any letter case; unknown ones are
ignored; an integer field takes no fraction.
"""

from __future__ import annotations

import json
from typing import Any

LARGEST_FLOAT = 3.4028234663852886e38  # Go's float32, in which toxicity is kept
INT64 = range(-(1 << 63), 1 << 63)
LONGEST_NUMBER = 400  # characters: more than any that fits; Python refuses to read much longer ones


class BodyError(Exception):
    """A body that is refused; the text is what the real server would say."""


class Fraction(float):
    """A number that is not written as an integer; errors repeat it as it was written."""

    def __new__(cls, text: str) -> Fraction:
        made = super().__new__(cls, text)
        made.text = text
        return made

    text: str


def _integer(text: str) -> int | Fraction:
    return int(text) if len(text) < LONGEST_NUMBER else Fraction(text)


def _refused(word: str) -> Any:
    """`NaN`, `Infinity` and `-Infinity`: Python reads them, Go does not."""
    if word.startswith("-"):
        raise BodyError(f"invalid character '{word[1]}' in numeric literal")
    raise BodyError(f"invalid character '{word[0]}' looking for beginning of value")


DECODER = json.JSONDecoder(parse_float=Fraction, parse_int=_integer, parse_constant=_refused)
WHITE = " \t\r\n"  # Go's; Python's has more


def read_value(body: bytes) -> Any:
    """The first JSON value of a body. Raises `BodyError`."""
    text = body.decode("utf-8", "replace").lstrip(WHITE)
    if not text:
        raise BodyError("EOF")
    try:
        value, _ = DECODER.raw_decode(text)
    except json.JSONDecodeError as error:
        if error.pos >= len(text) or _is_cut(text, error):
            raise BodyError("unexpected EOF") from error
        raise BodyError(f"invalid character '{text[error.pos]}' looking for beginning of value") from error
    except RecursionError as error:
        raise BodyError("exceeded max depth") from error
    return value


def _is_cut(text: str, error: json.JSONDecodeError) -> bool:
    """A string that never ends, or a value that the text's end cut off."""
    return error.msg.startswith("Unterminated") or text[error.pos :].strip() == ""


def kind_of(value: Any) -> str:
    """A JSON value's kind, as Go's errors name it."""
    if isinstance(value, bool):
        return "bool"
    if isinstance(value, int):
        return "number"
    if isinstance(value, Fraction):
        return f"number {value.text}"
    if isinstance(value, str):
        return "string"
    return "array" if isinstance(value, list) else "object"


def fold(value: dict[str, Any]) -> dict[str, Any]:
    """Fields by lower-case name; of several, the last counts."""
    return {key.lower(): item for key, item in value.items()}


def field(values: dict[str, Any], name: str, kind: type, go: str, where: str) -> Any:
    """A field's value, or None where it is absent or null. Raises `BodyError` for another type.

    `go` is the type's name in Go, `where` the struct and path that the error names.
    """
    value = values.get(name.lower())
    if value is None:
        return None
    fits = {
        str: isinstance(value, str),
        bool: isinstance(value, bool),
        int: isinstance(value, int) and not isinstance(value, bool),
        float: isinstance(value, int | float) and not isinstance(value, bool),
        dict: isinstance(value, dict),
    }[kind]
    if not fits:
        said = kind_of(value)
        if said.startswith("number ") and kind is not int:
            said = "number"
        raise BodyError(f"json: cannot unmarshal {said} into Go struct field {where} of type {go}")
    too_large = abs(value) > LARGEST_FLOAT if kind is float else kind is int and value not in INT64
    if too_large:
        text = value.text if isinstance(value, Fraction) else value
        raise BodyError(f"json: cannot unmarshal number {text} into Go struct field {where} of type {go}")
    return value


def write(value: Any) -> bytes:
    """JSON as Go writes it: compact, `<`, `>` and `&` escaped."""
    text = json.dumps(value, separators=(",", ":"), ensure_ascii=False)
    for char in "<>&":
        text = text.replace(char, f"\\u{ord(char):04x}")
    return text.encode("utf-8", "replace")
