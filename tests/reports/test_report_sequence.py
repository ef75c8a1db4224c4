"""The drawing of a finding's evidence: what it says is what the table says, bounded, and text whatever was written."""

from __future__ import annotations

import itertools
import time
from collections.abc import Callable

import msgspec
import pytest
from brokercert.judge.sentences import describe
from brokercert.trace import records as r
from brokercert.verdict import Excerpt, ExcerptLine, Finding, RunRecord, Verdict
from brokercert_reports.evidence import MOST_ROWS, Evidence, evidence_of, nearest
from brokercert_reports.html import render_html
from brokercert_reports.sequence import BROKER, CHARACTER, CLIENT, PIECE, WIDTH, Span, cut, sequence, spans_of, steps_of
from dom import Node, tree
from rich.cells import cell_len


def line(record: int, who: str, text: str, *, conn: int = 1, marked: bool = False, at: float = -1) -> ExcerptLine:
    return ExcerptLine(record=record, at=record / 4 if at < 0 else at, conn=conn, who=who, text=text, marked=marked)


def evidence(*lines: ExcerptLine, proxied: bool = False, build: Callable[..., RunRecord] | None = None) -> Evidence:
    scenario = None
    if build is not None:
        scenario = msgspec.structs.replace(build().scenarios[0], path="proxied" if proxied else "direct")
    return Evidence("LOG-010", 0, "login", scenario, lines, 0)


def texts(root: Node) -> list[str]:
    return [node.text() for node in root.all("text")]


def arrows(root: Node) -> int:
    """Heads of arrows."""
    return sum("h" not in node.attributes["d"] and node.attributes["d"].endswith("v8z") for node in root.all("path"))


def fail(row: str, scenario: str, *records: int) -> Finding:
    return Finding(requirement=row, scenario=scenario, verdict=Verdict.FAIL, observed="it broke", evidence=records)


def around(scenario: str, marked: tuple[int, ...], width: int = 3, text: str = "[]") -> Excerpt:
    near = sorted({max(1, n + k) for n in marked for k in range(-width, width + 1)})
    lines = tuple(line(n, "client" if n % 2 else "broker", f"{text} {n}", marked=n in marked) for n in near)
    return Excerpt(scenario=scenario, lines=lines)


def test_messages_are_arrows_and_all_else_is_not() -> None:
    drawn = tree(
        str(
            sequence(
                evidence(
                    line(1, "client", "TCP connection accepted"),
                    line(2, "broker", "o", marked=True),
                    line(3, "subject", "stdout: hello", conn=0),
                    line(4, "harness", "fault fin", conn=0),
                    line(5, "broker", "its state at the end", conn=0),
                    line(9, "harness", "waits for authorize until 31.0 s", conn=0),
                )
            )
        )
    )
    assert arrows(drawn) == 2
    said = texts(drawn)
    for text in ("[1] TCP connection accepted", "[1] o", "subject: stdout: hello", "fault fin", "3 records left out"):
        assert text in said
    assert {"client", "broker"} <= set(said) and "proxy" not in said
    assert "0.500 s" in said and "+0.250" in said, "when, and how much later than the record before"
    assert [node.text() for node in drawn.all("text") if node.attributes.get("font-weight") == "bold"][:2] == [
        "2",
        "0.500 s",
    ], "the evidence is marked without colour too"


def test_a_proxy_has_its_lane_where_the_scenario_has_one(build: Callable[..., RunRecord]) -> None:
    for proxied in (True, False):
        drawn = sequence(evidence(line(1, "client", "hello"), proxied=proxied, build=build))
        assert ("proxy" in texts(tree(str(drawn)))) == proxied


def told(record: r.Body, number: int) -> ExcerptLine:
    """The record as the judge's excerpts tell it."""
    who, conn, text = describe(record)
    return line(number, who, text, conn=conn, at=record.t / 1e6)


