"""Pages that are sent away name no folder of the tester's machine; who and what was played stands on them."""

from __future__ import annotations

import json
from pathlib import Path

import forge
import pytest
from brokercert.cli import main
from brokercert.parcel.pack import pack
from brokercert.parcel.sent import sendable
from brokercert.parcel.status import Status
from brokercert.verdict import Build, RunRecord, decode_run
from brokercert_reports.seal import record_bytes
from msgspec import structs

PLAIN = "/home/eve/secret-project"
AGAIN = f"brokercert certify --config {PLAIN}/brokercert.toml -- {PLAIN}/venv/bin/python bot.py"
DIGEST = "5f" * 32


@pytest.fixture
def sent(few: Path, tmp_path: Path) -> Path:
    """A bundle of a run whose record names folders of a machine, and a build of the client."""
    run = decode_run((few / "run.json").read_bytes())
    build = Build(version="1.2.3 (package.json)", commit="3f2a, with changes", files={"bot.py": DIGEST})
    subject = structs.replace(run.subject, command=(f"{PLAIN}/venv/bin/python", "bot.py"), build=build)
    rows = tuple(structs.replace(row, reproduce=AGAIN) for row in run.rows)
    notes = (*run.notes, f"The traces are in {PLAIN}/out/x, and `brokercert judge {PLAIN}/out/x` judges them again.")
    scenarios = tuple(structs.replace(one, output=(f'File "{PLAIN}/bot.py", line 3',)) for one in run.scenarios)
    told = structs.replace(run, subject=subject, rows=rows, reproduce=AGAIN, notes=notes, scenarios=scenarios)
    folder = tmp_path / "run"
    (folder / "traces").mkdir(parents=True)
    for trace in (few / "traces").iterdir():
        (folder / "traces" / trace.name).write_bytes(trace.read_bytes())
    (folder / "run.json").write_bytes(record_bytes(told))
    return pack(folder, tmp_path / "b.zip", None, True)[0]


def test_no_page_names_a_folder(sent: Path) -> None:
    for name, content in forge.unpacked(sent).items():
        if name != "run.json":
            assert b"secret-project" not in content and b"/home/" not in content, name
    page = forge.unpacked(sent)["report.html"].decode()
    assert "brokercert certify --config brokercert.toml -- python bot.py" in page
    assert main(["verify", str(sent)]) == Status.DRAFT, "and the pages follow from the record all the same"


def test_who_and_what_stands_on_them(sent: Path) -> None:
    files = forge.unpacked(sent)
    page = files["report.html"].decode()
    for text in ("version 1.2.3 (package.json)", "commit 3f2a, with changes", f"bot.py sha256 {DIGEST}"):
        assert text in page
    assert "not issued by the broker" in page
    assert "version 1.2.3 (package.json), commit 3f2a" in files["plan.csv"].decode()
    configuration = json.loads(files["statement.json"])["predicate"]["configuration"]
    assert {"name": "bot.py", "digest": {"sha256": DIGEST}} in configuration


@pytest.mark.parametrize(
    "text",
    [
        "brokercert certify --only LOG-010 -- node examples/node/client.mjs",
        "see https://example.com/a/b/c and wss://demo.example.com/v1/websocket",
        "it asked for GET /v1",
        "5 s / 3 s, and/or",
    ],
)
def test_what_is_no_path_from_the_root_stays(few: Path, text: str) -> None:
    run: RunRecord = structs.replace(decode_run((few / "run.json").read_bytes()), reproduce=text, notes=(text,))
    told = sendable(run)
    assert (told.reproduce, told.notes) == (text, (text,))
