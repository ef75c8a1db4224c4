"""`brokercert init`: what it guesses of a folder, what it writes, what it asks, and the first look at real clients."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path

import brokercert.cli
import click
import fastjsonschema
import pytest
from brokercert.engine.ask.config import load_config
from brokercert.engine.ask.options import client_asked
from brokercert.engine.ask.schema import config_schema
from brokercert.engine.init.detect import detect, variables
from brokercert.engine.init.write import Answers, config_text, driver_of
from brokercert.requirements import load_set
from brokercert.sets import own_sets
from brokercert.verdict import ExitCode

VALID = fastjsonschema.compile(config_schema())
CARGO = '[package]\nname = "bot"\n'

Files = dict[str, str]


def put(folder: Path, files: Files) -> Path:
    for name, text in files.items():
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        (folder / name).write_text(text)
    return folder


@pytest.mark.parametrize(
    ("files", "language", "command", "library"),
    [
        ({"package.json": '{"name": "bot", "scripts": {"start": "node x.js"}}'}, "Node", "npm start --silent", ""),
        ({"package.json": '{"name": "bot", "bin": {"bot": "cli.js"}}'}, "Node", "node cli.js", ""),
        ({"package.json": '{"name": "bot", "bin": "cli.js"}'}, "Node", "node cli.js", ""),
        ({"package.json": '{"name": "bot"}', "client.mjs": ""}, "Node", "node client.mjs", ""),
        ({"package.json": '{"name": "@a/sdk", "exports": "./index.js"}', "index.js": ""}, "Node", "", "@a/sdk"),
        ({"package.json": "{"}, "Node", "", None),
        ({"package.json": "[]"}, "Node", "", None),
        ({"pyproject.toml": '[project]\nname = "bot"\nscripts.bot = "bot:main"\n'}, "Python", "bot", ""),
        ({"pyproject.toml": '[project]\nname = "a-b"\n', "src/a_b/__main__.py": ""}, "Python", "python3 -m a_b", ""),
        ({"pyproject.toml": '[project]\nname = "a-b"\n', "bot.py": ""}, "Python", "python3 bot.py", ""),
        ({"pyproject.toml": '[project]\nname = "a-b"\n'}, "Python", "", "a_b"),
        ({"pyproject.toml": "nonsense"}, "Python", "", None),
        ({"client.py": ""}, "Python", "python3 client.py", ""),
        ({"go.mod": "module example.com/x/bot\n", "main.go": ""}, "Go", "go run .", ""),
        ({"go.mod": "module example.com/x/bot\n", "cmd/run/main.go": ""}, "Go", "go run ./cmd/run", ""),
        ({"go.mod": "module example.com/x/bot\n"}, "Go", "", "example.com/x/bot"),
        ({"Cargo.toml": CARGO, "src/main.rs": ""}, "Rust", "cargo run --release --quiet", ""),
        ({"Cargo.toml": CARGO, "src/lib.rs": ""}, "Rust", "", "bot"),
        ({"pom.xml": "<project/>"}, "Java", "mvn -q compile exec:java", ""),
        ({"Bot.csproj": "<Project/>"}, "C#", "dotnet run", ""),
        ({"readme.txt": ""}, "", "", ""),
    ],
)
def test_a_folder_is_recognised(tmp_path: Path, files: Files, language: str, command: str, library: str | None) -> None:
    """`library` None: it has the folder's name."""
    found = detect(put(tmp_path, files))
    assert (found.language, " ".join(found.command)) == (language, command)
    assert found.library == (tmp_path.name if library is None else library)


