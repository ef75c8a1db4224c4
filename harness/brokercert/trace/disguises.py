"""What a secret may look like in a text that a client made: other letter case, other alphabets, escapes, pieces.

A text is folded: only its ASCII letters and digits stay, in lower case. So separators, line ends, brackets, quotes,
colour codes and characters without width are gone, and a list of characters is the text that it spells. It is folded
once as it stands and once for each round of escapes that is undone. A secret is folded likewise, once in each alphabet
that it may be written in. A run of characters that both have is a part of the secret.

Pure: no I/O, no clock.
"""

from __future__ import annotations

import base64
import codecs
import html
import re
from bisect import bisect_right
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field, replace
from functools import cached_property, lru_cache
from itertools import takewhile
from struct import Struct

import ahocorasick_rs as aho

# A shorter secret is looked for as it stands, and in no disguise: it would be found by chance.
SHORTEST = 8
# Characters of a secret in a row that are a part of it. A log that shows the first and the last eight of a token, as
# many do, tells nobody that token.
PART = 12
SHORTEST_WITH_PARTS = 24  # a shorter secret has no part that is not nearly all of it, or too common
# Every piece of a form of such a length is known, and a text is looked at in steps of as much. So a run of nine folded
# characters is always found: twelve of a secret, three of them marks. Those with more marks are looked for as they
# stand, in any letter case. Forms that tell a character by more than one and
# a half are looked for in longer steps: many are digits, and of those five in a row stand everywhere.
PIECE, PIECE_OF_LONG = 5, 10
LEAST = 2 * PIECE - 1  # folded characters that a part has, found by its pieces
TOLD = 4  # of so many characters of a secret one may be missing where the others are taken for all of it
SIZES = (PIECE, PIECE_OF_LONG)
STEPS, LONG_STEPS = (re.compile(f".{{{size}}}") for size in SIZES)
PLACE = Struct("<HH")  # which form, and where in it: a form of 2,000 characters has 16,000 at the most
MOST_ALIKE = 200  # secrets that may have one part in common: twice as many as are looked for
SLICE = 64 * 1024  # characters of a text that are searched at a time: the longest line of output
OVERLAP = 20_000  # characters: more than the longest form of the longest secret, so that each stands in one slice whole
ROUNDS = 3  # of escapes within escapes

LOWER = bytes(range(128)).lower() + bytes(128)
OTHERS = bytes(byte for byte in range(256) if not (byte < 128 and chr(byte).isalnum()))
COLOUR = re.compile(r"\x1b\[[0-?]*[ -/]*[@-~]")
KEPT = re.compile(r"\x1b\[[0-?]*[ -/]*[@-~]|([0-9A-Za-z])")  # what `View.folded` keeps, in its group
# Each alternative begins with a character of its own, so that the search skips from one to the next. No repetition is
# without a bound where its first character may repeat: a line of nothing but backslashes must not take a minute. JSON
# within JSON within JSON makes eight of one.
ESCAPED = re.compile(
    r"""
      %(?:25)*(?P<percent>[0-9A-Fa-f]{2})
    | \\\\{0,7}u(?:\{(?P<braced>[0-9A-Fa-f]{1,6})\}|(?P<unicode>[0-9A-Fa-f]{4}))
    | \\\\{0,7}x(?P<hex>[0-9A-Fa-f]{2})
    | \\\\{0,7}(?P<octal>[0-3][0-7]{2})
    | \\\\{0,7}(?P<control>[abefnrtv])
    | &\#(?P<decimal>[0-9]{1,7});
    | &\#[xX](?P<entity>[0-9A-Fa-f]{1,6});
    | &(?P<named>[A-Za-z]{2,8});
    | =(?P<quoted>[0-9A-F]{2})
    | =(?P<soft>\r?\n)
    """,
    re.VERBOSE,
)
BASES = {"percent": 16, "braced": 16, "unicode": 16, "hex": 16, "octal": 8, "decimal": 10, "entity": 16, "quoted": 16}
LAST = 0x10FFFF  # the last code point


