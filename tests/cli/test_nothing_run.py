"""What cannot be, found before a client runs: a sentence, exit 2, nothing on the disk, and no word of a harness that
broke (docs/exit-codes.md).
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from pathlib import Path

import pytest

DEADLINE = 40.0  # seconds; each of these takes two or so
BROKERCERT = (sys.executable, "-m", "brokercert", "certify")
WAITING = ("--only", "LOG-025", "--only", "CON-010")  # rows of scenarios that are played together


def certify(folder: Path, *arguments: str, **environ: str) -> subprocess.CompletedProcess[str]:
    ours = {name: value for name, value in os.environ.items() if not name.startswith(("BROKERCERT_", "TOXIPROXY"))}
    return subprocess.run(
        [*BROKERCERT, *arguments],
        cwd=folder,
        env={**ours, **environ},
        capture_output=True,
        text=True,
        timeout=DEADLINE,
    )


def is_a_sentence_alone(done: subprocess.CompletedProcess[str]) -> bool:
    """Exit 2, and beside the first prediction one line of ours, which blames nobody but what was asked for."""
    *before, sentence = done.stderr.splitlines()
    predicted = len(before) <= 1 and all("scenario(s), about" in line for line in before)
    blame = [word for word in ("harness", "Traceback", "interrupted") if word in done.stderr]
    return done.returncode == 2 and predicted and sentence.startswith("brokercert: ") and not blame and not done.stdout


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (b"#!/nowhere/interpreter -x\n", "names '/nowhere/interpreter' in its first line, which cannot be executed"),
        (b"#!/bin/sh\r\nexit 3\r\n", r"names '/bin/sh\r' in its first line, which cannot be executed"),
        (b"no format that anybody knows\n", "could not be started: Exec format error; name its interpreter"),
        (b"\x7fELF of no machine", "could not be started: Exec format error; name its interpreter"),
        (b"#!\n", "could not be started: Exec format error; name its interpreter"),
    ],
)
def test_a_program_that_cannot_be_executed(tmp_path: Path, content: bytes, said: str) -> None:
    client = tmp_path / "client"
    client.write_bytes(content)
    client.chmod(0o755)
    done = certify(tmp_path, *WAITING, "--", "./client")
    assert is_a_sentence_alone(done) and said in done.stderr, done.stderr
    assert os.listdir(tmp_path) == ["client"], "no folder, no trace, no `latest`"


def test_a_client_that_goes_away_during_a_run_takes_nothing_recorded_with_it(tmp_path: Path) -> None:
    """As one does that is being built anew: after its first start, which goes well."""
    client = tmp_path / "client"
    client.write_text(f'#!/bin/sh\nrm -f "$0"\nexec {sys.executable} -m brokercert.reference.tradovate\n')
    client.chmod(0o755)
    done = certify(tmp_path, "--part", "core", "--", "./client")
    (folder,) = (path for path in (tmp_path / "out").iterdir() if not path.is_symlink())
    assert done.returncode == 2 and f"stands in {Path('out') / folder.name}, for `brokercert judge" in done.stderr
    assert "does not exist" in done.stderr and "Traceback" not in done.stderr

    judged = subprocess.run(
        [sys.executable, "-m", "brokercert", "judge", str(folder)], capture_output=True, text=True, timeout=DEADLINE
    )
    assert judged.returncode == 4 and "no trace of " in judged.stdout, "what it showed is judged, and certifies nothing"


def test_an_earlier_run_is_left_as_it_is(tmp_path: Path) -> None:
    (tmp_path / "client").write_bytes(b"no format that anybody knows")
    (tmp_path / "client").chmod(0o755)
    (tmp_path / "out" / "earlier").mkdir(parents=True)
    (tmp_path / "out" / "latest").symlink_to("earlier")
    assert is_a_sentence_alone(certify(tmp_path, *WAITING, "--", "./client"))
    assert sorted(os.listdir(tmp_path / "out")) == ["earlier", "latest"]
    assert os.readlink(tmp_path / "out" / "latest") == "earlier"


def test_a_toxiproxy_that_is_named_and_does_not_answer(tmp_path: Path) -> None:
    with socket.socket() as nobody:  # bound and not listening: the port is refused, and nobody else takes it
        nobody.bind(("127.0.0.1", 0))
        url = f"http://127.0.0.1:{nobody.getsockname()[1]}"
        done = certify(
            tmp_path, "--part", "core", "--", sys.executable, "-c", "open('started', 'w')", TOXIPROXY_URL=url
        )
    assert is_a_sentence_alone(done) and f"TOXIPROXY_URL is '{url}'" in done.stderr, done.stderr
    assert os.listdir(tmp_path) == [], "not even the scenarios that would not have needed it were played"


@pytest.mark.parametrize(
    ("arguments", "environ", "toml", "named"),
    [
        (("--out", "file/x"), {}, "", "--out"),
        ((), {"BROKERCERT_OUT": "file/x"}, "", "environment: BROKERCERT_OUT"),
        ((), {}, "[run]\nout = 'file/x'\n", "{folder}/brokercert.toml: run.out"),
        (("--out", "/proc/nobody/may"), {}, "[run]\nout = 'file/x'\n", "--out"),
    ],
)
def test_a_folder_for_runs_that_cannot_be_made(
    tmp_path: Path, arguments: tuple[str, ...], environ: dict[str, str], toml: str, named: str
) -> None:
    (tmp_path / "file").write_text("not a folder")
    (tmp_path / "brokercert.toml").write_text(toml)
    done = certify(tmp_path, *WAITING, *arguments, "--", "sh", "-c", "exit 3", **environ)
    assert is_a_sentence_alone(done), done.stderr
    assert done.stderr.startswith(f"brokercert: {named.format(folder=tmp_path)}: no run can be written to "), (
        done.stderr
    )