def test_the_judges_own_words_are_bands_and_what_lasts_has_a_bar() -> None:
    """The words are another module's: this fails where they change."""
    steps = steps_of(
        (
            told(r.Withheld(t=1_000_000, what="authorize", conn=1), 1),
            told(r.Fault(t=2_000_000, requested=2_000_000, name="fin", conn=1), 2),
            told(r.Released(t=3_000_000, what="authorize", conn=1), 3),
            told(r.RuleApplied(t=4_000_000, name="refuse", conn=1), 4),
            told(r.Window(t=5_000_000, name="outage", since=2_000_000), 5),
        )
    )
    assert [step.kind for step in steps] == ["band"] * 5
    assert spans_of(steps) == (Span(0, 2), Span(1, 4))
    state = told(r.Ledger(t=1, name="the end", state=msgspec.Raw(b"{}")), 1)  # type: ignore[arg-type]
    assert [step.kind for step in steps_of((state,))] == ["note"]


def test_a_window_that_says_it_began_later_than_all_is_drawn_too() -> None:
    steps = steps_of((line(1, "harness", "window odd, from 99999.000 s"), line(2, "harness", "it is let go")))
    assert spans_of(steps) == (Span(0, 0),)


@pytest.mark.parametrize("text", ["日本語" * 400, "a" * 1_048_576, "\u0301" * 500, "<script>" * 90, "", "\ud7ff" * 300])
def test_a_text_of_any_width_keeps_to_its_room(text: str) -> None:
    for room in (1, 2, 7, 90):
        assert cell_len(cut(text, room)) <= room
    started = time.process_time()
    drawn = tree(str(sequence(evidence(line(1, "client", text), line(2, "harness", text)))))
    assert time.process_time() - started < 1
    for node in drawn.all("text"):
        if node.attributes.get("text-anchor") is None:
            assert cell_len(node.text()) * CHARACTER <= BROKER - CLIENT


def test_hostile_text_stays_text_in_the_drawing(hostile: tuple[str, RunRecord]) -> None:
    _, run = hostile
    drawn = [node for node in tree(render_html(run)).all("svg") if "sequence" in node.classes]
    assert drawn
    allowed = {"svg", "g", "text", "path", "rect", "circle"}
    for svg in drawn:
        assert {node.tag for node in svg.walk()} <= allowed
        assert not any(name == "style" or name.startswith("on") for node in svg.walk() for name in node.attributes)


def test_colours_need_no_style_sheet_and_follow_the_text(failed: RunRecord) -> None:
    drawn = [node for node in tree(render_html(failed)).all("svg") if "sequence" in node.classes]
    for svg in drawn:
        (group,) = svg.all("g")[:1]
        assert group.attributes["fill"] == "currentColor"
        for node in svg.walk():
            if node.tag == "rect" and node.attributes["fill"].startswith("#"):
                wide = int(node.attributes["width"]) > 4
                assert not wide or float(node.attributes["fill-opacity"]) <= 0.3, "a text stands on it, in any scheme"
        assert svg.attributes["role"] == "img" and svg.attributes["aria-label"].startswith("Sequence of ")


def test_pieces_fit_half_a_page_and_hold_every_row_once() -> None:
    lines = tuple(line(n, "client", f"message {n}") for n in range(1, MOST_ROWS + 1))
    drawn = tree(str(sequence(evidence(*lines)))).all("svg")
    assert len(drawn) > 1
    assert all(int(svg.attributes["height"]) <= PIECE + 40 and svg.attributes["width"] == str(WIDTH) for svg in drawn)
    said = [text for svg in drawn for text in texts(svg) if "message" in text]
    assert said == [f"[1] message {n}" for n in range(1, MOST_ROWS + 1)]


def test_no_more_is_shown_than_fits_and_what_is_left_out_is_counted(build: Callable[..., RunRecord]) -> None:
    records = tuple(range(10, 10 + 40 * 12, 12))
    finding = fail("LOG-010", "login", *records)
    run = build({"LOG-010": (finding,)}, excerpts={"LOG-010": (around("login", records),)})
    (shown,) = evidence_of([row for row in run.rows if row.id == "LOG-010"], run)["LOG-010"].values()
    assert len(shown.lines) == MOST_ROWS and sum(one.marked for one in shown.lines) == 40
    rows = steps_of(shown.lines)
    left = sum(int(step.text.split()[0]) for step in rows if step.line is None)
    assert left + MOST_ROWS == shown.lines[-1].record - shown.lines[0].record + 1
    fewer = nearest(tuple(line(n, "client", "x", marked=True) for n in range(100)), MOST_ROWS)
    assert [one.record for one in fewer] == [*range(40), *range(80, 100)], "the earliest and the latest of them"