@dataclass(frozen=True, slots=True)
class Form:
    """A secret in one alphabet, folded. `of`: the character of the secret that each of its characters tells."""

    text: str
    of: tuple[int, ...]
    dropped: frozenset[int] = frozenset()  # the characters of the secret that it does not tell: folding leaves them out
    plain: bool = False

    def said(self, low: int, high: int) -> int:
        """How many of these characters of the secret it tells."""
        return high - low - sum(at in self.dropped for at in range(low, high))

    @property
    def is_whole(self) -> bool:
        """It tells enough of the secret for all of it: what else has these letters and digits is the secret."""
        told = max(self.of, default=-1) + 1
        return TOLD * self.said(0, told) >= (TOLD - 1) * told

    @property
    def piece(self) -> int:
        """The length of the pieces by which it is found."""
        return PIECE if 2 * len(self.text) <= 3 * (max(self.of[0], self.of[-1]) + 1) else PIECE_OF_LONG


@dataclass(frozen=True)
class Disguises:
    """A secret in every alphabet; `index`: piece -> (form, place) wherever one has it, packed as `PLACE` says.
    Thousands of lists a secret would make each garbage collection of a long run hold the loop for half a second.
    """

    value: str
    forms: tuple[Form, ...]
    index: dict[str, bytes]
    short: tuple[int, ...]  # forms too short to be found by their pieces
    public: int  # so many of its first characters are known to everybody: the header of a JSON Web Token
    marked: bool = False  # it has parts that folding leaves too short for its pieces


@dataclass(frozen=True, slots=True)
class Found:
    """In the text from `start` to `end`: so many characters of that secret, or the `whole` of it."""

    start: int
    end: int
    value: str
    said: int
    whole: bool
    public: bool

    def later(self, by: int) -> Found:
        """The same in a text of which that one was a slice from there on."""
        return replace(self, start=self.start + by, end=self.end + by) if by else self


@dataclass
class View:
    """A text folded, which knows where each of its characters was."""

    source: str
    spans: Callable[[], list[tuple[int, int]]] | None = None  # of each character of `source` in the text; None: itself
    folded: str = field(init=False)

    def __post_init__(self) -> None:
        plain = COLOUR.sub("", self.source) if "\x1b" in self.source else self.source
        self.folded = plain.encode("ascii", "ignore").translate(LOWER, OTHERS).decode("ascii")

    @cached_property
    def _places(self) -> list[int]:
        return [kept.start() for kept in KEPT.finditer(self.source) if kept.group(1)]

    @cached_property
    def _spans(self) -> list[tuple[int, int]] | None:
        return None if self.spans is None else self.spans()

    def place(self, begin: int, end: int) -> tuple[int, int]:
        """From where to where the text says what `source` says from `begin` to `end`."""
        if self._spans is None:
            return begin, end
        return self._spans[begin][0], self._spans[end - 1][1]

    def span(self, begin: int, end: int) -> tuple[int, int]:
        """From where to where the text says what the folded one says from `begin` to `end`."""
        first, last = self._places[begin], self._places[end - 1]
        if self._spans is None:
            return first, last + 1
        return self._spans[first][0], self._spans[last][1]


def found_in(text: str, secrets: Sequence[Disguises], pieces: set[str] | None = None) -> list[Found]:
    """Where parts of secrets stand in `text`, or whole ones in disguise: the longest, one after the other.

    `pieces`: those of all the secrets, where so much is searched that it pays to have them in one set. A long text is
    searched in slices that overlap: only one in which something stands is looked at closely.
    """
    hits: list[Found] = []
    for start in range(0, max(1, len(text) - OVERLAP), SLICE):
        part = text[start : start + SLICE + OVERLAP]
        hits += [hit.later(start) for hit in _found_in(part, secrets, pieces)]
    return _apart(hits) if hits else hits


def _found_in(text: str, secrets: Sequence[Disguises], pieces: set[str] | None) -> Iterator[Found]:
    for view in views(text):
        windows = [*STEPS.findall(view.folded), *LONG_STEPS.findall(view.folded)]
        yield from _marked(view, secrets)
        if pieces is not None and pieces.isdisjoint(windows):
            continue
        for secret in secrets:
            if not secret.index.keys().isdisjoint(windows):
                yield from _runs(text, view, secret)
            for place in secret.short:
                yield from _shorts(view, secret, secret.forms[place])