def test_the_variables_that_its_code_reads_are_guessed(tmp_path: Path) -> None:
    sources = {
        "a.mjs": "const url = process.env.TRADOVATE_WS_URL, t = process.env['TRADOVATE_ACCESS_TOKEN'];",
        "b.py": 'os.environ["API_BASE_URL"]; os.environ.get("MD_TOKEN"); os.getenv("LOG_LEVEL"); os.getenv("CID")',
        "c.go": 'os.Getenv("BROKER_PASSWORD"); os.LookupEnv("MD_WS_URL")',
        "d.rs": 'env::var("DEVICE_ID")',
        "e.cs": 'Environment.GetEnvironmentVariable("APP_USERNAME")',
        "node_modules/x/f.js": "process.env.OTHER_TOKEN",
        "g.py": 'os.environ["BROKERCERT_URL"]',
        "h.txt": 'os.environ["SOME_TOKEN"]',
    }
    assert variables(put(tmp_path, sources)) == {
        "API_BASE_URL": "rest_url",
        "APP_USERNAME": "user",
        "BROKER_PASSWORD": "password",
        "CID": "cid",
        "DEVICE_ID": "device_id",
        "MD_TOKEN": "md_token",
        "MD_WS_URL": "md_url",
        "TRADOVATE_ACCESS_TOKEN": "token",
        "TRADOVATE_WS_URL": "url",
    }


@pytest.mark.parametrize("set_id", own_sets())
@pytest.mark.parametrize("language", ["Python", "Node", "Go", "Rust", ""])
@pytest.mark.parametrize("env", [{}, {"WS": "url", "T": "token", "CID": "cid", "S": "session"}])
def test_what_is_written_is_read_by_the_reader_and_valid_by_the_schema(
    tmp_path: Path, set_id: str, language: str, env: dict[str, str]
) -> None:
    rows = load_set(set_id)
    path = tmp_path / "brokercert.toml"
    path.write_text(config_text(Answers('a "b" \\ é', ("sh", "-c", 'x "y"'), language, env), rows))
    config = load_config(path, environ={})
    spec = client_asked(config, rows)
    assert (spec.name, spec.command, config.set_id) == ('a "b" \\ é', ("sh", "-c", 'x "y"'), rows.name)
    assert set(spec.env) == {name for name, one in env.items() if one in ("url", *rows.placeholders)}
    VALID(tomllib.loads(path.read_text()))


def test_a_driver_is_some_twenty_lines_and_there_is_none_for_other_languages() -> None:
    for language in ("Python", "Node"):
        driver = driver_of(language, "acme")
        assert driver is not None and "acme" in driver[1] and "@" not in driver[1] and driver[1].count("\n") <= 22
    assert driver_of("Go", "acme") is None


# At the door.


def run(*words: str) -> int:
    return brokercert.cli.main(["init", "--yes", *words])


