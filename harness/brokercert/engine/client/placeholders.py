"""Placeholders of a client's command line, and of the values of `[subject.env]`: `{url}` and its kin.

The law: what is filled is a known name in braces, and nothing else; what was nearly one is refused before anything is
run, since the client would be given the braces, and fail by them.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Collection, Iterator, Mapping

from brokercert.engine.client.subject import SubjectError, SubjectSpec
from brokercert.near import CLOSE, hint, near

PYTHON = "python"  # the interpreter that the harness itself runs in
# BROKERCERT_* names without that, in lower case. These are the harness's own, beside PYTHON; those that a broker tells
# beside them stand in its set, as `placeholders`.
PLACEHOLDERS = (
    *("protocol", "url", "host", "port", "ws_base", "rest_base", "md_url"),
    *("scenario", "state_dir", "level", "ca", "dns"),
)

# A name in two pairs of braces is text in one; what a shell would take for a variable of its own is left alone.
_BRACES = re.compile(r"\{\{([a-z][a-z0-9_]*)\}\}|(?<!\$)\{([a-z][a-z0-9_]*)\}")


def fill(text: str, env: Mapping[str, str], placeholders: Collection[str] = ()) -> str:
    """`text` with its placeholders filled. Other braces (JSON, shell) stay as they are, and `{{url}}` becomes `{url}`.

    `placeholders` are the set's, beside the harness's own. One without a value in this scenario (`{ca}` without TLS)
    becomes an empty string. With `{python}` a client in Python finds the packages installed beside the harness.
    """

    def value(match: re.Match[str]) -> str:
        escaped, name = match.groups()
        if escaped:
            return f"{{{escaped}}}"
        if name == PYTHON:
            return sys.executable
        if name not in PLACEHOLDERS and name not in placeholders:
            return match.group()
        return env.get(f"BROKERCERT_{name.upper()}", "")

    return _BRACES.sub(value, text)


def literal(text: str) -> str:
    """`text` so that `fill` gives it back as it is, whatever braces are in it: of a file's name, say."""
    return _BRACES.sub(lambda match: f"{{{match.group()}}}", text)


def refuse_unknown(spec: SubjectSpec, told: str) -> None:
    """Raises `SubjectError` where a placeholder was meant that there is not. `told` is where `[subject.env]` stands.

    A text that is one name in braces means a placeholder. Within a longer text (a format, a shell's list) only what
    nearly is one does.
    """
    known = (PYTHON, *PLACEHOLDERS, *spec.placeholders)
    words = [(f"the client's command: word {number}", word) for number, word in enumerate(spec.command or (), 1)]
    for place, text in (*words, *((f"{told}.{name}", value) for name, value in spec.env.items())):
        for name in _unknown(text, known):
            meant = hint(name, known, "{{{}}}") or f"; expected one of {', '.join(known)}"
            raise SubjectError(  # the text is not shown: it may hold a password
                f"{place}: {{{name}}} is no placeholder{meant} (for that text itself write {{{{{name}}}}})"
            )


def _unknown(text: str, known: Collection[str]) -> Iterator[str]:
    for match in _BRACES.finditer(text):
        name = match.group(2)
        if name and name not in known and (match.group() == text or near(name, known, CLOSE)):
            yield name
