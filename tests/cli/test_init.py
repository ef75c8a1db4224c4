"""`brokercert init`: what it guesses of a folder, what it writes, what it asks, and the first look at real clients."""

from __future__ import annotations

import json
import os
import shutil
import subprocess
import sys
import tomllib
from pathlib import Path
from tempfile import TemporaryDirectory

import brokercert.cli
import click
import fastjsonschema
import pytest
from brokercert.engine.ask.config import load_config
from brokercert.engine.ask.options import client_asked
from brokercert.engine.ask.schema import config_schema
from brokercert.engine.client.placeholders import PLACEHOLDERS, fill, literal, refuse_unknown
from brokercert.engine.client.subject import SubjectSpec
from brokercert.engine.errors import UsageError
from brokercert.engine.init.detect import detect, variables
from brokercert.engine.init.write import Answers, config_text, driver_of, one_line
from brokercert.requirements import load_set
from brokercert.sets import own_sets
from brokercert.verdict import ExitCode
from hypothesis import example, given, settings
from hypothesis import strategies as st

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


SAID = st.text(st.characters(exclude_categories=["Cs"]) | st.sampled_from("\"\\'{}%#$\n\r\t\x7f\u2028"), max_size=12)
GIVABLE = SAID.filter(lambda text: bool(text) and "\0" not in text)


@settings(deadline=None)
@given(
    name=SAID,
    command=st.lists(GIVABLE, min_size=1, max_size=4),
    env=st.dictionaries(GIVABLE.filter(lambda name: "=" not in name), st.sampled_from(["url", "token"]), max_size=3),
)
@example(name="\U0001f600", command=["\U0001f600.py", '"""', "a\\u0041"], env={"MY URL": "url", "a.b": "token"})
def test_whatever_a_client_is_called_it_is_read_back_as_it_was(
    name: str, command: list[str], env: dict[str, str]
) -> None:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "brokercert.toml"
        path.write_text(config_text(Answers(name, tuple(command), "", env), load_set("tradovate-stage2")), "utf-8")
        config = load_config(path, environ={})
    assert config.command == tuple(command) and config.name == one_line(name)
    assert config.env == {variable: f"{{{placeholder}}}" for variable, placeholder in env.items()}


@given(GIVABLE)
def test_a_name_without_control_characters_stays_as_it_is(name: str) -> None:
    told = one_line(name)
    assert told == (name if name.isprintable() and " ".join(name.split()) == name else told)
    assert told.isprintable() and told.strip() == told != ""


PIECES = st.lists(st.sampled_from(["{url}", "{nobody}", "{", "}", "$", "a", "_", "{{url}}"]) | st.text(max_size=2))


@given(PIECES.map("".join))
def test_a_file_whose_name_has_braces_is_no_placeholder(name: str) -> None:
    filled = {f"BROKERCERT_{one.upper()}": "FILLED" for one in PLACEHOLDERS}
    assert fill(literal(name), filled) == name
    refuse_unknown(SubjectSpec("x", command=(literal(name),)), "subject.env")


@pytest.mark.parametrize(
    "name", ["a \"b\" 'c'", "100%s {url} {nobody} {{url}}", "\u00e9\U0001f600", "a\\u0041 #x", "$HOME `x`"]
)
def test_a_folder_and_a_script_of_any_name_are_started(
    folder: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    place = folder / name
    place.mkdir()
    script = f"{name}.py"
    (place / script).write_text("import sys; sys.exit(len(sys.argv) + 2)")
    (place / "package.json").write_text(json.dumps({"bin": script}))
    (place / "node").write_text(f'#!/bin/sh\nexec {sys.executable} -S "$@"\n')
    (place / "node").chmod(0o755)
    monkeypatch.setenv("PATH", f"{place}:/usr/bin:/bin")
    monkeypatch.chdir(place)
    assert run() == ExitCode.INCOMPLETE
    out = capfd.readouterr().out
    assert "it left by itself" in out and "exit 3" in out, out
    config = load_config(place / "brokercert.toml", environ={})
    assert config.name == name and config.command == ("node", literal(script))


def test_a_folder_whose_name_is_no_utf8_has_a_name_that_can_be_printed(
    folder: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    place = folder / os.fsdecode(b"a\xffb")
    place.mkdir()
    monkeypatch.chdir(place)
    assert run("--start", "sh -c 'exit 3'") == ExitCode.INCOMPLETE
    assert "What a b did:" in capfd.readouterr().out and load_config(environ={}).name == "a b"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (("--start", "sh ''"), "how the client is started: word 2 is empty"),
        (("--start", "sh '"), "--start: No closing quotation"),
        (("--start", "sh", "--url-variable", "A=B"), "--url-variable 'A=B': no variable is called so"),
        (("--start", "sh", "--url-variable", ""), "--url-variable '': no variable is called so"),
        (
            ("--start", "sh", "--url-variable", "A", "--token-variable", "A"),
            "A: the variable of the address and of the",
        ),
        (("--library", "my lib"), "the library 'my lib': Python can import nothing of this name"),
        (("--library", "a.class"), "the library 'a.class': Python can import nothing of this name"),
        (("--start", "sh x" + os.fsdecode(b"\xff")), "is no UTF-8, as a TOML file must be"),
    ],
)
def test_what_cannot_be_written_down_is_refused_before_anything_is_written(
    folder: Path, capfd: pytest.CaptureFixture[str], words: tuple[str, ...], said: str
) -> None:
    assert run(*words) == ExitCode.USAGE
    err = capfd.readouterr().err
    assert said in err and err.startswith("brokercert: ") and err.count("\n") == 1
    assert [one.name for one in folder.iterdir()] == [".git"]


def test_a_folder_that_cannot_be_written_to_is_wrong_use(
    folder: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir("/proc/self")  # root may write nearly everywhere else
    assert run("--start", "sh") == ExitCode.USAGE
    assert "brokercert init: nothing can be written to /proc/" in capfd.readouterr().err


@pytest.mark.parametrize("kind", ["a folder", "a link to nothing", "a file"])
@pytest.mark.parametrize("name", ["brokercert.toml", "brokercert_driver.py"])
def test_what_is_called_so_is_left_as_it_is(
    folder: Path, capfd: pytest.CaptureFixture[str], kind: str, name: str
) -> None:
    place = folder / name
    place.mkdir() if kind == "a folder" else place.symlink_to("no") if "link" in kind else place.write_text("x")
    assert run("--library", "acme") == ExitCode.USAGE
    assert f"{name} is there, and is left as it is; --force replaces it" in capfd.readouterr().err
    assert len(list(folder.iterdir())) == 2 and os.path.lexists(place)
    assert run("--library", "acme", "--force") == (ExitCode.USAGE if kind == "a folder" else ExitCode.INCOMPLETE)
    if kind == "a folder":
        assert f"{name} cannot be written: Is a directory" in capfd.readouterr().err


@pytest.mark.parametrize("line", ["'' = 'x'", "'A=B' = 'x'", 'A = "x\\u0000"', '"A\\u0000" = "x"'])
def test_a_variable_that_no_program_can_be_given_is_refused(tmp_path: Path, line: str) -> None:
    path = tmp_path / "brokercert.toml"
    path.write_text(f"[subject]\ncommand = ['sh']\n[subject.env]\n{line}\n")
    with pytest.raises(UsageError, match=r"subject\.env\..*: no program can be given such a variable"):
        load_config(path, environ={})
    path.write_text('[subject]\ncommand = ["sh", "a\\u0000"]\n')
    with pytest.raises(UsageError, match=r"subject\.command = .*; expected words without NUL bytes"):
        load_config(path, environ={})


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
