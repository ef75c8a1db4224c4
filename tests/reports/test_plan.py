"""The test plan: every row once, in the page's order, four words for nine verdicts, and every cell a text."""

from __future__ import annotations

import csv
import io
import re
import xml.etree.ElementTree as ET
import zipfile
from collections.abc import Callable
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest
from brokercert.cli import main
from brokercert.requirements import load_set
from brokercert.sets import own_sets
from brokercert.sources import demands_of
from brokercert.verdict import Excerpt, ExcerptLine, Finding, Level, Measured, RunRecord, ScenarioResult, Verdict
from brokercert_reports.html import render_plan
from brokercert_reports.plan import DRAFT, HEADINGS, SENTENCE_HEADINGS, empty_plan, moment_at, plan_of_run
from brokercert_reports.sheet import LONGEST, cell, csv_cell, render_csv, render_xlsx
from markupsafe import escape
from msgspec import structs

Build = Callable[..., RunRecord]
SET = load_set("tradovate-stage2")
MAIN = "{http://schemas.openxmlformats.org/spreadsheetml/2006/main}"
HOSTILE = [
    "=1+1",
    "+1",
    "-1+cmd|' /C calc'!A0",
    "@SUM(A1)",
    "\t=1",
    "\r=1",
    "\n=1",
    " =1",
    "\uff1d1+1",
    "a;=1+1",
    "<script>alert(1)</script>",
    "\x1b[31mred\x00",
    "lone \ud800 surrogate",
    "right \u202e to left",
    "<r><t>Pass</t></r>",
    "<r>no markup that ends</r>",
    "<r></r>",
    "<si><t>x</t></si>",
    "_x0041_ and _x005F_",
    "&amp; &lt;r&gt;",
    "=" + "x" * 2**20,
]


def finding(row: str, verdict: Verdict, observed: str, **more: Any) -> Finding:
    return Finding(requirement=row, scenario="login", verdict=verdict, observed=observed, **more)


def lines_of(content: bytes) -> list[dict[str, str]]:
    table = list(csv.reader(io.StringIO(content.decode("utf-8-sig"))))
    top = table.index(list(HEADINGS))
    return [dict(zip(HEADINGS, line, strict=True)) for line in table[top + 1 :]]


def texts_of(content: bytes) -> list[str]:
    """All strings of a workbook. Raises where a cell is a formula, or no string."""
    with zipfile.ZipFile(io.BytesIO(content)) as book:
        for name in book.namelist():
            if name.startswith("xl/worksheets/sheet"):
                root = ET.fromstring(book.read(name))
                assert root.find(f".//{MAIN}f") is None and root.find(f".//{MAIN}hyperlink") is None
                assert {cell.get("t") for cell in root.iter(f"{MAIN}c") if len(cell)} == {"s"}
        shared = ET.fromstring(book.read("xl/sharedStrings.xml"))
    assert shared.find(f".//{MAIN}r") is None, "a cell in runs, of which a reader may take the first for all of it"
    return [unescaped("".join(one.itertext())) for one in shared.iter(f"{MAIN}si")]


def unescaped(text: str) -> str:
    """As a spreadsheet shows it."""
    return re.sub("_x([0-9A-F]{4})_", lambda match: chr(int(match[1], 16)), text)


@pytest.mark.parametrize("set_id", own_sets())
def test_the_empty_plan_has_every_row_once_in_the_order_of_the_page(set_id: str) -> None:
    rows = load_set(set_id)
    lines = lines_of(render_csv(empty_plan(rows)))
    assert sorted(line["Row"] for line in lines) == sorted(row.id for row in rows.rows)
    numbers = [int(line["Sentence"]) for line in lines if line["Sentence"]]
    assert numbers == sorted(numbers) and len(set(numbers)) > len(numbers) / 3
    starts = {one.number: one.starts for one in demands_of(set_id)}
    assert all(
        line["The page says (first words)"] == starts[int(line["Sentence"])] for line in lines if line["Sentence"]
    )
    assert {line["Page"] for line in lines} <= {one.page for one in demands_of(set_id)} | {""}
    assert not any(line["Result"] or line["Sign-off"] for line in lines)


@pytest.mark.parametrize("set_id", own_sets())
def test_every_sentence_of_the_page_stands_in_the_second_sheet(set_id: str) -> None:
    told = empty_plan(load_set(set_id)).sentences
    assert [line[2] for line in told] == [str(one.number) for one in demands_of(set_id)]
    assert all(line[-1] for line in told)


