"""Secrets become labels on entry, identity kept, so that "same token" can be judged and nothing secret is written.

`«access-token#2»` is the second distinct access token of a scenario. A token is the same token raw, JSON-quoted, with
`\\u003c`-style escapes, URL-encoded, in base64 (also inside a longer base64 text, at any of its three alignments), in
hexadecimal, as a list of byte values, or as an object of single characters: all seen in real clients' frames and
logs. An empty string is never a secret. Nothing here does I/O.

In what a client made, disguises of secrets are looked for too, and longer pieces: all but its last characters, the half
of a line that was cut (`brokercert.trace.disguises`). A piece becomes `«part of access-token#2»`. A piece of several
secrets says which of none, and the header of a JSON Web Token is known to everybody: they become `«part of several
secrets»` and `«header of access-token#2»`, and are no leak.

What the broker says holds a disguise or a piece only where it gives back what a client said. So its texts are searched
for them from the moment on at which a client said the first.
"""

from __future__ import annotations

import base64
import json
import re
from bisect import insort
from collections.abc import Iterable, Iterator
from functools import lru_cache
from itertools import groupby
from typing import Any, NamedTuple
from urllib.parse import quote, quote_plus

import ahocorasick_rs as aho

from brokercert.trace.clean import Clean
from brokercert.trace.disguises import Disguises, Found, disguises_of, found_in