def test_evidence_that_is_in_the_trace_alone_is_counted(build: Callable[..., RunRecord]) -> None:
    finding = fail("LOG-010", "login", 5, 9, 400, 500)
    run = build({"LOG-010": (finding,)}, excerpts={"LOG-010": (around("login", (5, 9)),)})
    page = render_html(run)
    assert "2 further records of evidence in the trace." in page


def test_one_scenario_of_a_card_is_drawn_once_with_all_its_marks(build: Callable[..., RunRecord]) -> None:
    findings = (fail("LOG-010", "login", 5), fail("LOG-010", "login", 6), fail("LOG-010", "steady", 50))
    excerpts = (around("login", (5,)), around("login", (6,)), around("steady", (50,)))
    run = build({"LOG-010": findings}, excerpts={"LOG-010": excerpts})
    shown = evidence_of([row for row in run.rows if row.id == "LOG-010"], run)["LOG-010"]
    assert list(shown) == [0, 2]
    assert [one.record for one in shown[0].lines if one.marked] == [5, 6]
    assert [one.record for one in shown[0].lines] == list(range(2, 10))
    folded = [node for node in tree(render_html(run)).all("details") if "evidence" in node.classes]
    assert len(folded) == 2 and all("open" not in node.attributes for node in folded)


def test_what_reads_the_same_is_told_once_on_the_page(build: Callable[..., RunRecord]) -> None:
    same, other = around("login", (5,)), around("steady", (5,))
    differs = around("outage", (5,), text="[1]")
    run = build(
        {
            "LOG-010": (fail("LOG-010", "login", 5),),
            "LOG-020": (fail("LOG-020", "steady", 5), fail("LOG-020", "outage", 5)),
        },
        excerpts={"LOG-010": (same,), "LOG-020": (other, differs)},
    )
    root = tree(render_html(run))
    assert len([node for node in root.all("details") if "evidence" in node.classes]) == 2
    assert root.text().count("The records read the same as those of LOG-010 in login") == 1


def test_the_table_under_a_drawing_says_the_same_records_in_full(failed: RunRecord) -> None:
    root = tree(render_html(failed))
    folded = [node for node in root.all("details") if "evidence" in node.classes]
    assert len(folded) == 3
    for node in folded:
        drawn = [one.text() for one in node.all("text")]
        for row in (tr for tr in node.all("tbody")[0].all("tr") if "cut" not in tr.classes):
            record, at, *_ = (cell.text().removeprefix("evidence ") for cell in row.all("td"))
            assert record in drawn and f"{at} s" in drawn


def test_a_hundred_rows_and_many_scenarios_render_soon_and_small(build: Callable[..., RunRecord]) -> None:
    """100 rows that all failed, each in three scenarios of two hundred, with excerpts as large as the judge makes."""
    base = build(part="")
    names = [f"scenario-{n}" for n in range(200)]
    scenarios = tuple(msgspec.structs.replace(base.scenarios[0], name=name) for name in names)
    wide = tuple(range(4, 4 + 12 * 9, 9))
    long = 'a[{"e":"props","d":{"entityType":"order","eventType":"Updated","entity":{"id":1}}}]'.ljust(300, "x")
    rows = []
    turn = itertools.cycle(names)
    for n, row in zip(range(100), itertools.cycle(base.rows), strict=False):
        of = [next(turn) for _ in range(3)]
        findings = tuple(fail(f"ROW-{n:03}", name, *wide) for name in of)
        excerpts = tuple(around(name, wide, text=f"{n} {name} {long}") for name in of)
        rows.append(
            msgspec.structs.replace(
                row, id=f"ROW-{n:03}", verdict=Verdict.FAIL, findings=findings, excerpts=excerpts, scenarios=tuple(of)
            )
        )
    run = msgspec.structs.replace(base, rows=tuple(rows), scenarios=scenarios)
    render_html(base)  # the templates are compiled once
    started = time.process_time()
    page = render_html(run)
    took = time.process_time() - started
    assert page.count('class="evidence"') == 300
    assert took < 3, f"{took:.1f} s of CPU"
    assert len(page.encode()) < 5_000_000, len(page.encode())
