"""When watching ended is decided in one place, `judge/watching.py`: no check decides it for itself."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
JUDGE = ROOT / "harness" / "brokercert" / "judge"
CHECKS = [*(path for part in ("tradovate", "arrow", "buffering") for path in (JUDGE / part).rglob("*.py"))]
CHECKS += (ROOT / "examples" / "ferry-broker" / "ferry_broker" / "judge").rglob("*.py")
OWN = re.compile(r"\.exited\b|\.died\(\)|\bleft_by\b")


def test_no_check_looks_for_itself_whether_the_client_ended() -> None:
    """`bench.owed`, `bench.barred`, `bench.ending` and `bench.death` say it, with one meaning."""
    assert len(CHECKS) > 80
    assert OWN.search("if bench.talk.exited is None:") and OWN.search("bench.talk.died() is not None")
    wrong = [
        f"{path.relative_to(ROOT)}:{number}: {line.strip()}"
        for path in CHECKS
        for number, line in enumerate(path.read_text("utf-8").splitlines(), 1)
        if OWN.search(line)
    ]
    assert not wrong, "use bench.owed, bench.barred, bench.ending or bench.death"


SUBTRACTED = re.compile(r"bench\.end\s*-|-\s*bench\.end\b")


def test_no_check_counts_the_time_after_the_client_ended_or_was_asked_to_stop() -> None:
    """It owes until `bench.owed_until`, and is watched until `bench.seen`. Only a log-off is what follows."""
    assert SUBTRACTED.search("watched = bench.end - since")
    wrong = [
        path.relative_to(ROOT).as_posix()
        for path in CHECKS
        if "examples" not in path.parts and path.parent.name != "log_off" and SUBTRACTED.search(path.read_text("utf-8"))
    ]
    assert not wrong, "use bench.owed, bench.barred, bench.owed_until or bench.seen"