# A shorter value would be found by chance inside innocent text; the mock issues none shorter.
SHORTEST = 4
# Below this length the encoded fragments (base64 alignments, byte lists) are too common to be searched for.
SHORTEST_ENCODED = 8
# Characters of a form that are searched for; the rest is compared where they stand. An automaton of whole tokens, 30
# forms each, takes a millisecond to build, and every new secret wants a new one.
START = 8
# A secret in all its disguises takes about a megabyte, and a client may ask for tokens without end, or present whatever
# it likes. Beyond these, secrets are found in their usual forms only. A ticket is no credential.
PLAIN = frozenset({"presented", "p-ticket"})
MOST_DISGUISED, LONGEST_DISGUISED = 100, 2_000
AT_ONCE = 64  # values of a list that are looked at together before each is by itself
WORTH_A_SET = 20_000  # characters of a client's: one set of all pieces takes as long as to search these without
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
        self._disguised: list[str] = []  # the secrets that are looked for in disguise ...
        self._disguises: list[Disguises] = []  # ... and, of those known when one was last looked for, how
        self._pieces: set[str] = set()  # of the first `_merged` of them
        self._merged = 0
        self._searched = 0  # characters so far
        self._said = False  # a client said a piece of a secret, or one in disguise: the broker may say it again
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
        disguises = kind not in PLAIN and SHORTEST_ENCODED <= len(value) <= LONGEST_DISGUISED
        if disguises and len(self._disguised) < MOST_DISGUISED:
            self._disguised.append(value)
        for pieces in listed_forms(value[:SHORTEST_ENCODED]):
            self._lists.setdefault("".join(pieces)[:LIST_START], {}).setdefault(value)
        self._forms = self._beginnings = None
        return label

    def redact(self, text: str, *, parts: bool = True) -> Clean:
        """`text` with every form of every secret replaced by its label, in place. `parts`: a client made it, so that
        disguises and pieces of secrets are looked for. Without, they are once a client has said one: what the broker
        says is most of a trace.
        """
        if not self._labels or not text:
            return Clean(text)
        if "," in text:
            for value in self._listed_in(text):
                text = self._lists_of(value).sub(self._by_value[value], text)
        whole = list(self._wholes(text, _encodable(text)))
        if whole:
            text = _replaced(text, whole)
        if (parts or self._said) and self._disguised and len(text) >= SHORTEST_ENCODED:
            hits = self._hits(text)
            self._said = self._said or any(not hit.public for hit in hits)
            text = _replaced(text, list(self._labelled(hits)))
        return Clean(text)

    def _hits(self, text: str) -> list[Found]:
        """What is found of secrets in disguise. The first text that a client makes pays for their forms."""
        for value in self._disguised[len(self._disguises) :]:
            self._disguises.append(disguises_of(value))
        self._searched += len(text)
        if self._searched < WORTH_A_SET:
            return found_in(text, self._disguises)
        for disguises in self._disguises[self._merged :]:
            self._pieces.update(disguises.index)
        self._merged = len(self._disguises)
        return found_in(text, self._disguises, None if any(one.short for one in self._disguises) else self._pieces)

    def clean(self, value: Any, said: str, *, parts: bool = True) -> Any:
        """A value of JSON, which `said` is the text of, without any secret. A list or an object of plain values that
        spells one becomes its label. Where more is needed to spell one, or it is nested too deep to go through, all of
        it becomes its cleaned text.

        It is gone through once, whatever its depth.
        """
        text = self.redact(said, parts=parts)
        if text == said:
            return value
        try:
            cleaned = self._inside(value, parts)
            again = json.dumps(cleaned, ensure_ascii=False)
        except RecursionError:
            return text
        spelt = self.redact(again, parts=parts)
        return cleaned if spelt == again or isinstance(cleaned, str) else spelt

    def _inside(self, value: Any, parts: bool) -> Any:
        if isinstance(value, str):
            return self.redact(value, parts=parts)
        if isinstance(value, list):
            cleaned: Any = self._each(value, parts)
        elif isinstance(value, dict):
            cleaned = dict(
                tuple(pair) for pair in self._each([list(pair) for pair in value.items()], parts, pairs=True)
            )
        else:
            return value
        inner = cleaned if isinstance(cleaned, list) else cleaned.values()
        if any(isinstance(one, list | dict) for one in inner):
            return cleaned
        said = json.dumps(cleaned, ensure_ascii=False)
        spelt = self.redact(said, parts=parts)
        return cleaned if spelt == said else spelt

    def _each(self, values: list[Any], parts: bool, *, pairs: bool = False) -> list[Any]:
        """Each of them cleaned; `pairs`: what is in each of them. Of many, only those in whose midst something stands
        are gone through.
        """
        cleaned: list[Any] = []
        for start in range(0, len(values), AT_ONCE):
            some = values[start : start + AT_ONCE]
            said = json.dumps(some, ensure_ascii=False) if len(values) > AT_ONCE else ""
            if said and self.redact(said, parts=parts) == said:
                cleaned += some
            elif pairs:
                cleaned += [[self._inside(one, parts) for one in pair] for pair in some]
            else:
                cleaned += [self._inside(one, parts) for one in some]
        return cleaned

    def _labelled(self, hits: list[Found]) -> Iterator[Span]:
        """Each place with what stands there instead; of several secrets that have it, none is named."""
        for place, several in groupby(hits, key=lambda hit: (hit.start, hit.end)):
            first, *others = several
            if others:
                yield Span(*place, "«part of several secrets»")
            elif first.whole:
                yield Span(*place, self._by_value[first.value])
            else:
                yield Span(*place, f"«{'header' if first.public else 'part'} of {self._by_value[first.value][1:]}")

    def _wholes(self, text: str, searched: str) -> Iterator[Span]:
        """Where whole secrets stand, one after the other."""
        if self._forms is None:
            self._forms = aho.AhoCorasick(self._starts)
        hits = self._forms.find_matches_as_indexes(searched, overlapping=True)
        if not hits:
            return
        done = 0
        starts = list(self._starts)
        # Leftmost, then longest: a token may be the beginning of another, or of its own escaped form.
        for which, start, _ in sorted(hits, key=lambda hit: (hit[1], -hit[2])):
            if start < done:
                continue
            for form in self._starts[starts[which]]:
                if text.startswith(form, start):
                    done = start + len(form)
                    yield Span(start, done, self._labels[form])
                    break

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


class Span(NamedTuple):
    """From where to where a secret stands in a text, and what stands there instead."""

    start: int
    end: int
    label: str


def _replaced(text: str, spans: list[Span]) -> str:
    """`text` with what is told in place of each span; they follow one another."""
    parts: list[str] = []
    done = 0
    for start, end, label in spans:
        parts += [text[done:start], label]
        done = end
    return "".join([*parts, text[done:]])


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
    result = {value, value.strip(), value.lower(), value.upper()}  # a broker tells names of endpoints in lower case
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
