"""The HTML page: one file without scripts, complete, and nothing in it that a client wrote is markup."""

from __future__ import annotations

import itertools
import re
from collections.abc import Callable
from html.parser import HTMLParser

import msgspec
import pytest
from brokercert.verdict import (
    SIMULATED,
    Calibration,
    Excerpt,
    ExcerptLine,
    Finding,
    LimitUsed,
    RunRecord,
    ScenarioResult,
    Verdict,
)
from brokercert_reports.bars import COLOURS
from brokercert_reports.html import authored, path_url, prose, render_html
from brokercert_reports.text import printable

VOID = {"meta", "br", "link", "img", "input"}
KNOWN = set(
    "html head meta title style body a header p h1 h2 h3 h4 ul li b strong em small span dl div dt dd br code nav main"
    " section article table caption thead tbody tr th td pre details summary footer svg rect line g text path circle"
    " ol".split()
)


class Page(HTMLParser):
    """Every element, id, link and the visible text; fails on a tag that does not close what is open."""

    def __init__(self, html: str) -> None:
        super().__init__()
        self.elements: list[tuple[str, dict[str, str]]] = []
        self.open: list[str] = []
        self.texts: list[str] = []
        self.feed(html)
        self.close()
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, {name: value or "" for name, value in attrs}))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, {name: value or "" for name, value in attrs}))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] != "style":
            self.texts.append(data)

    def all(self, tag: str) -> list[dict[str, str]]:
        return [attributes for name, attributes in self.elements if name == tag]

    @property
    def text(self) -> str:
        return " ".join("".join(self.texts).split())


def runs(build: Callable[..., RunRecord], failed: RunRecord) -> list[RunRecord]:
    broken = build(
        {"LOG-010": (Finding(requirement="LOG-010", scenario="login", verdict=Verdict.HARNESS_ERROR, observed="oops"),)}
    )
    return [failed, build(), build(part=""), build(strict=True), build(interrupted=True), broken]


def test_the_page_is_whole_loads_nothing_and_runs_nothing(build: Callable[..., RunRecord], failed: RunRecord) -> None:
    for run in runs(build, failed):
        page = Page(render_html(run))
        assert {name for name, _ in page.elements} <= KNOWN
        assert not any(name.startswith("on") or name == "src" for _, attrs in page.elements for name in attrs)
        (policy,) = (m["content"] for m in page.all("meta") if m.get("http-equiv"))
        assert policy == "default-src 'none'; style-src 'unsafe-inline'; img-src data:"
        assert "url(" not in render_html(run) and "@import" not in render_html(run)


def test_links_lead_somewhere_and_ids_are_unique(build: Callable[..., RunRecord], failed: RunRecord) -> None:
    for run in runs(build, failed):
        page = Page(render_html(run))
        ids = [attrs["id"] for _, attrs in page.elements if "id" in attrs]
        assert len(ids) == len(set(ids))
        for href in (a["href"] for a in page.all("a")):
            assert href[1:] in ids if href.startswith("#") else href.startswith("./")
        labelled = [attrs["aria-labelledby"] for _, attrs in page.elements if "aria-labelledby" in attrs]
        assert set(labelled) <= set(ids)


def test_the_page_is_accessible_in_its_bones(failed: RunRecord) -> None:
    page = Page(render_html(failed))
    assert page.all("html") == [{"lang": "en"}]
    for landmark in ("h1", "main", "nav", "footer", "title"):
        assert len(page.all(landmark)) == 1
    assert len(page.all("caption")) == len(page.all("table"))
    assert all("scope" in th for th in page.all("th"))
    assert all((svg.get("role") == "img" and svg["aria-label"]) or svg.get("aria-hidden") for svg in page.all("svg"))
    levels = [int(name[1]) for name, _ in page.elements if re.fullmatch(r"h\d", name)]
    assert all(after <= before + 1 for before, after in itertools.pairwise(levels))


def test_the_cover_says_that_only_some_rows_were_asked_for(build: Callable[..., RunRecord]) -> None:
    few = Page(render_html(build(selected=("LOG-010",)))).text
    assert "Only LOG-010 was asked for." in few.split("Findings")[0]
    many = Page(render_html(build(selected=tuple(row.id for row in build().rows)[:7]))).text
    assert "Only 7 rows were asked for." in many.split("Findings")[0]
    assert "asked for." not in Page(render_html(build())).text


