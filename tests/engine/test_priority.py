"""Where the system allows it, a run in real time goes before other programs; elsewhere nothing changes."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import Literal

import pytest
from brokercert.engine.client.subject import SubjectSpec
from brokercert.engine.machine import priority
from brokercert.engine.run import run

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


@pytest.mark.parametrize(("tier", "times"), [("real", 1), ("virtual", 0)])
def test_only_a_run_in_real_time_asks(
    tier: Literal["real", "virtual"], times: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[str] = []
    monkeypatch.setattr(run, "raise_priority", lambda: asked.append(tier))
    monkeypatch.setattr(run, "run_loop", lambda main, doing: main.close())
    monkeypatch.setattr(run, "certify_virtual", lambda request, progress: None)
    run.run_certification(run.RunRequest("tradovate-stage2", SubjectSpec("any", ("true",)), tier=tier), run.Quiet())
    assert len(asked) == times
