"""Coverage-guided fuzzing of brokercert's own parsers with atheris: bytes that reach new code are kept, and bent on.

    python3 dev.py fuzz [--time N] [TARGET...]      60 s each; all targets of `brokercert fuzz --target list`

The seeds are what the structure-aware generator draws: from random bytes alone no frame would ever be JSON. What a
target lets out ends its run, and the input is saved by libFuzzer as `crash-...` in out/guided/TARGET.
"""

from __future__ import annotations

import argparse
import asyncio
import subprocess
import sys
from pathlib import Path
from random import Random

import atheris

with atheris.instrument_imports(include=["brokercert", "brokercert_mock", "json", "tomllib", "h11"]):
    from brokercert.fuzz.targets import known_targets
    from brokercert.hostile import Hostile

    known_targets()  # they import what they feed: only what is imported in here is watched

SEEDS = 200  # inputs of the first corpus
OUT = Path("out") / "guided"


def guide(name: str, seconds: int) -> None:
    """One target, in this process: libFuzzer ends it."""
    target = known_targets()[name]
    corpus = OUT / name
    corpus.mkdir(parents=True, exist_ok=True)
    for number in range(SEEDS):
        drawn = target.draw(Random(number), None)
        (corpus / f"seed-{number}").write_bytes(drawn.wire or drawn.text.encode("utf-8", "surrogatepass"))
    loop = asyncio.new_event_loop()
    fed = loop.run_until_complete(target.start())
    binary = any(target.draw(Random(number), None).wire for number in range(SEEDS))

    def one(data: bytes) -> None:
        text = "" if binary else data.decode("utf-8", "replace")
        if not data:
            return
        waiting = fed.feed(Hostile("json", "guided", text, data if binary else b""))
        if waiting is not None:
            loop.run_until_complete(waiting)

    atheris.Setup(
        [sys.argv[0], str(corpus), f"-max_total_time={seconds}", f"-artifact_prefix={corpus}/", "-timeout=10"], one
    )
    atheris.Fuzz()


def main() -> int:
    parser = argparse.ArgumentParser(prog="dev.py fuzz", description=__doc__)
    parser.add_argument("--time", type=int, default=60, metavar="N", help="seconds for each target (60)")
    parser.add_argument("--one", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("targets", nargs="*", metavar="TARGET")
    options = parser.parse_args()
    names = options.targets or list(known_targets())
    for name in names:
        if name not in known_targets():
            parser.error(f"no target {name!r}; known: {', '.join(known_targets())}")
    if options.one:
        guide(names[0], options.time)
        return 0
    bad = []
    for name in names:  # libFuzzer leaves its process when its time is over
        print(f"{name}: {known_targets()[name].rejected}", flush=True)
        command = [sys.executable, __file__, "--one", "--time", str(options.time), name]
        if subprocess.run(command).returncode:
            bad.append(name)
    print(f"found something in: {', '.join(bad)}; see {OUT}" if bad else "nothing found")
    return 1 if bad else 0


if __name__ == "__main__":
    sys.exit(main())
