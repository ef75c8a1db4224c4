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
from brokercert.seal import broken_seal, chain_of
from brokercert.verdict import RunRecord, decode_run
from brokercert_reports.console import render_console
from brokercert_reports.seal import seal_of
from brokercert_reports.write import write_reports
from rich.console import Console


def brokercert(*words: str) -> str:
    done = subprocess.run([sys.executable, "-m", "brokercert", *words], capture_output=True, text=True, check=False)
    assert done.returncode in (0, 4), done.stderr
    return done.stdout


def told(console: str, what: str = "Seal") -> str:
    (line,) = (line for line in console.splitlines() if line.startswith(f"{what}: "))
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


def test_every_report_tells_both_and_judge_makes_the_chain_again(played: tuple[Path, str], tmp_path: Path) -> None:
    folder, console = played
    seal, chain, run = told(console), told(console, "Chain"), record_in(folder)
    assert len(seal) == len(chain) == 64 and (seal, chain) == (run.seal, run.chain)
    for file in ("report.html", "TEST-tradovate-stage2.xml", "summary.md"):
        text = (folder / file).read_text("utf-8")
        assert text.count(seal) == text.count(chain) == 1, file
    judged = brokercert("judge", str(folder))
    assert told(judged, "Chain") == chain and f"Its seal is {seal}." in " ".join(judged.split())
    (tmp_path / "alone").mkdir()
    for trace in (folder / "traces").iterdir():
        (tmp_path / "alone" / trace.name).write_bytes(trace.read_bytes())
    alone = brokercert("judge", str(tmp_path / "alone"))
    assert told(alone, "Chain") == chain and seal not in alone, "without run.json too"


def test_anybody_can_make_the_seal_again_without_brokercert(played: tuple[Path, str]) -> None:
    """By the recipe of docs/reports.md."""
    script = """sed 's/^ "seal": "[0-9a-f]*"/ "seal": ""/' run.json | sha256sum"""
    done = subprocess.run(["sh", "-c", script], cwd=played[0], capture_output=True, text=True, check=True)
    assert done.stdout.split()[0] == told(played[1])


def test_another_byte_another_name_or_another_set_is_another_chain_and_seal(played: tuple[Path, str]) -> None:
    run = msgspec.structs.replace(record_in(played[0]), seal="")
    first, *rest = (one for one in run.scenarios if one.sha256)
    assert rest
    runs = [
        run,
        msgspec.structs.replace(run, scenarios=tuple(rest)),
        msgspec.structs.replace(run, set_hash="another"),
        *(
            msgspec.structs.replace(run, scenarios=(msgspec.structs.replace(first, **changed), *rest))
            for changed in ({"sha256": "f" * 64}, {"name": "another"}, {"play": 2})
        ),
    ]
    assert len({chain_of(one) for one in runs}) == len({seal_of(one) for one in runs}) == 6
    assert chain_of(msgspec.structs.replace(run, scenarios=tuple(reversed(run.scenarios)))) == chain_of(run)
    assert chain_of(msgspec.structs.replace(run, scenarios=())) == ""


def test_every_byte_of_the_record_is_sealed(played: tuple[Path, str]) -> None:
    """One bit of each kind of place; where the record can still be read, its seal is broken."""
    folder, _ = played
    data = (folder / "run.json").read_bytes()
    assert broken_seal(decode_run(data), data) == ""
    readable = 0
    for at in range(0, len(data), 97):
        changed = data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]
        try:
            run = decode_run(changed)
        except (msgspec.DecodeError, UnicodeDecodeError):
            continue
        readable += 1
        assert broken_seal(run, changed), (at, changed[at - 20 : at + 20])
    assert readable > 100


def test_report_keeps_the_record_that_it_was_given(played: tuple[Path, str], tmp_path: Path) -> None:
    """Its seal is of those bytes, whatever fields a later version writes."""
    folder, console = played
    shown = brokercert("report", str(folder), "--out", str(tmp_path))
    assert told(shown) == told(console)
    assert (tmp_path / "run.json").read_bytes() == (folder / "run.json").read_bytes()
