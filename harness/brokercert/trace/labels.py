"""Secrets become labels on entry, identity kept, so that "same token" can be judged and nothing secret is written.

`«access-token#2»` is the second distinct access token of a scenario. A token is the same token raw, JSON-quoted, with
`\\u003c`-style escapes, URL-encoded, in base64 (also inside a longer base64 text, at any of its three alignments), in
hexadecimal, as a list of byte values, or as an object of single characters: all seen in real clients' frames and
logs. An empty string is never a secret. Nothing here does I/O.
"""

from __future__ import annotations

import base64
import json
import re
from urllib.parse import quote, quote_plus

# A shorter value would be found by chance inside innocent text; the mock issues none shorter.
SHORTEST = 4
# Below this length the encoded fragments (base64 alignments, byte lists) are too common to be searched for.
SHORTEST_ENCODED = 8


class Labels:
    """One scenario's secrets and their labels."""

    def __init__(self) -> None:
        self._labels: dict[str, str] = {}  # every textual form -> label
        self._counts: dict[str, int] = {}
        self._by_value: dict[str, str] = {}
        self._pattern: re.Pattern[str] | None = None

    def add(self, kind: str, value: str) -> str:
        """Make `value` a secret and return its label; the same value keeps its first label.

        Raises ValueError for a value too short to be told from ordinary text.
        """
        if value in self._by_value:
            return self._by_value[value]
        if len(value) < SHORTEST:
            raise ValueError(f"secret of kind {kind!r} has {len(value)} characters; expected at least {SHORTEST}")
        self._counts[kind] = self._counts.get(kind, 0) + 1
        label = f"«{kind}#{self._counts[kind]}»"
        self._by_value[value] = label
        for form in forms(value):
            self._labels.setdefault(form, label)
        self._pattern = None
        return label

    def label_of(self, value: str) -> str | None:
        return self._by_value.get(value)

    def redact(self, text: str) -> str:
        """`text` with every form of every secret replaced by its label, in place."""
        if not self._labels or not text:
            return text
        if self._pattern is None:
            # Longest first: a token may be the beginning of another, or of its own escaped form.
            ordered = sorted(self._labels, key=len, reverse=True)
            self._pattern = re.compile("|".join(_loose(form) for form in ordered))
        return self._pattern.sub(self._replace, text)

    def _replace(self, match: re.Match[str]) -> str:
        found = match.group()
        label = self._labels.get(found)
        if label is None:  # matched with other white space or letter case
            label = self._labels[_normal(found)]
        return label


def _is_list(form: str) -> bool:
    return form[:1] in "[{" and form[-1:] in "]}" and ("," in form or ":" in form)


def _loose(form: str) -> str:
    """The form as a pattern; in lists and objects any white space may stand after a comma or colon."""
    pattern = re.escape(form)
    if _is_list(form):
        return pattern.replace(",", r"\s*,\s*").replace(":", r"\s*:\s*")
    return pattern


def _normal(found: str) -> str:
    return re.sub(r"\s+", "", found)


def forms(value: str) -> set[str]:
    """Every textual form in which `value` is still `value`."""
    data = value.encode()
    result = {value, value.strip()}
    result.add(json.dumps(value)[1:-1])
    result.add(json.dumps(value, ensure_ascii=False)[1:-1])
    result.add(json.dumps(value)[1:-1].replace("/", "\\/"))
    for escaped in ("<>&", "<>&'", "<>&'+", "<>&'+/=", '<>&"'):
        result.add("".join(f"\\u{ord(c):04x}" if c in escaped else json.dumps(c)[1:-1] for c in value))
        result.add("".join(f"\\u{ord(c):04X}" if c in escaped else json.dumps(c)[1:-1] for c in value))
    for encode in (quote, quote_plus):
        result.update({encode(value), encode(value, safe=""), _lower_percent(encode(value, safe=""))})
    if len(value) >= SHORTEST_ENCODED:
        for alignment in range(3):
            for codec in (base64.b64encode, base64.urlsafe_b64encode):
                result.add(_inner_base64(data, alignment, codec))
        result.update({data.hex(), data.hex().upper()})
        numbers = [str(byte) for byte in data]
        result.add(",".join(numbers))
        result.add("{" + ",".join(f'"{i}":"{c}"' for i, c in enumerate(value)) + "}")
        result.add("{" + ",".join(f'"{i}":{n}' for i, n in enumerate(numbers)) + "}")
        result.add("[" + ",".join(json.dumps(c) for c in value) + "]")
        result.add("[" + ",".join(numbers) + "]")
    return {form for form in result if len(form) >= SHORTEST}


def _lower_percent(text: str) -> str:
    return re.sub(r"%[0-9A-F]{2}", lambda match: match.group().lower(), text)


def _inner_base64(data: bytes, alignment: int, codec: object) -> str:
    """The characters that `data` alone decides when it begins at this byte of a base64 triple."""
    assert callable(codec)
    padded = b"\0" * alignment + data
    text: str = codec(padded).decode().rstrip("=")
    start = {0: 0, 1: 2, 2: 3}[alignment]  # characters that also depend on what came before
    end = len(text) if len(padded) % 3 == 0 else len(text) - 1  # the last one also depends on what follows
    return text[start:end]
