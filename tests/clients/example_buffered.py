"""The Python example, but for one thing: it prints through the buffer that a program has whose output is a pipe."""

from __future__ import annotations

import builtins
import runpy
import sys
from pathlib import Path
from typing import Any

EXAMPLE = Path(__file__).parents[2] / "examples" / "python"
at_once = print


def later(*values: Any, flush: bool = False, **more: Any) -> None:
    at_once(*values, **more)


if __name__ == "__main__":
    sys.path.insert(0, str(EXAMPLE))
    builtins.print = later
    runpy.run_path(str(EXAMPLE / "client.py"), run_name="__main__")