def tones(page: Page) -> dict[str, set[str]]:
    """Row -> the classes of its line in the table."""
    lines = ((tr.get("id", ""), tr.get("class", "")) for tr in page.all("tr"))
    return {name.removeprefix("row-"): set(css.split()) for name, css in lines if name.startswith("row-")}


def test_a_row_that_was_not_asked_for_does_not_wear_the_red_of_a_failure(build: Callable[..., RunRecord]) -> None:
    """One failure of one row that was asked for must not stand beside seventy-six that look like it."""
    failure = Finding(requirement="LOG-010", scenario="one", verdict=Verdict.FAIL, observed="it never came")
    only = build({"LOG-010": (failure,)}, part="", default=Verdict.UNTESTED, selected=("LOG-010", "LOG-020"))
    html = render_html(only)
    page = Page(html)
    said = tones(page)
    assert said.pop("LOG-010") == {"r-fail"}
    assert said.pop("LOG-020") == {"r-untested"}, "asked for, and not tested: that is red"
    assert set(map(frozenset, said.values())) == {frozenset({"r-unasked"})}
    bar = next(svg for svg in page.all("svg") if svg.get("class") == "share")
    assert bar["aria-label"] == f"1 fail, 1 untested, {len(only.rows) - 2} not asked for"
    fills = [rect["fill"] for rect in page.all("rect")][:3]
    assert fills == [COLOURS[Verdict.FAIL], COLOURS[Verdict.UNTESTED], COLOURS[Verdict.NOT_APPLICABLE]]
    assert f"{len(only.rows) - 2} untested, not asked for" in page.text


def test_without_a_filter_what_was_not_tested_is_red(build: Callable[..., RunRecord]) -> None:
    page = Page(render_html(build(part="", default=Verdict.UNTESTED)))
    assert set(map(frozenset, tones(page).values())) == {frozenset({"r-untested"})}
    assert "not asked for" not in page.text
    assert "What was not tested stands in red" in page.text and "grey" not in page.text


def test_where_all_that_was_asked_for_passed_the_rest_is_said_to_be_grey(build: Callable[..., RunRecord]) -> None:
    rows = tuple(row.id for row in build(part="core").rows if row.in_part)
    text = Page(render_html(build(part="", selected=rows))).text
    assert "What was not asked for is grey in the table below." in text and "stands in red" not in text


def test_a_telephones_layout_is_not_printed_and_its_cells_have_their_columns_name(failed: RunRecord) -> None:
    html = render_html(failed)
    narrow = [rule for rule in re.findall(r"@media ([^{]*)\{", html) if "max-width" in rule]
    assert narrow and all(rule.startswith("screen and") for rule in narrow)  # A4 is as narrow as a telephone, nearly
    for table, without in (("plain", ("What it bounds", "")), ("wire", ("Who", "What"))):
        grids = html.split(f'<table class="{table}">')[1:]
        for grid in (text.split("</table>")[0] for text in grids):
            columns = re.findall(r'<th scope="col"[^>]*>([^<]*)', grid)
            labels = re.findall(r'data-label="([^"]*)"', grid.split("<tr")[2])
            assert len(labels) >= len(columns) - 1 - len(without), (columns, labels)


def test_every_row_stands_in_the_table_and_every_problem_has_its_card(failed: RunRecord) -> None:
    page = Page(render_html(failed))
    ids = {attrs["id"] for _, attrs in page.elements if "id" in attrs}
    assert {f"row-{row.id}" for row in failed.rows} <= ids
    assert ids & {row.id for row in failed.rows} == {"HBT-010", "EVT-020", "REC-030", "LOG-030", "MSG-020", "LOG-025"}
    for row in failed.rows:
        assert row.title in page.text
    cards = [attrs["id"] for name, attrs in page.elements if name == "article"]
    assert cards == ["HBT-010", "EVT-020", "REC-030", "LOG-030", "MSG-020", "LOG-025"]  # what decides comes first


