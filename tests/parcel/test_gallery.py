"""A page over many bundles: what verify says of each, as text alone, and a badge for each."""

from __future__ import annotations

import errno
import os
import re
import shutil
import xml.etree.ElementTree as ET
import zipfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from brokercert.cli import main
from brokercert.parcel.keys import private_key
from brokercert.parcel.pack import pack
from brokercert.parcel.status import Status
from brokercert.verdict import RunRecord, decode_run
from brokercert_reports.gallery import not_whole, render_badge, render_gallery, shown
from msgspec import structs

SVG = "{http://www.w3.org/2000/svg}"
HOSTILE = '</td><script>alert(1)</script>\x1b[31m\u202e" onload="x\ud800'


@pytest.fixture(scope="module")
def run(certified: Path) -> RunRecord:
    return decode_run((certified / "run.json").read_bytes())


def test_each_bundle_is_checked_and_shown(
    certified: Path, few: Path, private: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    pack(certified, tmp_path / "a good one.zip", private_key(private), False)
    assert main(["gallery", str(tmp_path)]) == 0
    pack(few, tmp_path / "draft.zip", None, True)
    data = bytearray((tmp_path / "draft.zip").read_bytes())
    data[len(data) // 2] ^= 1
    (tmp_path / "wrong.zip").write_bytes(data)
    (tmp_path / "none.zip").write_bytes(b"no zip")
    assert main(["gallery", str(tmp_path), "--title", "Ours & theirs"]) == Status.UNREADABLE
    told = capsys.readouterr().out.splitlines()
    assert told[-1] == f"4 bundle(s): {tmp_path / 'gallery' / 'index.html'}"
    page = (tmp_path / "gallery" / "index.html").read_text("utf-8")
    assert "<h1>Ours &amp; theirs</h1>" in page and "<script" not in page
    assert page.count("Certified for part core") == 2, "the outcome, and the words beside its badge"
    assert "Draft: incomplete" in page and ">Wrong<" in page and ">Not checked<" in page
    for name in re.findall(r'src="\./([^"]+)"', page):
        badge = tmp_path / "gallery" / name.replace("%20", " ")
        assert ET.fromstring(badge.read_text("utf-8")).tag == f"{SVG}svg"
    assert len(list((tmp_path / "gallery").glob("*.svg"))) == 4


BAD: dict[str, Callable[[Path], object]] = {
    "a folder.zip": lambda path: path.mkdir(),
    "a pipe.zip": lambda path: os.mkfifo(path),
    "a link to nothing.zip": lambda path: path.symlink_to("gone"),
    "a link to itself.zip": lambda path: path.symlink_to(path.name),
    "empty.zip": lambda path: path.write_bytes(b""),
    "another zip.zip": lambda path: zipfile.ZipFile(path, "w").writestr("a.txt", "x"),
    f"{'long' * 62}.zip": lambda path: path.write_bytes(b"x"),
    "a bell \x07.zip": lambda path: path.write_bytes(b"x"),
    "a bell \\x07.zip": lambda path: path.write_bytes(b"x"),
    os.fsdecode(b"no text \xff.zip"): lambda path: path.write_bytes(b"x"),
}


def test_a_bad_entry_ends_no_gallery(few: Path, tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Each is told on the page, with a badge of its own, beside the others."""
    folder = tmp_path / "in"
    folder.mkdir()
    for name, make in BAD.items():
        make(folder / name)
    pack(few, folder / "good.zip", None, True)
    assert main(["gallery", str(folder), "--out", str(tmp_path / "site")]) == Status.UNREADABLE
    told = capsys.readouterr()
    assert told.err == "" and len(told.out.splitlines()) == len(BAD) + 2, told
    page = (tmp_path / "site" / "index.html").read_text("utf-8")
    assert page.count("<tr><th scope=") - 1 == len(BAD) + 1
    assert page.count(">Not checked<") + page.count(">Wrong<") == len(BAD) and "Draft: incomplete" in page
    assert len(list((tmp_path / "site").glob("*.svg"))) == len(BAD) + 1
    assert str(tmp_path) not in page, "no path of the machine"


def test_a_bundle_that_may_not_be_read_is_told(
    few: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    for name in ("barred", "good"):
        pack(few, tmp_path / f"{name}.zip", None, True)
    opened = Path.open

    def barred(path: Path, *more: Any, **others: Any) -> Any:
        if path.name == "barred.zip":
            raise PermissionError(errno.EACCES, os.strerror(errno.EACCES), str(path))
        return opened(path, *more, **others)

    monkeypatch.setattr(Path, "open", barred)
    assert main(["gallery", str(tmp_path)]) == Status.UNREADABLE
    assert "barred.zip: Not checked" in capsys.readouterr().out
    page = (tmp_path / "gallery" / "index.html").read_text("utf-8")
    assert "Permission denied" in page and "Draft: incomplete" in page


def test_what_is_not_whole_is_never_shown_as_certified(run: RunRecord) -> None:
    several = [
        shown("b.zip", run, draft=True, signer=""),
        shown("b.zip", run, draft=False, signer="", told="This version judges otherwise: LOG-010"),
        not_whole("b.zip", "it is cut short", wrong=True),
        not_whole("b.zip", "no set", wrong=False),
    ]
    assert not [one for one in several if one.tone == "pass" or one.word.startswith("Certified")]
    assert shown("b.zip", run, draft=False, signer="").tone == "pass"


def test_what_a_client_said_is_text(run: RunRecord) -> None:
    foul = structs.replace(run, subject=structs.replace(run.subject, name=HOSTILE), set_id=HOSTILE)
    one = shown("b.zip", foul, draft=False, signer="", told=HOSTILE)
    page = render_gallery([one, not_whole(HOSTILE, HOSTILE, wrong=True)], HOSTILE, "brokercert")
    badge = render_badge(one)
    for text in (page, badge):
        assert "<script" not in text and 'onload="' not in text and "\x1b" not in text and "\u202e" not in text
        text.encode()
    root = ET.fromstring(badge)
    assert {child.tag for child in root.iter()} == {f"{SVG}{name}" for name in ("svg", "title", "rect", "g", "text")}


def test_the_same_bundles_make_the_same_page(run: RunRecord) -> None:
    several = [shown(f"{name}.zip", run, draft=False, signer="") for name in "bca"]
    assert render_gallery(several, "t", "x") == render_gallery(several[::-1], "t", "x")


def test_an_empty_folder_is_wrong_usage(tmp_path: Path, capsys: Any) -> None:
    assert main(["gallery", str(tmp_path)]) == 2
    assert "no bundle in this folder" in capsys.readouterr().err and not list(tmp_path.iterdir())


def test_the_page_is_written_elsewhere_where_it_is_asked_to(few: Path, tmp_path: Path) -> None:
    (tmp_path / "in").mkdir()
    pack(few, tmp_path / "in" / "b.zip", None, True)
    assert main(["gallery", str(tmp_path / "in"), "--out", str(tmp_path / "site")]) == Status.DRAFT
    assert sorted(one.name for one in (tmp_path / "site").iterdir()) == ["b.zip.svg", "index.html"]
    assert [one.name for one in (tmp_path / "in").iterdir()] == ["b.zip"]
    shutil.rmtree(tmp_path / "site")
