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
from bisect import insort
from collections.abc import Iterable
from functools import lru_cache
from urllib.parse import quote, quote_plus

import ahocorasick_rs as aho

# A shorter value would be found by chance inside innocent text; the mock issues none shorter.
SHORTEST = 4
# Below this length the encoded fragments (base64 alignments, byte lists) are too common to be searched for.
SHORTEST_ENCODED = 8
# Characters of a form that are searched for; the rest is compared where they stand. An automaton of whole tokens, 30
# forms each, takes a millisecond to build, and every new secret wants a new one.
START = 8
LIST_START = 12  # the same of a list: three numbers, or three characters in quotes


class Labels:
    """One scenario's secrets and their labels.

    Every frame passes through here on its way into the trace, beside scored latencies: the search is one pass over the
    text however many secrets there are, and a new secret costs the same whether it is the second or the hundredth.
    """

    def __init__(self) -> None:
        self._labels: dict[str, str] = {}  # every textual form -> label
        self._lists: dict[str, dict[str, None]] = {}  # how a list of a secret begins, without white space -> secrets
        self._counts: dict[str, int] = {}
        self._by_value: dict[str, str] = {}
        self._starts: dict[str, list[str]] = {}  # how forms begin -> those forms, the longest first
        self._forms: aho.AhoCorasick | None = None  # of `_starts`
        self._beginnings: aho.AhoCorasick | None = None
        self._list_patterns: dict[str, re.Pattern[str]] = {}  # secret -> its lists, compiled when first seen

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
            if form not in self._labels:
                self._labels[form] = label
                insort(self._starts.setdefault(form[:START], []), form, key=lambda form: -len(form))
        for pieces in listed_forms(value[:SHORTEST_ENCODED]):
            self._lists.setdefault("".join(pieces)[:LIST_START], {}).setdefault(value)
        self._forms = self._beginnings = None
        return label

    def redact(self, text: str) -> str:
        """`text` with every form of every secret replaced by its label, in place."""
        if not self._labels or not text:
            return text
        if "," in text:
            for value in self._listed_in(text):
                text = self._lists_of(value).sub(self._by_value[value], text)
        if self._forms is None:
            self._forms = aho.AhoCorasick(self._starts)
        hits = self._forms.find_matches_as_indexes(_encodable(text), overlapping=True)
        if not hits:
            return text
        parts: list[str] = []
        done = 0
        starts = list(self._starts)
        # Leftmost, then longest: a token may be the beginning of another, or of its own escaped form.
        for which, start, _ in sorted(hits, key=lambda hit: (hit[1], -hit[2])):
            if start < done:
                continue
            for form in self._starts[starts[which]]:
                if text.startswith(form, start):
                    parts += [text[done:start], self._labels[form]]
                    done = start + len(form)
                    break
        return "".join([*parts, text[done:]])

    def _listed_in(self, text: str) -> list[str]:
        """The secrets of which a list seems to begin in `text`, the longest first."""
        if self._beginnings is None:
            self._beginnings = aho.AhoCorasick(self._lists)
        beginnings = list(self._lists)
        compact = _encodable("".join(text.split()))
        hits = {hit for hit, _, _ in self._beginnings.find_matches_as_indexes(compact, overlapping=True)}
        values = {value for hit in hits for value in self._lists[beginnings[hit]]}
        return sorted(values, key=lambda value: (-len(value), value))

    def _lists_of(self, value: str) -> re.Pattern[str]:
        known = self._list_patterns.get(value)
        if known is None:
            known = self._list_patterns[value] = re.compile("|".join(_spaced(listed_forms(value))))
        return known


def _encodable(text: str) -> str:
    """`text` with a question mark for each lone surrogate, which no UTF-8 can say; every place stays where it is."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-8", "replace").decode()
    return text


def _spaced(listed: Iterable[list[str]]) -> list[str]:
    """Patterns of lists with white space anywhere between their pieces: in brackets first, being longer."""
    patterns: list[str] = []
    for pieces in listed:
        bare = r"\s*".join(map(re.escape, pieces))
        patterns += [rf"\[\s*{bare}\s*\]", rf"\{{\s*{bare}\s*\}}", bare]
    return patterns


@lru_cache(maxsize=64)  # in virtual time the same secrets come in thousands of scenarios
def forms(value: str) -> frozenset[str]:
    """Every textual form in which `value` is still `value`."""
    data = value.encode()
    result = {value, value.strip()}
    result.add(json.dumps(value)[1:-1])
    result.add(json.dumps(value, ensure_ascii=False)[1:-1])
    result.add(json.dumps(value)[1:-1].replace("/", "\\/"))
    plain = {c: json.dumps(c)[1:-1] for c in set(value)}
    for escaped in ("<>&", "<>&'", "<>&'+", "<>&'+/=", '<>&"'):
        hit = plain.keys() & set(escaped)
        for digits in ("04x", "04X") if hit else ():
            table = plain | {c: f"\\u{ord(c):{digits}}" for c in hit}
            result.add("".join(map(table.__getitem__, value)))
    for encode in (quote, quote_plus):
        result.update({encode(value), encode(value, safe=""), _lower_percent(encode(value, safe=""))})
    if len(value) >= SHORTEST_ENCODED:
        for alignment in range(3):
            for codec in (base64.b64encode, base64.urlsafe_b64encode):
                result.add(_inner_base64(data, alignment, codec))
        result.update({data.hex(), data.hex().upper()})
    return frozenset(form for form in result if len(form) >= SHORTEST)


def listed_forms(value: str) -> list[list[str]]:
    """`value` as a list of byte values or an object of single characters, without its brackets, in the pieces between
    which white space may be.
    """
    if len(value) < SHORTEST_ENCODED:
        return []
    numbers = [str(byte) for byte in value.encode()]
    characters = [json.dumps(c) for c in value]
    result: list[list[str]] = []
    for elements in (numbers, characters):
        result.append([piece for element in elements for piece in (element, ",")][:-1])
        result.append([piece for i, element in enumerate(elements) for piece in (f'"{i}"', ":", element, ",")][:-1])
    return result


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
