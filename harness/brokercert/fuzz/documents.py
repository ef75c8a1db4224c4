"""Wrong documents of any kind: JSON with one edit, or a text with one place changed. What the parsers' targets draw."""

from __future__ import annotations

from random import Random
from typing import Any

import msgspec

from brokercert.hostile.edits import edit, one_of, paths
from brokercert.hostile.text import BREAKS

_encode = msgspec.json.Encoder().encode
_BROKEN = tuple(BREAKS)
HALVES = 0.05  # of all documents


def wrong_json(rng: Random, document: Any) -> tuple[str, str]:
    """(defect, text) of a document with one edit, or broken as a text."""
    way = rng.random()
    if way < HALVES:
        return "half-character", _with_half(rng, _encode(document).decode())
    if way < 0.7:
        where = list(paths(document))
        name, edited = edit(rng, document, where)
        return name, _encode(edited).decode()
    name = _BROKEN[int(rng.random() * len(_BROKEN))]
    return name, BREAKS[name][0](rng, _encode(document).decode())


def _with_half(rng: Random, text: str) -> str:
    """With an escape of one half of a surrogate pair in a string: JSON has it, and no UTF-8 can say it."""
    places = [place for place, character in enumerate(text, 1) if character == '"'][::2]  # each opens a string
    place = places[int(rng.random() * len(places))] if places else len(text)
    return text[:place] + str(one_of(rng, ("\\ud800", "\\udfff"))) + text[place:]


STRANGE = (  # bytes that readers met and did not expect
    b"\xff", b"\x00", b"\xef\xbb\xbf", b"\xed\xb3\xbf", b"\xc0\x80", b"\xf4\x90\x80\x80", b"\n", b"\r\n", b"\x1b[31m",
    b'"', b"\\", b"{", b"[" * 3_000, b"9" * 400, b"1e999", b"NaN", b'{"a":' * 3_000, b"\xe2\x80\xa8",
)  # fmt: skip


def wrong_bytes(rng: Random, data: bytes) -> tuple[str, bytes]:
    """(defect, bytes) of any bytes, one to three places of them changed."""
    name = ""
    for _ in range(rng.choice((1, 1, 1, 2, 3))):
        place = int(rng.random() * (len(data) + 1))
        length = 1 + int(rng.random() * 8)
        other = int(rng.random() * (len(data) + 1))
        name, data = one_of(
            rng,
            (
                (
                    "bit",
                    data[:place]
                    + bytes(byte ^ 1 << rng.randrange(8) for byte in data[place : place + 1])
                    + data[place + 1 :],
                ),
                ("byte", data[:place] + bytes([rng.randrange(256)]) + data[place + 1 :]),
                ("cut", data[:place]),
                ("strange", data[:place] + rng.choice(STRANGE) + data[place:]),
                ("instead", data[:place] + rng.choice(STRANGE) + data[place + length :]),
                ("without", data[:place] + data[place + length :]),
                ("moved", data[:place] + data[other : other + 8 * length] + data[place:]),
            ),
        )
    return f"bytes-{name}", data


def wrong_text(rng: Random, text: str) -> tuple[str, str]:
    """(defect, text) of any text, one place of it changed."""
    place = int(rng.random() * (len(text) + 1))
    changed: tuple[str, str] = one_of(
        rng,
        (
            ("cut", text[:place]),
            ("strange", text[:place] + str(one_of(rng, ("☃", "\x00", "\udcff", "\n", "\r", " ", '"', "%", "\u2028")))),
            ("inserted", text[:place] + str(one_of(rng, ("☃", "\x00", "\n", '"', "9" * 400))) + text[place:]),
            ("without", text[:place] + text[place + 1 + int(rng.random() * 8) :]),
            ("doubled", text[:place] + text),
        ),
    )
    return changed
