"""Defects of JSON: a valid `a[...]` that is no JSON any more. Also used for any other text that is to be JSON."""

from __future__ import annotations

from collections.abc import Callable
from random import Random

import msgspec

from brokercert.hostile.edits import DEPTH, SNOWMAN, one_of
from brokercert.hostile.model import Defect, Maker, add
from brokercert.hostile.valid import message

Break = Callable[[Random, str], str]

_encode = msgspec.json.Encoder().encode


def somewhere(rng: Random, text: str, found: str) -> int:
    """Where `found` stands: one of its places, or -1."""
    count = text.count(found)
    place = -1
    for _ in range(int(rng.random() * count) + 1 if count else 0):
        place = text.index(found, place + 1)
    return place


def replaced(rng: Random, text: str, old: str, new: str) -> str:
    """With one of the places of `old` replaced; `new` at the end where there is none."""
    place = somewhere(rng, text, old)
    return text + new if place < 0 else text[:place] + new + text[place + len(old) :]


def cut(rng: Random, text: str) -> str:
    return text[: 1 + int(rng.random() * (len(text) - 1))] if len(text) > 1 else ""


def cut_at_snowman(rng: Random, text: str) -> str:
    return text[: int(rng.random() * (len(text) - 1)) + 1] + SNOWMAN


BREAKS: dict[str, tuple[Break, str]] = {
    "cut": (cut, "the text ends early"),
    "cut-at-snowman": (cut_at_snowman, "the text ends early, and its last character is not ASCII"),
    "no-value": (lambda rng, t: replaced(rng, t, '":', '":,'), "a value is not there"),
    "no-colon": (lambda rng, t: replaced(rng, t, '":', '" '), "a colon is not there"),
    "no-comma": (lambda rng, t: replaced(rng, t, ',"', ' "'), "a comma is not there"),
    "trailing-comma": (lambda rng, t: replaced(rng, t, "}", ",}"), "a comma before the closing brace"),
    "no-brace": (lambda rng, t: replaced(rng, t, "}", ""), "a closing brace is not there"),
    "wrong-brace": (lambda rng, t: replaced(rng, t, "}", "]"), "a brace is closed by a bracket"),
    "single-quotes": (lambda rng, t: t.replace('"', "'"), "single quotes in place of double ones"),
    "no-quotes": (lambda rng, t: replaced(rng, t, '"', ""), "a quotation mark is not there"),
    "NaN": (lambda rng, t: replaced(rng, t, '":', '":NaN,'), "NaN, as a value of its own"),
    "Infinity": (lambda rng, t: replaced(rng, t, '":', '":-Infinity,'), "an infinity, as a value of its own"),
    "undefined": (lambda rng, t: replaced(rng, t, '":', '":undefined,'), "the word `undefined`"),
    "comment": (lambda rng, t: replaced(rng, t, ',"', ',/* ☃ */"'), "a comment"),
    "control-character": (lambda rng, t: replaced(rng, t, '":', '\x01":'), "a control character inside a text"),
    "newline": (lambda rng, t: replaced(rng, t, '":', '\n":'), "a line end inside a text"),
    "bad-escape": (lambda rng, t: replaced(rng, t, '":', '\\x":'), "an escape that JSON does not know"),
    "short-escape": (lambda rng, t: replaced(rng, t, '":', '\\u12":'), "an escape with two digits"),
    "leading-zero": (lambda rng, t: replaced(rng, t, '":', '":007'), "a number with leading zeros"),
    "plus-sign": (lambda rng, t: replaced(rng, t, '":', '":+'), "a number with a plus sign"),
    "hexadecimal": (lambda rng, t: replaced(rng, t, '":', '":0x'), "a hexadecimal number"),
    "trailing-text": (
        lambda rng, t: t + one_of(rng, ("x", SNOWMAN, "]", "[]", "{}", "\x00", ",")),
        "text after the end",
    ),
    "byte-order-mark": (lambda rng, t: "\ufeff" + t, "a byte order mark before the beginning"),
    "wrong-case": (lambda rng, t: replaced(rng, t, '":', '":TRUE,'), "TRUE in capitals"),
    "snowman": (
        lambda rng, t: replaced(rng, t, '":', f'":{SNOWMAN}'),
        "a character that is not ASCII, outside of texts",
    ),
    "two-documents": (lambda rng, t: t + t, "the whole text twice"),
}


def _broken(one: Break) -> Maker:
    def make(rng: Random) -> str:
        text = "[" + _encode(message(rng)).decode() + "]"
        return "a" + one(rng, text)

    return make


for _name, (_break, _text) in BREAKS.items():
    add(Defect("json", _name, _text, _broken(_break)))

add(Defect("json", "never-closed", f"{DEPTH:,} brackets that nothing closes", lambda rng: "a" + "[" * DEPTH, weight=1))
add(Defect("json", "closing", "a `c` frame that is no JSON", lambda rng: "c" + cut(rng, '[3000,"Gö away ☃"')))


# What stands behind the letter `a` or `c`, and is no array at all.


def _behind_the_letter(rng: Random) -> str:
    return str(one_of(rng, ("a", "c"))) + str(one_of(rng, (SNOWMAN, "𝄞", "é")))


def _no_array(rng: Random) -> str:
    return "a" + str(one_of(rng, ("{}", "null", "1", "true", '"☃"', '{"e":"props"}', '{"length":3}')))


def _no_content(rng: Random) -> str:
    return str(one_of(rng, ("a", "c")))


def _two_letters(rng: Random) -> str:
    return str(one_of(rng, ("aa", "ca", "a☃"))) + "[" + _encode(message(rng)).decode() + "]"


add(Defect("json", "snowman-second", "`a` or `c`, and then one character that is not ASCII", _behind_the_letter))
add(Defect("json", "no-array", "`a` with JSON that is no array", _no_array))
add(Defect("json", "no-content", "`a` or `c` with nothing behind it", _no_content))
add(Defect("json", "two-letters", "a second letter between the letter and the array", _two_letters))
