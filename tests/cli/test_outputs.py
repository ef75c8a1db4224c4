"""What cannot be printed changes nothing: full, closed and broken outputs, encodings that lack a character."""

from __future__ import annotations

import ast
import contextlib
import io
import os
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import brokercert.cli
import pytest
from brokercert.cli import outlet
from brokercert.cli.outlet import Outlet, say, steady
from brokercert.cli.progress import LiveProgress, PlainProgress, progress_for
from brokercert.engine.ask.whom import REFERENCE
from hypothesis import given
from hypothesis import strategies as st

PLUGIN = Path(__file__).parents[1] / "plugin"
DEADLINE = 40.0  # seconds; each takes one or two
# The whole program, but for the engine, which answers that LOG-010 failed; a check mark is in what it shows.
PROGRAM = f"""
import sys; sys.path.insert(0, {str(PLUGIN)!r})
from brokercert.engine.run import run; import fake_engine
from brokercert.verdict import Verdict
fake_engine.HOSTILE = "\\u2713 up"
def answer(request, progress):
    progress.planned("mine", ["a"], 95.0)
    return fake_engine.fake_run(request, {{"LOG-010": Verdict.FAIL}})
run.run_certification = answer
sys.argv[1:] = ["certify", "--reference", "--part", "core", "--out", sys.argv[1]]
from brokercert.__main__ import run; run()
"""
SENTENCE = f"{REFERENCE}: failed for part core: LOG-010"


def program(folder: Path, redirections: str, out: str = "out", **environ: str) -> subprocess.CompletedProcess[bytes]:
    return subprocess.run(
        ["sh", "-c", f'exec "$0" -c "$1" "$2" {redirections}', sys.executable, PROGRAM, out],
        cwd=folder,
        env={**os.environ, **environ},
        capture_output=True,
        timeout=DEADLINE,
    )


REDIRECTIONS = ("2>/dev/full", ">/dev/full", "2>&-", ">&-", "<&- >&- 2>&-")


@pytest.mark.parametrize("redirections", REDIRECTIONS)
def test_an_output_that_takes_nothing_changes_neither_status_nor_files(tmp_path: Path, redirections: str) -> None:
    done = program(tmp_path, redirections)
    assert_it_failed_in_full(tmp_path, done)
    if redirections.startswith("2>"):
        assert done.stdout.decode().splitlines()[-1] == SENTENCE


@pytest.mark.parametrize("both", [False, True])
def test_a_reader_that_leaves_changes_neither_status_nor_files(tmp_path: Path, both: bool) -> None:
    read, write = os.pipe()
    os.close(read)
    try:
        done = subprocess.run(
            [sys.executable, "-c", PROGRAM, "out"],
            cwd=tmp_path,
            stdout=write,
            stderr=write if both else subprocess.PIPE,
            timeout=DEADLINE,
        )
    finally:
        os.close(write)
    assert_it_failed_in_full(tmp_path, done)


def assert_it_failed_in_full(folder: Path, done: subprocess.CompletedProcess[bytes]) -> None:
    assert done.returncode == 1, done.stderr
    assert b"Traceback" not in (done.stderr or b"")
    latest = (folder / "out" / "latest").resolve()
    assert latest.parent == folder / "out" and (latest / "run.json").is_file(), "it does not stay with another run"


@pytest.mark.parametrize("encoding", ["ascii:strict", "latin-1"])
def test_an_encoding_that_lacks_a_character_shows_its_escape(tmp_path: Path, encoding: str) -> None:
    done = program(tmp_path, "", "ö", PYTHONIOENCODING=encoding)
    text = done.stdout.decode("latin-1")
    assert done.returncode == 1 and text.splitlines()[-1] == SENTENCE, done.stderr
    assert "\\u2713 up" in text and ("\\xf6/" in text or encoding == "latin-1")
    assert (tmp_path / "ö" / "latest" / "run.json").is_file()