WORDS: list[tuple[Level, Verdict, bool, str, str]] = [
    (Level.MUST, Verdict.PASS, False, "Pass", ""),
    (Level.MUST, Verdict.FAIL, False, "Fail", "it broke"),
    (Level.MUST, Verdict.WARNING, False, "Pass", "a recommendation was not followed: it broke"),
    (Level.MUST, Verdict.WARNING, True, "Fail", "under --strict"),
    (Level.SHOULD, Verdict.WARNING, False, "Fail", "which withholds no certificate"),
    (Level.MUST, Verdict.NOT_APPLICABLE, False, "Not applicable", "it broke"),
    (Level.MUST, Verdict.BLOCKED, False, "Untested", "blocked: it broke"),
    (Level.MUST, Verdict.INCONCLUSIVE, False, "Untested", "inconclusive: it broke"),
    (Level.MUST, Verdict.NOT_OBSERVED, False, "Untested", "not observed: it broke"),
    (Level.MUST, Verdict.UNTESTED, False, "Untested", "it broke"),
    (Level.MUST, Verdict.HARNESS_ERROR, False, "Untested", "harness error: it broke"),
]


@pytest.mark.parametrize(("level", "verdict", "strict", "result", "reason"), WORDS)
def test_four_words_stand_for_the_verdicts(
    build: Build, level: Level, verdict: Verdict, strict: bool, result: str, reason: str
) -> None:
    row = next(row.id for row in SET.rows if row.level is level and row.id in SET.part("core"))
    run = build({row: (finding(row, verdict, "it broke"),)}, strict=strict)
    line = next(one for one in lines_of(render_csv(plan_of_run(run))) if one["Row"] == row)
    assert line["Result"] == result and reason in line["Reason"] and bool(line["Reason"]) == bool(reason)


def test_a_row_outside_the_part_is_untested_and_says_so(build: Build) -> None:
    outside = next(row.id for row in SET.rows if row.id not in SET.part("core"))
    line = next(one for one in lines_of(render_csv(plan_of_run(build()))) if one["Row"] == outside)
    assert line["Result"] == "Untested" and line["Reason"].startswith("not part of what is certified here")


def test_the_evidence_names_file_records_and_moment(build: Build) -> None:
    line = ExcerptLine(record=6, at=1.5, conn=1, who="client", text="authorize", marked=True)
    played = ScenarioResult(
        name="login",
        title="Login",
        path="direct",
        exclusive=False,
        state="completed",
        trace="traces/login.jsonl",
        began="2026-11-24T14:15:02.250Z",
        tier="real",
    )
    took = Measured(name="accept to upgrade", value=0.25, unit="s", limit=5, error=0.01)
    run = build(
        {"LOG-010": (finding("LOG-010", Verdict.PASS, "it came", evidence=(6,), measured=(took,)),)},
        excerpts={"LOG-010": (Excerpt(scenario="login", lines=(line,)),)},
        scenarios=(played,),
    )
    line = next(one for one in lines_of(render_csv(plan_of_run(run))) if one["Row"] == "LOG-010")
    assert line["Evidence: file"] == "traces/login.jsonl" and line["Evidence: records"] == "record 6"
    assert line["Evidence: UTC"] == "2026-11-24T14:15:03.750Z"
    assert line["Figure"] == "accept to upgrade: 250 ms ± 10 ms" and line["Budget"] == "at most 5 s"
    assert line["Observed"] == "it came"


@pytest.mark.parametrize("began", ["", "yesterday", "9999-12-31T23:59:59.999Z"])
def test_a_moment_that_nobody_knows_is_empty(began: str) -> None:
    assert moment_at(began, 3.0) == ""


@pytest.mark.parametrize("text", HOSTILE)
def test_what_a_client_said_is_text_in_both_forms(build: Build, text: str) -> None:
    run = build({"LOG-010": (finding("LOG-010", Verdict.FAIL, text),)})
    run = structs.replace(run, subject=structs.replace(run.subject, name=text))
    plan = plan_of_run(run)
    table = list(csv.reader(io.StringIO(render_csv(plan).decode("utf-8-sig"))))
    cells = [one for line in table for one in line]
    assert not any(one.strip()[:1] in tuple("=+-@\uff1d\uff0b\uff0d\uff20") and one.strip() for one in cells)
    assert not any("\n" in one or "\r" in one or "\t" in one for one in cells)
    assert max(map(len, cells)) < LONGEST + 40
    strings = texts_of(render_xlsx(plan))
    told = {
        cell(one)
        for several in (*plan.above, *plan.lines, *plan.sentences, HEADINGS, SENTENCE_HEADINGS)
        for one in several
    }
    assert set(strings) == told, "every cell whole, and nothing else"
    assert max(map(len, strings)) < LONGEST + 40
    for one in (*cells, *strings):
        assert one.isprintable(), ascii(one)[:80]


