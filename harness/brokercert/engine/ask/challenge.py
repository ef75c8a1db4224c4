"""A partner's own text, of which all that a run draws follows: a fresh text cannot be met by an old run.

The law: the seed is the text's, by a hash. So nobody chooses the seed, and a run of another text has another one.
"""

from __future__ import annotations

import hashlib

from brokercert.engine.errors import UsageError

LONGEST = 200  # characters: a sentence, an address with a number
BITS = 53  # of the seed: a whole number that every reader of JSON holds exactly


def checked_challenge(text: str, told: str) -> str:
    """The text itself. `told` is who said it. Raises `UsageError` where two readers could read it differently."""
    if not text or text != text.strip() or not text.isprintable() or len(text) > LONGEST:
        raise UsageError(
            f"{told}: {text[:LONGEST]!r}; expected 1 to {LONGEST} characters that can be printed, in one line, with no "
            "space at either end; take the text as the partner gave it"
        )
    return text


def seed_of_challenge(text: str) -> int:
    """The seed that belongs to a text, from 0 to 2**53 - 1: the first bits of its SHA-256."""
    digest = hashlib.sha256(b"brokercert challenge 1\n" + text.encode()).digest()
    return int.from_bytes(digest[:8], "big") >> (64 - BITS)
