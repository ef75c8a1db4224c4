"""`brokercert drift`: what it says of a saved page, and of a file that is none."""

from __future__ import annotations

from pathlib import Path

import pytest
from brokercert.cli import main
from brokercert.requirements import load_set
from brokercert.sources import page_of
from brokercert.sources.words import hashed

STAGE2 = page_of(load_set("tradovate-stage2"))
SENTENCES = [one for section in STAGE2.source.section for one in section.sentences]
BEGINNINGS = [one.starts for one in SENTENCES]


def status(*words: object) -> int:
    return main(["drift", *map(str, words)])


def saved(folder: Path, name: str, lines: list[str]) -> Path:
    path = folder / name
    path.write_text("\n".join(lines), "utf-8")
    return path


def test_a_page_without_its_sentences_is_drift_and_names_rows(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """Of the page itself nothing but hashes is kept, so that this one has only the beginnings of its sentences."""
    assert status(saved(tmp_path, "page.txt", BEGINNINGS)) == 5
    told = capsys.readouterr().out
    assert "edition 2026, read on 2026-11-25" in told
    assert "changed: sentence 75, rows HBT-010\n  was: Heartbeat: Send heartbeats" in told
    words = {one.n: one.words for one in STAGE2.wording}
    whole = [one.n for one in SENTENCES if words[one.n] == hashed(one.starts)]
    assert whole and all(f"sentence {n}," not in told for n in whole)


def test_a_page_of_something_else_is_said_to_be_one(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert status(saved(tmp_path, "page.html", ["<p>Bread is baked of flour, water and salt."])) == 5
    told = capsys.readouterr().out
    assert "may be another page" in told and "87 gone, 1 new" in told


def test_what_a_page_holds_cannot_move_the_terminal(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert status(saved(tmp_path, "page.txt", ["Four words \x1b[2J of it \u202e here"])) == 5
    told = capsys.readouterr().out
    assert "\\x1b[2J" in told and "\x1b" not in told and "\u202e" not in told


@pytest.mark.parametrize(
    ("name", "content", "said"),
    [
        ("empty.html", b"", "no word in it, read as HTML; expected"),
        ("marks.md", b"---\n***\n", "no word in it, read as Markdown; expected"),
        ("scripts.html", b"<script>a b c</script>", "no word in it"),
        ("binary.txt", b"\x7fELF\0\0", "NUL bytes, so it is no text; expected"),
        ("long.txt", b"word " * 100_001, "100,001 words; expected one page, of at most 100,000; save that page alone"),
    ],
)
def test_a_file_that_is_no_page_is_wrong_use(
    name: str, content: bytes, said: str, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / name).write_bytes(content)
    assert status(tmp_path / name) == 2
    told = capsys.readouterr().err
    assert said in told and told.count("\n") == 1


def test_a_file_that_is_not_there_is_wrong_use(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert status(tmp_path / "none.html") == 2
    assert "none.html: No such file or directory; expected a page, saved as" in capsys.readouterr().err


def test_other_encodings_are_read(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    text = "Häufige Fragen über Brot"
    (tmp_path / "a.txt").write_bytes(text.encode("utf-16"))
    (tmp_path / "b.txt").write_bytes(text.encode("cp1252"))
    (tmp_path / "c.txt").write_bytes(text.encode("utf-8-sig"))
    for name in ("a.txt", "b.txt", "c.txt"):
        assert status(tmp_path / name) == 5
        told = capsys.readouterr()
        assert text in told.out
        assert ("byte 1 is no UTF-8; read as Windows-1252" in told.err) == (name == "b.txt")


def test_an_unknown_edition_is_wrong_use(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert status(saved(tmp_path, "page.txt", ["word"]), "--set", "arrow-orders@2001") == 2
    assert "no edition '2001' of arrow-orders; known: arrow-orders@2025, arrow-orders@2026" in capsys.readouterr().err