class Elements(HTMLParser):
    """The names of all elements, and all attributes."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.names: set[str] = set()
        self.attributes: set[str] = set()
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.names.add(tag)
        self.attributes.update(name for name, _ in attrs)


@pytest.mark.parametrize("text", HOSTILE)
def test_what_a_client_said_is_text_on_the_page(build: Build, text: str) -> None:
    run = build({"LOG-010": (finding("LOG-010", Verdict.FAIL, f'">{text}</td>'),)})
    run = structs.replace(run, subject=structs.replace(run.subject, name=f'" onload="{text}'))
    page, plain = render_plan(plan_of_run(run)), render_plan(plan_of_run(build()))
    assert Elements(page).names == Elements(plain).names and "script" not in Elements(page).names
    assert Elements(page).attributes == Elements(plain).attributes
    assert len(page.encode()) < len(plain.encode()) + 20_000


def test_the_page_says_what_the_sheet_says(build: Build) -> None:
    plan = plan_of_run(build(), draft=True)
    page = render_plan(plan, draft=DRAFT)
    for line in plan.lines:
        told = dict(zip(HEADINGS, line, strict=True))
        assert f'<tr id="{told["Row"]}">' in page
        for name in ("Requirement", "Result", "Observed", "Reason", "Evidence: file"):
            assert str(escape(told[name])) in page, name
    assert page.count(f'<p class="draft">{DRAFT}</p>') == 1 and "http" not in page.split("</style>")[1]


@pytest.mark.parametrize("text", ["a;=1+1", "a; -1", "a|@x"])
def test_a_list_cut_at_semicolons_holds_no_formula_either(text: str) -> None:
    pieces = csv_cell(text).replace("|", ";").split(";")
    assert not any(piece.strip()[:1] in "=+-@" for piece in pieces)


def test_the_bytes_are_the_same_each_time(build: Build, monkeypatch: pytest.MonkeyPatch) -> None:
    run = build()
    first = render_csv(plan_of_run(run)), render_xlsx(plan_of_run(run))
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    assert (render_csv(plan_of_run(run)), render_xlsx(plan_of_run(run))) == first
    with zipfile.ZipFile(io.BytesIO(first[1])) as book:
        assert b"2026-11-24T14:15:00Z" in book.read("docProps/core.xml")


def test_a_draft_says_so_on_every_sheet(build: Build) -> None:
    plan = plan_of_run(build(), draft=True)
    assert DRAFT in render_csv(plan).decode().splitlines()[0]
    with zipfile.ZipFile(io.BytesIO(render_xlsx(plan))) as book:
        sheets = [book.read(name) for name in book.namelist() if name.startswith("xl/worksheets/sheet")]
    assert len(sheets) == 2 and all(f"&amp;C{DRAFT}".encode() in one for one in sheets)


def test_the_command_prints_it_and_writes_both_files(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["plan", "--csv", str(tmp_path / "p.csv"), "--xlsx", str(tmp_path / "p.xlsx")]) == 0
    assert len(lines_of((tmp_path / "p.csv").read_bytes())) == len(SET.rows)
    assert "LOG-010" in texts_of((tmp_path / "p.xlsx").read_bytes())
    assert capsys.readouterr().out == ""
    assert main(["plan"]) == 0
    printed = capsys.readouterr().out
    assert printed.count("Sign-off:") == len(SET.rows)
    assert main(["plan", "--csv", str(tmp_path / "gone" / "p.csv")]) == 2
    assert "--csv" in capsys.readouterr().err


def test_a_run_whose_set_is_not_installed_has_its_rows_in_its_own_order(build: Build, monkeypatch: Any) -> None:
    run = structs.replace(build(), set_id="gone-set")
    lines = lines_of(render_csv(plan_of_run(run)))
    assert [line["Row"] for line in lines] == [row.id for row in run.rows]
    assert not any(line["Sentence"] for line in lines)