def test_a_failure_shows_observation_measurement_evidence_and_the_way_on(failed: RunRecord) -> None:
    text = Page(render_html(failed)).text
    for part in (
        "No heartbeat for 41.3 s after record 24, though the connection was healthy.",
        "A heartbeat [] at least every 33 s.",
        "longest gap between heartbeats: 41.27 s, limit 33 s (± 1.4 ms, monotonic clock of the harness)",
        "records 24, 61",
        "evidence 24",
        "34 records left out",
        "Likely causes",
        "brokercert certify --only HBT-010 -- node client.mjs",
        "Blocks 3 rows: EVT-030, RLP-010, RLP-020",
    ):
        assert part in text


def test_the_cover_says_word_sentence_counts_and_that_the_broker_was_simulated(failed: RunRecord) -> None:
    text = Page(render_html(failed)).text
    cover = text[: text.index("No heartbeat for")]
    for part in (
        "node client.mjs: failed for part core: HBT-010, EVT-020, REC-030.",
        "23 pass",
        "3 fail",
        failed.set_hash,
        "simulated",
    ):
        assert part in cover


def test_the_cover_says_what_happened_to_the_run_itself(build: Callable[..., RunRecord]) -> None:
    """Whoever reads no further learns that it stood still, and what was played again. Nothing is said twice."""
    still = "The harness stood still while 2 scenarios ran, for up to 9.0 s at once."
    again = "2 scenarios played again, since the harness had stood still or had broken in them: login, steady."
    text = Page(render_html(build(notes=(SIMULATED, still, again)))).text
    cover = text[: text.index("Findings")]
    assert still in cover and again in cover
    assert all(text.count(note) == (note != SIMULATED) for note in (SIMULATED, still, again))


def test_a_certified_part_never_reads_like_the_whole(certified: RunRecord) -> None:
    page = Page(render_html(certified))
    assert "Certified for part core" in page.text
    assert "not a certificate of the set" in page.text
    assert "No requirement failed" in page.text


def test_budgets_draw_value_limit_and_error(failed: RunRecord) -> None:
    page = Page(render_html(failed))
    assert len([svg for svg in page.all("svg") if svg["class"] == "budget"]) == 4
    assert all(rect["fill"].startswith("#") for rect in page.all("rect"))  # colours without a style sheet
    (row,) = re.findall(r"<tr>.*HBT-010.*", render_html(failed)[render_html(failed).index('id="budgets"') :])
    assert re.sub("<[^>]*>", " ", row).split() == (
        "HBT-010 , measurement 3 longest gap between heartbeats 41.27 s ≤ 33 s 1.4 ms 1"
        " monotonic, harness steady".split()
    )


def test_deviating_limits_are_told(failed: RunRecord) -> None:
    changed = LimitUsed(name="connect", value=9, unit="s", origin="doc", text="to connect", default=5)
    run = msgspec.structs.replace(failed, limits=(changed, *failed.limits[1:]))
    text = Page(render_html(run)).text
    assert "This run deviates from the set in 1 limit: connect." in text
    assert "the set says 5 s" in text
    assert "deviates" not in Page(render_html(failed)).text


def test_what_the_client_declares_it_relies_on_is_told(certified: RunRecord) -> None:
    declared = msgspec.structs.replace(certified.subject, entity_types=("order", "account"))
    page = render_html(msgspec.structs.replace(certified, subject=declared))
    assert "relies on order, account. What it believes of anything else was not judged." in page
    assert "What it believes of anything else" not in render_html(certified), "all was, without a declaration"


def test_a_run_without_scenarios_calibration_or_rows_still_renders(build: Callable[..., RunRecord]) -> None:
    run = build(rows=(), scenarios=(), calibration=None, limits=(), environment={}, notes=(), tier="virtual")
    text = Page(render_html(run)).text
    assert "No scenario was played" in text and "in virtual time the clock is exact" in text
    run = build(calibration=Calibration(**dict.fromkeys(Calibration.__struct_fields__, 1)))
    assert "1 sample:" in Page(render_html(run)).text