def views(text: str) -> Iterator[View]:
    """`text` folded as it stands, and after each round of escapes that is undone."""
    view = View(text)
    yield view
    for _ in range(ROUNDS):
        plain = ESCAPED.sub(_unescaped, view.source)
        if plain == view.source:
            return
        view = View(plain, _spans_of(view))
        yield view


def _unescaped(match: re.Match[str]) -> str:
    kind = match.lastgroup or ""
    if kind in BASES:
        code = int(match[kind], BASES[kind])
        return chr(code) if code <= LAST else ""
    return html.unescape(match.group()) if kind == "named" else ""


def _spans_of(before: View) -> Callable[[], list[tuple[int, int]]]:
    """Of each character that the next round has, where it was in the text."""

    def spans() -> list[tuple[int, int]]:
        old = before._spans
        known = old if old is not None else [(at, at + 1) for at in range(len(before.source))]
        result: list[tuple[int, int]] = []
        done = 0
        for match in ESCAPED.finditer(before.source):
            result += known[done : match.start()]
            span = known[match.start()][0], known[match.end() - 1][1]
            result += [span] * len(_unescaped(match))
            done = match.end()
        return result + known[done:]

    return spans


def _runs(text: str, view: View, secret: Disguises) -> Iterator[Found]:
    """The parts of a secret in a folded text."""
    done: dict[tuple[int, int], int] = {}  # (form, how far it is from there) -> how far a run went
    folded, index = view.folded, secret.index
    for at in [at for size in SIZES for at in range(0, len(folded), size) if folded[at : at + size] in index]:
        for which, place in _places_of(secret, folded, at):
            if done.get((which, at - place), 0) > at:
                continue
            form = secret.forms[which]
            begin, end = _run(folded, at, form.text, place)
            done[which, at - place] = end
            told = form.of[begin - at + place], form.of[end - 1 - at + place]
            low, high = min(told), max(told) + 1
            whole, span = end - begin == len(form.text) and form.is_whole, view.span(begin, end)
            enough = form.said(low, high) >= LEAST and len(secret.value) >= SHORTEST_WITH_PARTS
            if form.plain:
                span, low, high = _with_marks(text, span, secret.value, low, high)
            if whole or (enough and high - low >= PART):
                yield Found(*span, secret.value, high - low, whole, high <= secret.public)


def _places_of(secret: Disguises, folded: str, at: int) -> Iterator[tuple[int, int]]:
    """(form, place) wherever one says what the text says there."""
    for size in SIZES:
        yield from PLACE.iter_unpack(secret.index.get(folded[at : at + size], b""))


def _shorts(view: View, secret: Disguises, form: Form) -> Iterator[Found]:
    at = view.folded.find(form.text)
    while at >= 0:
        end = at + len(form.text)
        yield Found(*view.span(at, end), secret.value, len(secret.value), True, False)
        at = view.folded.find(form.text, end)


def _marked(view: View, secrets: Sequence[Disguises]) -> Iterator[Found]:
    """The parts of secrets that are marks for a good deal, in any letter case."""
    finder, known = _as_they_stand(tuple(one.value for one in secrets if one.marked))
    if finder is None:
        return
    text = _lower(view.source)
    for which, start, _ in finder.find_matches_as_indexes(_sayable(text), overlapping=True):
        value, place = known[which]
        begin, end = _run(text, start, _lower(value), place)
        if end - start < PART:
            continue  # a lone surrogate stands there, which was searched as another character
        low, high = place - (start - begin), place + end - start
        yield Found(*view.place(begin, end), value, high - low, high - low == len(value), high <= _public(value))


@lru_cache(maxsize=16)
def _as_they_stand(values: tuple[str, ...]) -> tuple[aho.AhoCorasick | None, list[tuple[str, int]]]:
    """What finds these parts of all of them, in lower case; and of what each is one, and where in it."""
    known = [(value, at) for value in values for at in _with_many_marks(value)]
    parts = [_sayable(_lower(value[at : at + PART])) for value, at in known]
    return (aho.AhoCorasick(parts) if known else None), known


