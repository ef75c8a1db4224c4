"""Wrong documents of any kind: JSON with one edit, or a text with one place changed. What the parsers' targets draw."""

from __future__ import annotations

from random import Random
from typing import Any

import msgspec

from brokercert.hostile.edits import edit, one_of, paths
from brokercert.hostile.text import BREAKS

_encode = msgspec.json.Encoder().encode
_BROKEN = tuple(BREAKS)


def wrong_json(rng: Random, document: Any) -> tuple[str, str]:
    """(defect, text) of a document with one edit, or broken as a text."""
    if rng.random() < 0.7:
        where = list(paths(document))
        name, edited = edit(rng, document, where)
        return name, _encode(edited).decode()
    name = _BROKEN[int(rng.random() * len(_BROKEN))]
    return name, BREAKS[name][0](rng, _encode(document).decode())


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
