"""The examples' reading of a ticket: what is no time is no reason to die, nor to wait for ever (MSG-030's kind)."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

EXAMPLES = Path(__file__).parents[2] / "examples"
USUAL = 10.0  # seconds, where a ticket does not say how long
TIMES = [(3, 3.0), (0, 0.0), (2.5, 2.5), (75, 75.0)]
NO_TIMES = [None, "3", "abc", [3], {}, True, -1, 1e12]

PYTHON = "import json, sys, outbox; print(json.dumps([outbox.penalty_in({'p-time': x}) for x in json.load(sys.stdin)]))"
NODE = """
import { readFileSync } from "node:fs";
const { penaltyIn } = await import(process.argv[1]);
console.log(JSON.stringify(JSON.parse(readFileSync(0)).map((x) => penaltyIn({ "p-time": x }) / 1000)));
"""
READERS = {
    "python": ((sys.executable, "-c", PYTHON), EXAMPLES / "python"),
    "node": (("node", "--input-type=module", "-e", NODE, str(EXAMPLES / "node" / "outbox.mjs")), EXAMPLES / "node"),
}


@pytest.mark.parametrize("example", READERS)
def test_a_penalty_lasts_as_long_as_its_ticket_says_and_ten_seconds_where_it_says_no_time(example: str) -> None:
    command, folder = READERS[example]
    if shutil.which(command[0]) is None:
        pytest.skip(f"no {command[0]} here")
    asked = [time for time, _ in TIMES] + NO_TIMES
    told = subprocess.run(command, cwd=folder, input=json.dumps(asked), capture_output=True, text=True, timeout=50)
    assert told.returncode == 0, told.stderr
    assert json.loads(told.stdout) == [seconds for _, seconds in TIMES] + [USUAL] * len(NO_TIMES)
