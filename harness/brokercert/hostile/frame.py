"""Defects of a frame's letter and envelope: what a client meets before it decodes anything (TP §1.1).

No frame of these begins with `a` or `c` and holds malformed JSON: those are defects of JSON (`text.py`).
"""

from __future__ import annotations

from random import Random

import msgspec

from brokercert.hostile.edits import SNOWMAN, one_of
from brokercert.hostile.model import defect
from brokercert.hostile.valid import message

_encode = msgspec.json.Encoder().encode


def _array(rng: Random) -> str:
    return "[" + _encode(message(rng)).decode() + "]"


@defect("frame", "unknown-letter", "a letter that nobody knows, alone")
def _unknown_letter(rng: Random) -> str:
    return one_of(rng, ("x", "z", "0", "?", "\x7f", "é"))  # type: ignore[no-any-return]


@defect("frame", "snowman-letter", "a letter that is not ASCII, alone")
def _snowman_letter(rng: Random) -> str:
    return one_of(rng, (SNOWMAN, "𝄞", "\ufeff", "\u202e"))  # type: ignore[no-any-return]


@defect("frame", "unknown-letter-array", "a letter that nobody knows before a valid array")
def _unknown_array(rng: Random) -> str:
    return str(one_of(rng, ("x", "m", "b", "t", "0", SNOWMAN, "\x00"))) + _array(rng)


@defect("frame", "capital", "a known letter in capitals")
def _capital(rng: Random) -> str:
    return one_of(rng, ("O", "H", "A[]", "A" + _array(rng), 'C[3000,"x"]'))  # type: ignore[no-any-return]


@defect("frame", "no-letter", "an array, or an object, without a letter")
def _no_letter(rng: Random) -> str:
    return one_of(rng, (_array(rng), "{}", "[]", "null", '"☃"', "1"))  # type: ignore[no-any-return]


@defect("frame", "empty", "a text frame without any text")
def _empty(rng: Random) -> str:
    return ""


@defect("frame", "zero", "a character of code zero")
def _zero(rng: Random) -> str:
    return one_of(rng, ("\x00", "\x00" * 64, "\x00a[]"))  # type: ignore[no-any-return]


@defect("frame", "white-space", "white space, alone or before the letter")
def _white_space(rng: Random) -> str:
    return one_of(rng, (" ", "\n", "\r\n\t ", " h", "\u2028", "\n" + "a" + _array(rng)))  # type: ignore[no-any-return]


@defect("frame", "doubled-heartbeat", "a heartbeat with something behind it")
def _doubled(rng: Random) -> str:
    behind = ("h", SNOWMAN, "𝄞", "é", "[]", "\n", "h" * 499, "a" + _array(rng))
    return "h" + str(one_of(rng, behind))


@defect("frame", "long", "a letter that nobody knows before 64 KiB", weight=1)
def _long(rng: Random) -> str:
    return "x" + SNOWMAN * 21_845