def _lower(text: str) -> str:
    """In lower case, as far as that is ASCII: every place stays where it is, and no other character is changed."""
    return text.encode("utf-8", "surrogatepass").lower().decode("utf-8", "surrogatepass")


def _sayable(text: str) -> str:
    """With a question mark for each lone surrogate, which UTF-8 cannot say."""
    return text.encode("utf-8", "replace").decode()


def _run(text: str, at: int, form: str, place: int) -> tuple[int, int]:
    """From where to where `text` says what `form` does; `text[at]` is its `form[place]`."""
    shift = place - at
    begin, end = at, at
    while begin > 0 and begin + shift > 0 and text[begin - 1] == form[begin - 1 + shift]:
        begin -= 1
    while end < len(text) and end + shift < len(form) and text[end] == form[end + shift]:
        end += 1
    return begin, end


def _with_marks(text: str, span: tuple[int, int], value: str, low: int, high: int) -> tuple[tuple[int, int], int, int]:
    """The span with the marks of the secret at its ends, which folding dropped, and what of the secret it then says."""
    start, end = span
    while start > 0 and low > 0 and text[start - 1] == value[low - 1]:
        start, low = start - 1, low - 1
    while end < len(text) and high < len(value) and text[end] == value[high]:
        end, high = end + 1, high + 1
    return (start, end), low, high


def _apart(hits: list[Found]) -> list[Found]:
    """Of those that overlap the one that says most of its secret; of several that say as much, all."""
    chosen: list[Found] = []  # in the order of the text; those of one place say as much of one secret each
    starts: list[int] = []
    for hit in sorted(hits, key=lambda hit: (-hit.said, not hit.whole, hit.start - hit.end, hit.start, hit.value)):
        at = bisect_right(starts, hit.start)
        before, after = chosen[at - 1] if at else None, chosen[at] if at < len(chosen) else None
        over = [one for one in (before, after) if one and hit.start < one.end and one.start < hit.end]
        alike = all((one.start, one.end, one.said) == (hit.start, hit.end, hit.said) for one in over)
        if alike and not _holds(chosen, at, hit):
            chosen.insert(at, hit)
            starts.insert(at, hit.start)
    return chosen


def _holds(chosen: list[Found], at: int, hit: Found) -> bool:
    """Whether a part of the same secret was chosen for that place, which ends before `at`."""
    same = takewhile(lambda one: one.start == hit.start, reversed(chosen[max(0, at - MOST_ALIKE) : at]))
    return any(one.value == hit.value for one in same)


# The alphabets.


@lru_cache(maxsize=256)  # in virtual time the same secrets come in thousands of scenarios
def disguises_of(value: str) -> Disguises:
    """Every form of a secret of `SHORTEST` characters at least. A short one counts whole only, in fewer alphabets."""
    forms = list(dict.fromkeys(form for form in _forms(value) if len(form.text) >= SHORTEST))
    index: dict[str, bytes] = {}
    for which, form in enumerate(forms):
        for place in range(len(form.text) - form.piece + 1):
            piece = form.text[place : place + form.piece]
            index[piece] = index.get(piece, b"") + PLACE.pack(which, place)
    marked = len(value) >= SHORTEST_WITH_PARTS and any(True for _ in _with_many_marks(value))
    short = tuple(n for n, form in enumerate(forms) if len(form.text) < 2 * form.piece - 1 and form.is_whole)
    return Disguises(value, tuple(forms), index, short, _public(value), marked)


def _with_many_marks(value: str) -> Iterator[int]:
    """Where a part begins that has fewer folded characters than are always found by their pieces."""
    for at in range(len(value) - PART + 1):
        if sum(_is_folded(character) for character in value[at : at + PART]) < LEAST:
            yield at


def _is_folded(character: str) -> bool:
    """Folding keeps it. A letter that is none of ASCII is a mark, whatever its lower case would be."""
    return character.isascii() and character.isalnum()


