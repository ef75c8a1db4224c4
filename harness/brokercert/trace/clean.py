"""Texts of which no secret can be read any more. `Labels.redact` makes them, and nothing else.

Whatever a client chose is tainted until then: the fields of the records that hold it take a `Clean` only, so that mypy
tells of a place where it was forgotten. Texts are cleaned before they are cut: half a token is none that is known.
"""

from __future__ import annotations

from typing import Any, NewType

Clean = NewType("Clean", str)
CleanBody = NewType("CleanBody", dict[str, Any])
NOTHING = Clean("")

LONGEST_LABEL = 80  # characters: what is longer between two such marks was written by the client


# Characters at the end of a text that was cut before it was cleaned, which may be half of a secret that has no parts:
# 23 characters, each told by eight.
UNSURE = 200
MARGIN = 16 * 1024  # bytes that are read beyond those that are told: longer than any secret in any alphabet


def shortened(text: Clean, most: int, *, cut_before: bool = False) -> Clean:
    """Its first `most` characters. A label that begins in them stays whole: it is one word, and the judge reads it.

    `cut_before`: there was more of it, `MARGIN` bytes behind `most`. Where labels made it so short that its end
    would be told, that end is left out.
    """
    if cut_before:
        most = min(most, max(0, len(text) - UNSURE))
    cut = text[:most]
    opened = cut.rfind("«")
    if opened >= 0 and "»" not in cut[opened:]:
        closed = text.find("»", opened, opened + LONGEST_LABEL)
        cut = text[: closed + 1] if closed >= 0 else cut
    return Clean(cut)
