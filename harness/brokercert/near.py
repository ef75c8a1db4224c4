"""What was nearly meant: the one place that says how alike two names are, and words a hint.

The law: a hint is a guess, and is worded as a question. Only the standard library is imported, so that every room may
ask.
"""

from __future__ import annotations

from collections.abc import Iterable
from difflib import SequenceMatcher

LIKE = 0.6  # of 1: from here on a name may have been meant. `lgo-010` and `LOG-010` are 0.86, `core` and `half` 0.25
CLOSE = 0.75  # from here on it is a slip of the keyboard: `tokn` and `token` are 0.89, `print` and `port` 0.67
TURNED = 0.9  # two letters that changed places, as in `ulr`: the ratio knows no such slip
FAR = 0.1  # less like than the likest: not meant
MOST = 3  # names in a hint: whoever is shown ten reads none


def likeness(name: str, meant: str) -> float:
    """How alike two names are, from 0 to 1. Case does not count, nor which of `-`, `_` and a space joins words; the
    same letters in another order are no less alike than `TURNED`.
    """
    one, other = _plain(name), _plain(meant)
    ratio = SequenceMatcher(None, one, other).ratio()
    return max(ratio, TURNED) if len(one) > 1 and sorted(one) == sorted(other) else ratio


def near(name: str, known: Iterable[str], least: float = LIKE) -> tuple[str, ...]:
    """Those of `known` that `name` may have meant, the likest first; `MOST` of them at most, and none that is far less
    like it than the first. Where one is it, but for its case, that one alone.
    """
    found = sorted(((likeness(name, one), one) for one in known), key=lambda pair: (-pair[0], pair[1]))
    likest = found[0][0] if found else 0.0
    least = 1.0 if likest == 1.0 else max(least, likest - FAR)
    return tuple(one for ratio, one in found[:MOST] if ratio >= least)


def hint(name: str, known: Iterable[str], form: str = "{}") -> str:
    """`; did you mean order?`, to be put behind a sentence; empty where nothing is near. `form` shows a name."""
    found = near(name, known)
    if not found:
        return ""
    shown = [form.format(one) for one in found]
    return f"; did you mean {', '.join(shown[:-1])}{' or ' if shown[1:] else ''}{shown[-1]}?"


def _plain(name: str) -> str:
    return name.lower().replace("-", " ").replace("_", " ").strip()