def test_a_client_that_got_nowhere_shows_its_last_lines(build: Callable[..., RunRecord]) -> None:
    lines = tuple(f"line {n}" for n in range(30))
    died = ScenarioResult(
        name="login",
        title="",
        path="direct",
        exclusive=False,
        state="completed",
        exit="exit 1 (not asked)",
        output=lines,
    )
    refused = Finding(requirement="LOG-010", scenario="login", verdict=Verdict.FAIL, observed="no connection")
    run = build({"LOG-010": (refused,)}, default=Verdict.BLOCKED, scenarios=(died,))
    html = render_html(run)
    assert "The client got nowhere" in html and "line 10\nline 11" in html and "line 29" in html
    silent = msgspec.structs.replace(died, output=())
    text = Page(render_html(build({"LOG-010": (refused,)}, default=Verdict.BLOCKED, scenarios=(silent,)))).text
    assert "had printed nothing" in text


def test_hostile_text_is_shown_and_is_never_markup(hostile: tuple[str, RunRecord]) -> None:
    payload, run = hostile
    html = render_html(run)
    html.encode("utf-8")
    page = Page(html)
    assert {name for name, _ in page.elements} <= KNOWN
    assert not any(name.startswith("on") or name == "src" for _, attrs in page.elements for name in attrs)
    assert all(a["href"].startswith(("#", "./")) for a in page.all("a"))
    assert " ".join(printable(payload).split()).replace("`", "") in page.text.replace("`", "")
    assert not re.search("[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\u202e]", html)


def test_paths_are_never_schemes_and_code_is_escaped() -> None:
    assert path_url("javascript:alert(1)") == "./javascript%3Aalert%281%29"
    assert path_url("//evil.example/x") == "./evil.example/x"
    assert prose("a `<b>` c *d*") == "a <code>&lt;b&gt;</code> c *d*"
    assert authored("<b> *during* `x` 2*3*4") == "&lt;b&gt; <em>during</em> <code>x</code> 2*3*4"


def luminance(colour: str) -> float:
    channels = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
    linear = [c / 12.92 if c <= 0.03928 else ((c + 0.055) / 1.055) ** 2.4 for c in channels]
    return 0.2126 * linear[0] + 0.7152 * linear[1] + 0.0722 * linear[2]


def contrast(one: str, other: str) -> float:
    high, low = sorted((luminance(one), luminance(other)), reverse=True)
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("scheme", [0, 1], ids=["light", "dark"])
def test_every_text_colour_is_readable_on_every_ground(certified: RunRecord, scheme: int) -> None:
    """WCAG AA: 4.5 to 1, in both schemes, also on the washes behind failures and marked records."""
    blocks = re.findall(r":root \{(.*?)\}", render_html(certified), re.DOTALL)
    colours = dict(re.findall(r"--([\w-]+): (#[0-9a-f]{6})", blocks[scheme]))
    for text in ("ink", "soft", "link", "pass", "fail", "open", "broke", "mute"):
        for ground in ("paper", "raised", "fail-wash"):
            assert contrast(colours[text], colours[ground]) >= 4.5, (text, ground)
    assert contrast(colours["ink"], colours["mark"]) >= 4.5
    assert set(COLOURS) == set(Verdict)


def test_a_row_that_failed_everywhere_is_told_thrice_and_named_for_the_rest(build: Callable[..., RunRecord]) -> None:
    failures = tuple(
        Finding(requirement="LOG-010", scenario=f"place-{n}", verdict=Verdict.FAIL, observed=f"nothing at {n}")
        for n in range(9)
    )
    text = Page(render_html(build({"LOG-010": failures}))).text
    card = text[: text.index("Likely causes")]
    assert [n for n in range(9) if f"Nothing at {n}." in card] == [0, 1, 2]
    assert "6 further findings of this row in run.json: fail in place-3, fail in place-4" in card


def test_what_shows_a_pass_is_folded_and_its_row_leads_there(build: Callable[..., RunRecord]) -> None:
    line = ExcerptLine(record=12, at=0.5, conn=1, who="client", text="<b>authorize</b>", marked=True)
    run = build(excerpts={"LOG-025": (Excerpt(scenario="login", lines=(line,)),)})
    page = render_html(run)
    folded = re.findall(r'<details class="shown">(.*?)</details>', page, re.DOTALL)
    assert len(folded) == 1 and "&lt;b&gt;authorize" in folded[0] and 'class="marked"' in folded[0]
    assert '<a href="#shown-LOG-025">' in page and 'id="shown-LOG-025"' in folded[0]
    assert "shown-" not in render_html(build()), "a pass without an excerpt has nothing to fold"
