"""One word for all traces of a run: the same for the same files, another one where a byte of one of them changed."""

from __future__ import annotations

import subprocess
import sys
from io import StringIO
from pathlib import Path

import msgspec
import pytest
from brokercert.engine.client.subject import SubjectSpec
from brokercert.engine.run.run import Quiet, RunRequest, run_certification
from brokercert.reference.tradovate.client import ReferenceClient
from brokercert.verdict import RunRecord
from brokercert_reports.console import render_console
from brokercert_reports.seal import seal_of
from brokercert_reports.write import write_reports
from rich.console import Console


def brokercert(*words: str) -> str:
    done = subprocess.run([sys.executable, "-m", "brokercert", *words], capture_output=True, text=True, check=False)
    assert done.returncode in (0, 4), done.stderr
    return done.stdout


def told(console: str) -> str:
    (line,) = (line for line in console.splitlines() if line.startswith("Seal: "))
    return line.split(": ")[1]


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, str]:
    """A run's folder, and what its console told."""
    out = tmp_path_factory.mktemp("sealed")
    spec = SubjectSpec("reference", factory=lambda env, output: ReferenceClient(env, output), level="in process")
    asked = RunRequest("tradovate-stage2", spec, tier="virtual", scenarios=("steady", "loss-fin"), out=out)
    run = run_certification(asked, Quiet())
    folder = out / run.run_id
    write_reports(run, folder)
    shown = StringIO()
    render_console(run, Console(file=shown, width=80))
    return folder, shown.getvalue()


def record_in(folder: Path) -> RunRecord:
    return msgspec.json.decode((folder / "run.json").read_bytes(), type=RunRecord)


def test_every_report_tells_it_and_judge_makes_it_again(played: tuple[Path, str], tmp_path: Path) -> None:
    folder, console = played
    seal = told(console)
    assert len(seal) == 64 and seal == seal_of(record_in(folder))
    for file in ("report.html", "TEST-tradovate-stage2.xml", "summary.md"):
        assert (folder / file).read_text("utf-8").count(seal) == 1, file
    assert told(brokercert("judge", str(folder))) == seal
    (tmp_path / "alone").mkdir()
    for trace in (folder / "traces").iterdir():
        (tmp_path / "alone" / trace.name).write_bytes(trace.read_bytes())
    assert told(brokercert("judge", str(tmp_path / "alone"))) == seal, "without run.json too"


def test_another_byte_another_name_or_another_set_is_another_seal(played: tuple[Path, str]) -> None:
    run = record_in(played[0])
    first, *rest = (one for one in run.scenarios if one.sha256)
    assert rest
    seals = {
        seal_of(run),
        seal_of(msgspec.structs.replace(run, scenarios=tuple(rest))),
        seal_of(msgspec.structs.replace(run, set_hash="another")),
        *(
            seal_of(msgspec.structs.replace(run, scenarios=(msgspec.structs.replace(first, **changed), *rest)))
            for changed in ({"sha256": "f" * 64}, {"name": "another"}, {"play": 2})
        ),
    }
    assert len(seals) == 6
    assert seal_of(msgspec.structs.replace(run, scenarios=tuple(reversed(run.scenarios)))) == seal_of(run)
    assert seal_of(msgspec.structs.replace(run, scenarios=())) == ""
