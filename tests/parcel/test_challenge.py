"""A partner's text: the seed follows from it, traces, record and statement carry it, and no other run meets it."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import forge
import pytest
from brokercert.cli import main
from brokercert.engine.ask.challenge import checked_challenge, seed_of_challenge
from brokercert.engine.errors import UsageError
from brokercert.parcel.pack import pack
from brokercert.parcel.status import Status
from brokercert.trace import read_header
from brokercert.verdict import decode_run
from runs import FEW, saved

TEXT = "Ticket 4711, for Arrow & Söhne: «go» 2026-11-30"


@pytest.fixture(scope="module")
def asked(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The bundle of a run that was asked with a text."""
    folder = tmp_path_factory.mktemp("asked")
    run = saved(folder, only=FEW, challenge=TEXT, seed=seed_of_challenge(TEXT))
    return pack(run, folder / "b.zip", None, True)[0]


@pytest.fixture(scope="module")
def unasked(few: Path, tmp_path_factory: pytest.TempPathFactory) -> Path:
    return pack(few, tmp_path_factory.mktemp("unasked") / "b.zip", None, True)[0]


def test_the_seed_is_a_function_of_the_text() -> None:
    """Fixed for ever: it is SHA-256 of a prefix and the text, its first 53 bits."""
    import hashlib

    for text in (TEXT, "a", "b", "a "):
        digest = hashlib.sha256(b"brokercert challenge 1\n" + text.encode()).hexdigest()
        assert seed_of_challenge(text) == int(digest[:16], 16) // 2**11 < 2**53
    assert len({seed_of_challenge(str(n)) for n in range(1000)}) == 1000


def test_header_record_and_statement_carry_it(asked: Path, tmp_path: Path) -> None:
    files = forge.unpacked(asked)
    run = decode_run(files["run.json"])
    assert (run.challenge, run.seed) == (TEXT, seed_of_challenge(TEXT))
    said = json.loads(files["statement.json"])["predicate"]["configuration"][0]["annotations"]
    assert (said["challenge"], said["seed"]) == (TEXT, seed_of_challenge(TEXT))
    for name, content in files.items():
        if name.startswith("traces/"):
            (tmp_path / "one.jsonl").write_bytes(content)
            header = read_header(tmp_path / "one.jsonl")
            assert (header.challenge, header.seed) == (TEXT, run.seed)
    assert TEXT in files["plan.csv"].decode()


def test_all_that_is_drawn_follows_from_it(asked: Path, unasked: Path) -> None:
    """Ids of the broker's state, say, which stand in the frames."""
    name = "traces/login-timed.jsonl"
    bodies = [forge.unpacked(path)[name].partition(b"\n")[2] for path in (asked, unasked)]
    assert bodies[0] != bodies[1]


@pytest.mark.parametrize(
    ("bundle", "text", "status", "told"),
    [
        ("asked", TEXT, Status.DRAFT, "Asked with the challenge"),
        ("asked", None, Status.DRAFT, "Asked with the challenge"),
        ("asked", TEXT + "!", Status.WRONG, "--challenge asks for"),
        ("asked", TEXT.lower(), Status.WRONG, "--challenge asks for"),
        ("unasked", TEXT, Status.WRONG, "challenge: none; --challenge asks for"),
        ("asked", "", 2, "expected 1 to 200 characters"),
    ],
)
def test_verify_refuses_any_other(
    request: pytest.FixtureRequest, bundle: str, text: str | None, status: int, told: str, capsys: Any
) -> None:
    more = [] if text is None else ["--challenge", text]
    assert main(["verify", str(request.getfixturevalue(bundle)), *more]) == status
    shown = capsys.readouterr()
    assert told in shown.out + shown.err


@pytest.mark.parametrize("place", ["run.json alone", "run.json and its seed", "the headers too"])
def test_an_old_run_is_not_made_to_meet_it(unasked: Path, tmp_path: Path, place: str, capsys: Any) -> None:
    """But for a forger of traces: what a signature is for."""
    files = forge.unpacked(unasked)

    def told(document: dict[str, Any]) -> None:
        document["challenge"] = TEXT
        if place != "run.json alone":
            document["seed"] = seed_of_challenge(TEXT)

    if place == "the headers too":
        for name in [name for name in files if name.startswith("traces/")]:
            first, newline, rest = files[name].partition(b"\n")
            header = json.loads(first) | {"challenge": TEXT}  # and the seed that it was played with
            files = forge.with_trace(files, name, json.dumps(header).encode() + newline + rest)
    path = tmp_path / "b.zip"
    path.write_bytes(forge.zipped(forge.told_otherwise(files, told)))
    assert main(["verify", str(path), "--challenge", TEXT]) == Status.WRONG
    assert "seed" in capsys.readouterr().out


@pytest.mark.parametrize("text", ["", " a", "a ", "a\nb", "a\x00", "\x1b[31m", "\u202eabc", "\ud800", "x" * 201])
def test_a_text_that_could_be_read_in_two_ways_is_refused(text: str) -> None:
    with pytest.raises(UsageError, match=r"--challenge: .*; expected 1 to 200 characters"):
        checked_challenge(text, "--challenge")


def test_a_seed_beside_it_is_refused(tmp_path: Path, capsys: Any) -> None:
    code = main(["certify", "--challenge", TEXT, "--seed", "1", "--out", str(tmp_path / "out"), "--reference"])
    assert code == 2 and "--challenge, beside --seed" in capsys.readouterr().err and not list(tmp_path.iterdir())
