"""Pages that are sent away name no folder of the tester's machine; who and what was played stands on them."""

from __future__ import annotations

import json
from pathlib import Path

import forge
import pytest
from brokercert.cli import main
from brokercert.parcel.pack import pack, pages
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


def test_no_log_names_a_folder_that_the_trace_has(few: Path, tmp_path: Path) -> None:
    """What a client sent or printed stands in the trace as it was; the logs are for others."""
    run = decode_run((few / "run.json").read_bytes())
    (tmp_path / "traces").mkdir()
    for trace in (few / "traces").iterdir():
        content = trace.read_bytes().replace(b'"text":"authorize', f'"text":"{PLAIN}/bot.py authorize'.encode())
        (tmp_path / "traces" / trace.name).write_bytes(content)
    log = pages(run, tmp_path, True)["logs/LOG-030.txt"].decode()
    assert " bot.py authorize" in log and "secret-project" not in log and "/home" not in log


def test_who_and_what_stands_on_them(sent: Path) -> None:
    files = forge.unpacked(sent)
    page = files["report.html"].decode()
    for text in ("version 1.2.3 (package.json)", "commit 3f2a, with changes", f"bot.py sha256 {DIGEST}"):
        assert text in page
    assert "not issued by the broker" in page
    assert "version 1.2.3 (package.json), commit 3f2a" in files["plan.csv"].decode()
    configuration = json.loads(files["statement.json"])["predicate"]["configuration"]
    assert {"name": "bot.py", "digest": {"sha256": DIGEST}} in configuration


# What somebody wrote on this machine, and what is shown of it.
SHOWN = {
    "/home/eve/p/bot.py": "bot.py",
    "node /home/eve/p/bot.py": "node bot.py",
    "cc -I/home/eve/p/include x.c": "cc -Iinclude x.c",
    "cc -isystem/opt/eve/include": "cc -isysteminclude",
    "cc -Wl,-rpath,/home/eve/lib": "cc -Wl,-rpath,lib",
    "bot --config=/home/eve/x.toml": "bot --config=x.toml",
    "bot --config=/home/eve": "bot --config=~",
    "bot --config:/home/eve/x": "bot --config:x",
    "PYTHONPATH=/home/eve/x python bot.py": "PYTHONPATH=x python bot.py",
    "PYTHONPATH=/home/eve/a:/home/eve/b:/srv/c/d python": "PYTHONPATH=a:b:d python",
    "java -cp /home/eve/a.jar:/home/eve/b.jar Bot": "java -cp a.jar:b.jar Bot",
    "java -javaagent:/home/eve/a.jar": "java -javaagent:a.jar",
    "curl -d @/home/eve/body.json": "curl -d @body.json",
    "bot file:///home/eve/x": "bot file:x",
    "bot ~/secret/x ~eve/secret/y": "bot x y",
    "bot '/home/eve/My Projects/the bot.py' --fast": "bot 'the bot.py' --fast",
    'bot "/home/eve/My Projects/bot.py"': 'bot "bot.py"',
    "sh -c '/home/eve/a --x /home/eve/b'": "sh -c 'a --x b'",
    "bot [/home/eve/a,/home/eve/b]": "bot [a,b]",
    "bot //home//eve//x": "bot x",
    "bot https://example.com/a?file=/home/eve/x": "bot https://example.com/a?file=x",
    "rsync host:/home/eve/x": "rsync host:x",
    "a</home/eve/in >/home/eve/out": "a<in >out",
}


@pytest.mark.parametrize("text", SHOWN)
def test_a_path_from_the_root_is_its_last_name_wherever_it_begins(few: Path, text: str) -> None:
    run = decode_run((few / "run.json").read_bytes())
    run = structs.replace(run, reproduce=text, notes=(text,))
    told = sendable(run)
    assert (told.reproduce, told.notes) == (SHOWN[text], (SHOWN[text],))
    again = sendable(told)
    assert (again.reproduce, again.notes) == (told.reproduce, told.notes)


@pytest.mark.parametrize("text", SHOWN)
def test_what_a_client_said_names_no_folder_of_a_machine(few: Path, text: str) -> None:
    run = decode_run((few / "run.json").read_bytes())
    scenarios = tuple(structs.replace(one, output=(f"it said: {text}",)) for one in run.scenarios)
    (line,) = {line for one in sendable(structs.replace(run, scenarios=scenarios)).scenarios for line in one.output}
    assert line == f"it said: {SHOWN[text]}"


@pytest.mark.parametrize(
    "word", ["/home/eve/My Projects/bot.py", "-I/home/eve/p", "--config=/home/eve/p", "A=/srv/a/p"]
)
def test_a_word_of_the_command_is_one_path(few: Path, word: str) -> None:
    run = decode_run((few / "run.json").read_bytes())
    (told,) = sendable(structs.replace(run, subject=structs.replace(run.subject, command=(word,)))).subject.command
    assert told in ("bot.py", "-Ip", "--config=p", "A=p")


@pytest.mark.parametrize("text", ["GET /v1/order/placeorder", "POST /private/get_positions/x", "a /users/me/orders"])
def test_what_a_client_asked_for_stays(few: Path, text: str) -> None:
    """An endpoint looks like a path: only those that a machine alone has are none."""
    run = decode_run((few / "run.json").read_bytes())
    scenarios = tuple(structs.replace(one, output=(text,)) for one in run.scenarios)
    assert {line for one in sendable(structs.replace(run, scenarios=scenarios)).scenarios for line in one.output} == {
        text
    }


@pytest.mark.parametrize(
    "text",
    [
        "node {state_dir}/a/b ${HOME}/a/b $HOME/a/b",
        "node @scope/pkg/bin ./a/b ../a/b a-/b/c",
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