# The streams themselves.


@given(st.text(st.characters()), st.sampled_from(["ascii", "latin-1", "cp1252", "koi8-r", "shift_jis", "utf-8"]))
def test_any_text_is_printed_in_any_encoding(text: str, encoding: str) -> None:
    read, write = os.pipe()
    with open(read, "rb") as reader:
        with open(write, "w", encoding=encoding) as raw:
            stream = steady(raw)
            stream.write(text[:500])
            stream.flush()
        assert reader.read() == text[:500].encode(encoding, "backslashreplace")


def broken_outputs() -> Iterator[tuple[str, int]]:
    yield "full", os.open("/dev/full", os.O_WRONLY)
    read, write = os.pipe()
    os.close(read)
    yield "left by its reader", write
    read, write = os.pipe()
    os.set_blocking(write, False)
    while True:
        try:
            os.write(write, b"x" * 4096)
        except BlockingIOError:
            break
    yield "never read", write
    closed = os.open(os.devnull, os.O_WRONLY)
    os.close(closed)
    yield "closed", closed
    yield "read only", os.open(os.devnull, os.O_RDONLY)


def test_no_broken_output_raises(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(outlet, "PATIENCE", 0.05)
    for what, descriptor in broken_outputs():
        stream = io.TextIOWrapper(io.BufferedWriter(Outlet(descriptor)), "utf-8")
        PlainProgress(lambda text, stream=stream: print(text, file=stream, flush=True)).planned("mine", ["a"], 1.0)  # type: ignore[misc]
        live = LiveProgress(stream)
        live.planned("mine", ["a"], 1.0)
        live.tick(["a"], 1.0)
        live.ended("a", "completed")
        stream.write("more\n" * 10_000)
        stream.flush()
        stream.close()
        assert stream.closed, what


def test_progress_does_not_wait_for_an_output_that_nobody_reads() -> None:
    read, write = os.pipe()
    os.set_blocking(write, False)
    with contextlib.suppress(BlockingIOError):
        while True:
            os.write(write, b"x" * 4096)
    os.set_blocking(write, True)
    with open(read, "rb"), open(write, "w") as raw:
        stream = steady(raw)
        for progress in (progress_for(stream, {}), LiveProgress(stream)):
            progress.planned("mine", ["a"], 1.0)
            progress.ended("a", "harness error")
            progress.stalled(3.0)
            progress.tick(["a"], 1.0)


def test_a_missing_output_is_an_empty_one() -> None:
    stream = steady(None)
    print("to nobody ✓", file=stream, flush=True)
    assert not stream.isatty()


CLI = Path(brokercert.cli.__file__).parent
PRINTS = {  # what prints by itself, and why it may
    "outlet.py": "it is what all others print by",
    "__init__.py": "words of its own, where nothing more can be imported",
}


def test_whatever_a_command_prints_is_made_harmless_in_one_place() -> None:
    """`say` escapes what a client, a page or a file may have in it. Of JSON and of what ships with brokercert the
    end of the line is its own (`nl`).
    """
    wild = []
    for path in sorted(CLI.glob("*.py")):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if not isinstance(node, ast.Call) or path.name in PRINTS:
                continue
            name = ast.unparse(node.func)
            own = any(word.arg == "nl" for word in node.keywords)
            if name in ("print", "click.secho") or (name == "click.echo" and not own):
                wild.append(f"{path.name}:{node.lineno}: {name}")
    assert not wild, "expected `say` of brokercert.cli.outlet"


@pytest.mark.parametrize("text", ["a\x1b[2Jb", "a\rb", "a\u202eb", "a\ud800b", "a\x9bb"])
def test_what_is_said_moves_no_cursor(capsys: pytest.CaptureFixture[str], text: str) -> None:
    say(text)
    say(text, err=True)
    out, err = capsys.readouterr()
    assert out == err and out.startswith("a\\") and out.rstrip("\n").isprintable()
