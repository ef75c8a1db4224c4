"""The Markdown summary and the files of a run's folder."""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from pathlib import Path

import msgspec
import pytest
from brokercert.verdict import RunRecord, Verdict, decode_run
from brokercert_reports.html import render_html
from brokercert_reports.junit import render_junit
from brokercert_reports.summary import MOST_BYTES, markdown, render_summary
from brokercert_reports.write import write_reports


def test_the_summary_says_verdict_counts_and_findings(failed: RunRecord) -> None:
    text = render_summary(failed)
    assert text.startswith(
        "## Failed: node client.mjs\n\nnode client.mjs: failed for part core: HBT-010, EVT-020, REC-030. Exit 1."
    )
    assert "| fail | 3 | 0 |" in text and "| warning | 0 | 1 |" in text
    assert "### HBT-010 fail: Heartbeats come regularly (MUST)" in text
    assert "MUST rows blocked: EVT-030, RLP-010, RLP-020." in text


def test_what_is_wrong_with_the_reports_stands_in_the_head_of_every_report(failed: RunRecord) -> None:
    run = msgspec.structs.replace(failed, telling=("login: line 3 is <none>.",))
    text = render_summary(run)
    assert text.index("login: line 3 is &lt;none&gt;.") < text.index("### HBT-010")
    assert "login: line 3 is &lt;none&gt;." in render_html(run)
    assert "login: line 3 is &lt;none&gt;. The broker was" in render_junit(run).decode()
    many = msgspec.structs.replace(failed, telling=("|" * 900,) * 15, sentence="&" * 100_000)
    assert len(render_summary(many).encode()) <= MOST_BYTES


def test_an_incomplete_run_lists_what_was_not_asked(build: Callable[..., RunRecord]) -> None:
    assert re.search(r"^MUST rows untested: LOG-045, ", render_summary(build(part="")), re.MULTILINE)


def test_the_summary_has_the_notes_before_the_rows(failed: RunRecord) -> None:
    text = render_summary(msgspec.structs.replace(failed, notes=("No trace was given of loss-rst.",)))
    assert text.index("Notes:\n\n- No trace was given of loss-rst.\n") < text.index("### HBT-010 fail")


def test_the_summary_stays_small_and_counts_what_it_leaves_out(failed: RunRecord) -> None:
    long = tuple(
        msgspec.structs.replace(
            row,
            findings=tuple(msgspec.structs.replace(f, observed="日" * 5000, expected="|" * 5000) for f in row.findings),
            mend="|" * 9000,
            verdict=Verdict.FAIL,
        )
        for row in failed.rows
    )
    many = tuple(msgspec.structs.replace(row, id=f"X{n:02}-{k:03}") for n in range(20) for k, row in enumerate(long))
    text = render_summary(msgspec.structs.replace(failed, rows=many, sentence="x" * 100_000))
    assert len(text.encode()) <= MOST_BYTES
    assert re.search(r"\d+ further rows with findings in report.html", text)
    assert "Again: " in text


def test_hostile_text_is_no_markup_in_the_summary(hostile: tuple[str, RunRecord]) -> None:
    _, run = hostile
    text = render_summary(run)
    text.encode("utf-8")
    assert "<" not in text
    assert all(line.count("|") in (0, 4) for line in text.splitlines())
    assert "](" not in text.replace("\\]", "")
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202e]", text)


def test_markdown_takes_the_sense_from_every_mark() -> None:
    assert markdown("a *b* _c_ `d` [e](f) ~g~") == r"a \*b\* \_c\_ \`d\` \[e\](f) \~g\~"
    assert markdown("<b> & | http://x www.y.z") == r"&lt;b&gt; &amp; &#124; http\://x www\.y.z"
    assert markdown("one\n# two\n\n- three") == "one # two - three"


def test_all_files_are_written_whole(failed: RunRecord, tmp_path: Path) -> None:
    folder = tmp_path / "out" / "a-run"
    paths = write_reports(failed, folder)
    assert {path.name for path in paths.values()} == {
        "run.json",
        "report.html",
        "TEST-tradovate-stage2.xml",
        "summary.md",
        "plan.csv",
        "plan.html",
        "plan.xlsx",
    }
    assert sorted(folder.iterdir()) == sorted(paths.values())
    assert decode_run(paths["run.json"].read_bytes()) == failed
    assert all(path.stat().st_mode & 0o777 == 0o644 for path in paths.values())
    assert write_reports(failed, folder) == paths  # again, over the old ones


def test_hostile_runs_can_be_written_and_read_back(hostile: tuple[str, RunRecord], tmp_path: Path) -> None:
    _, run = hostile
    paths = write_reports(run, tmp_path)
    again = decode_run(paths["run.json"].read_bytes())
    assert [row.verdict for row in again.rows] == [row.verdict for row in run.rows]
    assert again.outcome is run.outcome


def test_a_write_that_fails_leaves_the_old_file_and_no_leavings(
    failed: RunRecord, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    paths = write_reports(failed, tmp_path)
    before = {path: path.read_bytes() for path in paths.values()}

    def refuse(source: str, target: Path) -> None:
        raise OSError("disk full")

    monkeypatch.setattr(os, "replace", refuse)
    with pytest.raises(OSError, match="disk full"):
        write_reports(msgspec.structs.replace(failed, seed=2), tmp_path)
    monkeypatch.undo()
    assert {path: path.read_bytes() for path in paths.values()} == before
    assert len(os.listdir(tmp_path)) == len(paths)
