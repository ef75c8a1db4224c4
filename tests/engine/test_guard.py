"""A folder that is a client's for a while goes when the harness does, however that ends."""

from __future__ import annotations

import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest

DEADLINE = 20.0  # seconds; a moment, but on a busy machine
HARNESS = """
import os, signal
from brokercert.engine.client.guard import made_folder, remove_folder
kept, gone = made_folder(), made_folder()
(kept / "tmp").mkdir()
(kept / "tmp" / "token").write_text("secret")
remove_folder(gone)
print(kept, gone, flush=True)
gone.mkdir()  # somebody else's by now
{end}
"""


@pytest.mark.parametrize(
    "end",
    ["os.kill(os.getpid(), signal.SIGKILL)", "os.kill(os.getpid(), signal.SIGHUP)", "os._exit(0)", "raise SystemExit"],
)
def test_what_was_made_goes_and_nothing_else(tmp_path: Path, end: str) -> None:
    source = HARNESS.format(end=end)
    done = subprocess.run(
        [sys.executable, "-c", source], env={"TMPDIR": str(tmp_path)}, capture_output=True, text=True, timeout=DEADLINE
    )
    kept, gone = map(Path, done.stdout.split())
    assert kept.parent == gone.parent == tmp_path, done.stderr
    until = time.monotonic() + DEADLINE
    while kept.exists():  # another process removes it: there is nothing to be told by
        assert time.monotonic() < until, f"{kept} stays after {signal.Signals(-done.returncode).name}"
        time.sleep(0.02)
    assert gone.exists()
