"""What a user names in their own code: MODULE:NAME."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Callable
from typing import Any

from brokercert.engine.errors import UsageError


def callable_named(option: str, name: str, expected: str) -> Callable[..., Any]:
    """The callable `name`, MODULE:NAME, which `option` was given. `expected` ends the sentence where it is none.

    Raises `UsageError`.
    """
    if "" not in sys.path:
        sys.path.insert(0, "")  # as `python -m` has it: the user's own module is in the current folder
    module, _, attribute = name.partition(":")
    try:
        found: Any = getattr(importlib.import_module(module), attribute)
    except (ImportError, AttributeError, ValueError) as error:
        raise UsageError(f"{option} {name}: {error}; {expected}") from error
    if not callable(found):
        raise UsageError(f"{option} {name}: not callable; {expected}")
    made: Callable[..., Any] = found
    return made
