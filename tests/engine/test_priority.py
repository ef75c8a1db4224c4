"""Where the system allows it, a run in real time goes before other programs; elsewhere nothing changes."""

from __future__ import annotations

import os
import re
import subprocess
import sys
from pathlib import Path

import brokercert
import pytest
from brokercert.engine.machine import priority

HARNESS = Path(brokercert.__file__).parent
TOLD = "from brokercert.engine.machine import priority; priority.raise_priority(); print(priority.niceness())"


def raised_in(niceness: int) -> int:
    """The niceness of a program of that niceness that asks for more."""
    done = subprocess.run(
        [sys.executable, "-c", f"import os; os.nice({niceness}); {TOLD}"], capture_output=True, text=True, check=True
    )
    return int(done.stdout)


def may() -> bool:
    """Whether this user may."""
    code = "import os; os.setpriority(os.PRIO_PROCESS, 0, -10)"
    return subprocess.run([sys.executable, "-c", code], capture_output=True).returncode == 0


def test_a_privileged_run_goes_first_and_any_other_stays_where_it_is() -> None:
    assert raised_in(0) == (min(priority.RAISED, priority.niceness()) if may() else priority.niceness())


@pytest.mark.skipif(not may(), reason="only a privileged user may have a higher priority")
def test_who_has_a_higher_one_already_keeps_it() -> None:
    assert raised_in(-15 - priority.niceness()) == -15


def test_a_system_that_refuses_is_no_error(monkeypatch: pytest.MonkeyPatch) -> None:
    def refuse(*_: object) -> None:
        raise PermissionError("not yours")

    monkeypatch.setattr(os, "setpriority", refuse)
    priority.raise_priority()


def test_only_programs_that_are_ours_alone_ask() -> None:
    """What a run is part of (a test program, a notebook) keeps its place: it cannot take the higher one back."""
    asks = {
        str(path.relative_to(HARNESS))
        for path in HARNESS.rglob("*.py")
        if re.search(r"^\s+raise_priority\(\)", path.read_text(), re.MULTILINE)
    }
    assert asks == {"cli/certify.py", "door/child.py"}
