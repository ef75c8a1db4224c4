"""What is longer than a build may take. The last result of each section is kept in `.ci/nightly.json`.

    python3 dev.py nightly [SECTION...]     all sections, one after the other, or these
    python3 dev.py nightly --show           the last results

Exit status 0: every section that was run passed. What a section prints is shown; its last line is kept.
"""

from __future__ import annotations

import argparse
import datetime
import json
import subprocess
import sys
import time
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
KEPT = ROOT / ".ci" / "nightly.json"
BROKERCERT = (sys.executable, "-m", "brokercert")
DEV = (sys.executable, str(ROOT / "dev.py"))

SECTIONS: dict[str, tuple[str, ...]] = {
    "chaos": (*DEV, "chaos", "--runs", "20"),
    "chaos-wrong": (*DEV, "chaos", "--wrong"),
    "edits": (*DEV, "edits"),
    "simulate": (*BROKERCERT, "simulate", "--seeds", "1000", "--client", "reference"),
    "repeat": (*DEV, "repeat", "--idle", "3", "--busy", "3"),
    "chains": (
        "env",
        "CHAINS=1000",
        sys.executable,
        "-m",
        "pytest",
        "-q",
        "tests/toxiproxy/test_against_the_real_one.py",
    ),
    "fuzz": (*DEV, "fuzz", "--time", "1800"),
}


def commit() -> str:
    """The commit that is checked out; with a plus where files differ from it."""

    def git(*words: str) -> str:
        done = subprocess.run(["git", *words], cwd=ROOT, capture_output=True, text=True)
        return done.stdout.strip() if done.returncode == 0 else ""

    changed = [line for line in git("status", "--porcelain").splitlines() if not line.endswith(KEPT.name)]
    return git("rev-parse", "--short", "HEAD") + ("+" if changed else "")


def run(section: str) -> dict[str, object]:
    """Run a section, showing what it prints."""
    began, of = time.monotonic(), commit()
    last = ""
    with subprocess.Popen(
        SECTIONS[section], cwd=ROOT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True, errors="replace"
    ) as process:
        assert process.stdout is not None
        for line in process.stdout:
            print(line, end="", flush=True)
            last = line.strip() or last
    return {
        "commit": of,
        "ended": datetime.datetime.now(datetime.UTC).isoformat(timespec="seconds"),
        "seconds": round(time.monotonic() - began),
        "status": process.returncode,
        "last line": last,
    }


def kept() -> dict[str, dict[str, object]]:
    found: dict[str, dict[str, object]] = json.loads(KEPT.read_text("utf-8")) if KEPT.exists() else {}
    return found


def show() -> None:
    results = kept()
    for section in SECTIONS:
        one = results.get(section)
        if one is None:
            print(f"{section}: never run")
        else:
            said = f"exit {one['status']} after {one['seconds']} s, {one['ended']}, commit {one['commit']}"
            print(f"{section}: {said}: {one['last line']}")


def main(arguments: list[str]) -> int:
    parser = argparse.ArgumentParser(
        prog="dev.py nightly", description=__doc__, formatter_class=argparse.RawTextHelpFormatter
    )
    parser.add_argument("sections", nargs="*", metavar="SECTION", help=", ".join(SECTIONS))
    parser.add_argument("--show", action="store_true", help="the last results")
    options = parser.parse_args(arguments)
    for name in options.sections:
        if name not in SECTIONS:
            parser.error(f"{name}: expected one of {', '.join(SECTIONS)}")
    if options.show:
        show()
        return 0
    bad = False
    for name in options.sections or SECTIONS:
        print(f"=== {name}", flush=True)
        result = run(name)
        bad |= result["status"] != 0
        KEPT.write_text(json.dumps({**kept(), name: result}, indent=1) + "\n", "utf-8")
    show()
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