def test_a_program_is_written_down_started_and_told_in_words(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    put(folder, {"pyproject.toml": '[project]\nname = "mine"\n', "a.py": 'import os; os.environ["MY_WS_URL"]'})
    command = f"{sys.executable} -P -m brokercert.reference.tradovate"
    assert run("--start", command, "--token-variable", "MY_TOKEN") == 0
    out = capfd.readouterr().out
    assert f"In {folder}: a client in Python (pyproject.toml).\nWrote {folder}/brokercert.toml." in out
    assert "What mine did:\n  - it connected to 127.0.0.1:" in out
    assert out.splitlines()[-1].startswith("Next: brokercert certify ")
    config = load_config(folder / "brokercert.toml", environ={})
    assert dict(config.env) == {"MY_WS_URL": "{url}", "MY_TOKEN": "{token}"} and config.part == "core"
    before = (folder / "brokercert.toml").read_text()
    assert run("--start", "sh") == ExitCode.USAGE
    assert "brokercert.toml is there, and is left as it is; --force replaces it" in capfd.readouterr().err
    assert (folder / "brokercert.toml").read_text() == before
    assert run("--start", "sh -c 'exit 3'", "--force") == ExitCode.INCOMPLETE
    assert "it left by itself" in capfd.readouterr().out


def test_what_it_cannot_find_is_asked_for_in_a_sentence(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    assert run() == ExitCode.USAGE
    out, err = capfd.readouterr()
    assert f"In {folder}: no project that I know." in out
    assert err == (
        "brokercert: how the client is started was not found here; name it as in --start 'node client.mjs'\n"
    )
    put(folder, {"go.mod": "module example.com/x/sdk\n"})
    assert run() == ExitCode.USAGE
    assert "example.com/x/sdk is a library in Go, and I write drivers in Python and Node only" in capfd.readouterr().err
    assert not (folder / "brokercert.toml").exists()
    assert run("--start", "no-such-program") == ExitCode.USAGE
    assert "'no-such-program' was not found on PATH" in capfd.readouterr().err
    assert run("--set", "tradovate", "--start", "sh") == ExitCode.USAGE


def test_it_asks_five_questions_at_most(folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    asked: list[tuple[str, str]] = []

    def prompt(question: str, default: str) -> str:
        asked.append((question, default))
        return default

    put(folder, {"package.json": '{"name": "bot", "bin": "no.js"}', "a.js": "process.env.BROKER_WS_URL"})
    monkeypatch.setattr(click, "prompt", prompt)
    monkeypatch.setattr(sys.stdin, "isatty", lambda: True)
    brokercert.cli.main(["init"])
    assert asked == [
        ("Requirement set", "tradovate-stage2"),
        ("How it is started", "node no.js"),
        ("Variable with the WebSocket address", "BROKER_WS_URL"),
        ("Variable with the access token", "BROKERCERT_TOKEN"),
    ]


PYTHON_LIBRARY = """
import asyncio, websockets

class Client:
    def __init__(self, url, token):
        self.url, self.token = url, token

    async def connect(self):
        self.ws = await websockets.connect(self.url)
        async def read():
            async for message in self.ws:
                if message == "o":
                    await self.ws.send(f"authorize\\n1\\n\\n{self.token}")
        self.reading = asyncio.create_task(read())

    async def close(self):
        await self.ws.close()
"""


def test_a_library_in_python_gets_a_driver_that_runs(
    folder: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("PATH", f"{Path(sys.executable).parent}:/usr/bin:/bin")
    put(folder, {"pyproject.toml": '[project]\nname = "acme-sdk"\n', "acme_sdk.py": "class Session: pass\n"})
    assert run() == ExitCode.INCOMPLETE
    out = capfd.readouterr().out
    assert "Wrote brokercert_driver.py, which starts the library acme_sdk: correct its three marked lines." in out
    assert "has no attribute 'Client'" in out, "the first look shows what is to be corrected"
    put(folder, {"acme_sdk.py": PYTHON_LIBRARY})
    assert run("--force") == 0
    out = capfd.readouterr().out
    assert "it sent authorize with an access token («access-token#1»): answered with success" in out
    assert "it sent no user/syncrequest" in out and "it sent a close frame (1000) and left" in out


NODE_LIBRARY = """
export class Client {
  constructor(url, token) { Object.assign(this, { url, token }); }
  connect() {
    this.ws = new WebSocket(this.url);
    this.ws.onmessage = ({ data }) => data === "o" && this.ws.send(`authorize\\n1\\n\\n${this.token}`);
    return new Promise((resolve) => (this.ws.onopen = resolve));
  }
  close() {
    this.ws.close(1000);
    return new Promise((resolve) => (this.ws.onclose = resolve));
  }
}
"""


def has_websockets_in_node() -> bool:
    if shutil.which("node") is None:
        return False
    words = ["node", "--experimental-websocket", "-e", "new WebSocket('ws://127.0.0.1:9').onerror = () => {}"]
    return subprocess.run(words, capture_output=True, timeout=30, check=False).returncode == 0


@pytest.mark.skipif(not has_websockets_in_node(), reason="needs Node with a WebSocket of its own (20.10 or newer)")
def test_a_library_in_node_gets_a_driver_that_runs(
    folder: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("NODE_OPTIONS", "--experimental-websocket --no-warnings")
    package = json.dumps({"name": "acme", "type": "module", "exports": "./index.js"})
    put(folder, {"package.json": package, "index.js": NODE_LIBRARY})  # a package may import itself by its name
    assert run() == 0
    out = capfd.readouterr().out
    assert "Wrote brokercert_driver.mjs, which starts the library acme: correct its three marked lines." in out
    assert "it sent authorize with an access token («access-token#1»): answered with success" in out
    assert "asked to leave by SIGTERM, it sent a close frame (1000) and left" in out


def test_a_library_that_is_named_gets_a_driver_too(folder: Path, capfd: pytest.CaptureFixture[str]) -> None:
    put(folder, {"client.py": ""})
    assert run("--library", "acme") == ExitCode.INCOMPLETE
    assert "which starts the library acme" in capfd.readouterr().out
    assert "import acme as library" in (folder / "brokercert_driver.py").read_text()
