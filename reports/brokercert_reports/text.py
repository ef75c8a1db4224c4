"""Text as it may be shown: foreign characters made harmless, numbers with their unit, one way for every report.

The law: what a client or a broker wrote is never trusted. It is made printable once, on the whole record, before any
report is rendered from it; escaping for HTML, XML or Markdown comes on top of that.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence
from typing import Any

import msgspec
from brokercert.verdict import Happened, Measured, RunRecord, SetSource

# What XML 1.0 forbids (C0 but tab, line feed and return; surrogates; U+FFFE, U+FFFF), C1, which moves terminals, and
# the bidirectional and zero-width controls that make a line read other than it is.
_UNPRINTABLE = re.compile(
    "[\x00-\x08\x0b\x0c\x0d\x0e-\x1f\x7f-\x9f\u200b\u200e\u200f\u202a-\u202e\u2060\u2066-\u2069\ufeff\ud800-\udfff\ufffe\uffff]"
)
_SURROGATE = re.compile("[\ud800-\udfff]")


def printable(text: str) -> str:
    r"""The text with every control character, lone surrogate and invisible mark as a Python escape (`\x1b`, `\ud800`).

    Tabs and line feeds stay. Applying it twice changes nothing.
    """
    return _UNPRINTABLE.sub(_escape, text)


def printable_run(run: RunRecord) -> RunRecord:
    """The same record with every string in it printable."""
    return _mapped(run, _UNPRINTABLE)


def encodable_run(run: RunRecord) -> RunRecord:
    """The same record with lone surrogates escaped, and nothing else changed: what JSON in UTF-8 can hold."""
    return _mapped(run, _SURROGATE)


def source_told(source: SetSource) -> str:
    """The page that a set was made from, in a line."""
    return (
        f"{source.title} (edition {source.edition}, read on {source.read_on}), {source.address}, "
        f"sentences {source.sentences[:12]}"
    )


def _mapped(run: RunRecord, pattern: re.Pattern[str]) -> RunRecord:
    return msgspec.convert(_walk(msgspec.to_builtins(run), pattern), RunRecord)


def _walk(value: Any, pattern: re.Pattern[str]) -> Any:
    match value:
        case str():
            return pattern.sub(_escape, value)
        case dict():
            return {_walk(k, pattern): _walk(v, pattern) for k, v in value.items()}
        case list() | tuple():
            return [_walk(item, pattern) for item in value]
        case _:
            return value


def _escape(match: re.Match[str]) -> str:
    code = ord(match.group())
    return f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"


def quantity(value: float, unit: str) -> str:
    """A number with its unit, four significant digits or all whole ones: `312.4 ms`, `1.999 s`, `33 s`, `4`.

    Four, because a value just below its limit must not be rounded onto it.
    """
    if unit == "s" and value and abs(value) < 1:
        value, unit = value * 1000, "ms"
    digits = f"{value:.0f}" if abs(value) >= 1000 else f"{value:.4g}"
    return digits if unit == "1" else f"{digits} {unit}"


def measured_sentence(one: Measured) -> str:
    """`accept to complete upgrade: 312 ms, limit 5 s (± 1.2 ms, monotonic clock of the harness)`."""
    text = f"{one.name}: {quantity(one.value, one.unit)}"
    if one.limit is not None:
        text += f", limit {quantity(one.limit, one.unit)}"
    doubt = f"± {quantity(one.error, one.unit)}, " if one.error else ""
    return f"{text} ({doubt}{one.clock} clock of the {one.side})"


def others_sentence(others: Sequence[Happened], most: int = 2) -> str:
    """To whom it happened before: the first of them, each with its address."""
    return "This happened to others: " + "; ".join(f"{one.title} ({one.address})" for one in others[:most]) + "."


def several(count: int, one: str, many: str = "") -> str:
    """`1 row`, `3 rows`."""
    return f"{count} {one if count == 1 else many or one + 's'}"


def listing(words: Iterable[object], most: int = 0) -> str:
    """`a, b, c`; beyond `most` of them: `a, b and 7 more`."""
    all_words = [str(word) for word in words]
    if most and len(all_words) > most:
        return f"{', '.join(all_words[:most])} and {len(all_words) - most} more"
    return ", ".join(all_words)


def sentence(text: str) -> str:
    """With a capital and a full stop, so that it reads well alone and aloud."""
    text = stopped(text)
    return text[:1].upper() + text[1:]


def stopped(text: str) -> str:
    """With a full stop alone: it begins with a name, which is written as it is."""
    text = text.strip()
    return text + ("" if not text or text[-1] in ".!?:…" else ".")
