"""How much a client of this process holds on to: the objects that can be reached from it, and from its tasks.

The law: counted is what is the client's own. Classes, modules, the code and globals of functions, the loop, and what
belongs to the harness or the broker are where the walk ends.
"""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Iterable
from types import BuiltinFunctionType, CodeType, FrameType, FunctionType, ModuleType
from typing import Any

ENDS = (type, ModuleType, CodeType, FrameType, BuiltinFunctionType, asyncio.AbstractEventLoop)
NOT_ITS_OWN = ("brokercert.engine", "brokercert.simulation", "brokercert_mock", "selectors", "logging")


def held_by(roots: Iterable[Any]) -> int:
    """How many objects that can hold others (what the garbage collector looks after) are reached from the roots."""
    seen: set[int] = set()
    waiting = [root for root in roots if root is not None]
    while waiting:
        one = waiting.pop()
        if id(one) in seen or not gc.is_tracked(one) or not _is_its_own(one):
            continue
        seen.add(id(one))
        if isinstance(one, FunctionType):
            waiting += [one.__closure__, one.__defaults__, one.__kwdefaults__]
        else:
            waiting += gc.get_referents(one)
    return len(seen)


def _is_its_own(value: Any) -> bool:
    if isinstance(value, ENDS):
        return False
    module = type(value).__module__
    return not module.startswith(NOT_ITS_OWN)