def _forms(value: str) -> Iterator[Form]:
    data = value.encode()
    spelt_by = [at for at, character in enumerate(value) for _ in character.encode()]  # of each byte, its character
    yield _spelt(enumerate(value), plain=True)
    if len(value) >= SHORTEST_WITH_PARTS:
        yield _spelt(enumerate(codecs.encode(value, "rot13")))
        yield _spelt((len(value) - 1 - at, character) for at, character in enumerate(value[::-1]))
    yield _spelt(enumerate(value), numbered=True)
    escaped = [] if value.isascii() else [_of_pieces((f"x{byte:02x}", at) for at, byte in enumerate(data))]
    for form in (*escaped, *_encoded(data)):  # an escape of a byte that is no letter of ASCII undoes to another letter
        yield Form(form.text, tuple(spelt_by[at] for at in form.of))


def _encoded(data: bytes) -> Iterator[Form]:
    """The forms that tell bytes, each with the byte that each of its characters tells."""
    for written in ("{:02x}", "0x{:02x}", "{:02x}00", "00{:02x}", "u{:04x}", "{}", "{}0", "{:o}", "{:03o}", "{:08b}"):
        yield _of_pieces((written.format(byte), at) for at, byte in enumerate(data))
    yield _of_pieces((f"{at}{byte}", at) for at, byte in enumerate(data))
    for alignment in range(3):
        inner = list(_base64(data, alignment))
        yield _of_pieces(inner)
        spelt = "".join(character for character, _ in inner)
        for alphabet in {spelt, spelt.translate(str.maketrans("+/", "-_"))}:
            for again in range(3):
                yield _of_pieces((c, inner[at][1]) for c, at in _base64(alphabet.encode(), again))
    for alignment in range(5):
        yield _of_pieces(_base32(data, alignment))
    for start in range(4):
        for encode in (base64.b85encode, base64.a85encode):
            block = data[start : len(data) - (len(data) - start) % 4]
            yield _of_pieces((chr(c), start + 4 * (k // 5)) for k, c in enumerate(encode(block)))


def _spelt(characters: Iterable[tuple[int, str]], *, plain: bool = False, numbered: bool = False) -> Form:
    """Its characters one after the other, each with its place in the secret; `numbered`: each behind that."""
    told = list(characters)
    form = _of_pieces((f"{at}{character}" if numbered else character, at) for at, character in told)
    dropped = frozenset(at for at, character in told if not _is_folded(character))
    return Form(form.text, form.of, dropped, plain)


def _of_pieces(pieces: Iterable[tuple[str, int]]) -> Form:
    """The form of such pieces, each with what it tells of the secret."""
    said, of = [], []
    for piece, at in pieces:
        for character in filter(_is_folded, piece):
            said.append(character.lower())
            of.append(at)
    return Form("".join(said), tuple(of))


def _base64(data: bytes, alignment: int) -> Iterator[tuple[str, int]]:
    """The characters that `data` alone decides when it begins at this byte of a base64 triple, and of which byte each
    tells the first bit.
    """
    padded = b"\0" * alignment + data
    text = base64.b64encode(padded).decode().rstrip("=")
    start = (8 * alignment + 5) // 6  # before it, characters also depend on what came before
    end = len(padded) * 8 // 6  # behind it, on what follows
    return ((text[k], 6 * k // 8 - alignment) for k in range(start, end))


def _base32(data: bytes, alignment: int) -> Iterator[tuple[str, int]]:
    padded = b"\0" * alignment + data
    text = base64.b32encode(padded).decode()
    return ((text[k], 5 * k // 8 - alignment) for k in range((8 * alignment + 4) // 5, len(padded) * 8 // 5))


def _public(value: str) -> int:
    """How many of the first characters of a JSON Web Token are its header: the same in every token of an issuer."""
    head, dot, rest = value.partition(".")
    if not dot or "." not in rest:
        return 0
    try:
        decoded = base64.urlsafe_b64decode(head + "=" * (-len(head) % 4))
    except ValueError:
        return 0
    return len(head) + 1 if decoded.lstrip().startswith(b"{") else 0
