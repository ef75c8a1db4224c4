"""Drawings of figures: they say what stands beside them in numbers, whatever a record holds."""

from __future__ import annotations

import re
import xml.etree.ElementTree as ET
from collections.abc import Callable
from html.parser import HTMLParser

import pytest
from brokercert.judge.drawn import spread, steps
from brokercert.verdict import Drawn, Finding, Measured, RunRecord, Verdict
from brokercert_reports.charts import HEIGHT, LEFT, RIGHT, WIDTH, charts, histogram, is_whole, ladder
from brokercert_reports.html import render_html
from brokercert_reports.text import quantity
from hypothesis import given
from hypothesis import strategies as st

Build = Callable[..., RunRecord]
MS = 1000
TIMES = sorted([*(MS * n // 10 for n in range(10, 1010)), 70 * MS, 120 * MS])
LIMIT = 0.05
HOSTILE = '</text></svg><script>alert(1)</script>" onload="x'
Q = st.lists(st.integers(0, 10**9), min_size=1, max_size=200)


def measured(times: list[int]) -> tuple[Measured, ...]:
    of = {"p99": times[len(times) * 99 // 100 - 1], "median": times[len(times) // 2], "worst": times[-1]}
    return tuple(Measured(name=f"processing, {name}", value=t / 1e6, unit="s", limit=LIMIT) for name, t in of.items())


def texts(svg: str) -> list[str]:
    return [one.text or "" for one in ET.fromstring(svg).iter("text")]


def bars(svg: str) -> list[tuple[float, float, float]]:
    """x, width and height of each."""
    of = [one for one in ET.fromstring(svg).iter("rect") if one.get("class") == "bar"]
    return [(float(one.get("x", "")), float(one.get("width", "")), float(one.get("height", ""))) for one in of]


@given(Q)
def test_each_time_lies_in_one_bar(times: list[int]) -> None:
    drawn = spread("processing", times, LIMIT)
    assert is_whole(drawn) and sum(drawn.counts) == len(times)
    for low, high, count in zip(drawn.values, drawn.values[1:], drawn.counts, strict=False):
        inside = sum(low * 1e6 < max(1, time) * (1 - 1e-9) <= high * 1e6 for time in times)
        assert inside == count or abs(inside - count) <= sum(
            abs(time / 1e6 - edge) < 2e-9 for time in times for edge in (low, high)
        )


def test_a_histogram_says_median_p99_worst_and_the_limit() -> None:
    drawn = spread("processing", TIMES, LIMIT)
    svg, told = histogram(drawn, measured(TIMES))
    assert {"median", "p99", "worst", "limit"} <= set(texts(svg))
    for one in measured(TIMES):
        assert f"{one.name.removeprefix('processing, ')}: {quantity(one.value, 's')}" in told
    assert f"limit: {quantity(LIMIT, 's')}" in told and told[0].startswith(f"{len(TIMES)} figures from ")
    within = sum(time <= LIMIT * 1e6 for time in TIMES)
    (said,) = [int(one.split()[2]) for one in told if one.startswith("at least ")]
    assert 0 < said <= within, "no more than lies within it"
    label = ET.fromstring(svg).get("aria-label", "")
    assert all(one in label for one in told), "whoever sees no drawing is told the same"


@given(Q)
def test_bars_are_as_high_as_they_hold_many_and_lie_within_the_drawing(times: list[int]) -> None:
    drawn = spread("processing", times, LIMIT)
    svg, _ = histogram(drawn, measured(sorted([*times, *times])))
    shown = bars(svg)
    assert len(shown) == len(drawn.counts)
    for (x, width, height), count in zip(shown, drawn.counts, strict=True):
        assert height == pytest.approx(HEIGHT * count / max(drawn.counts), abs=0.06)
        assert LEFT - 0.1 <= x and x + width <= LEFT + WIDTH + RIGHT


@given(st.lists(st.integers(0, 10**9), min_size=1, max_size=300))
def test_a_ladder_has_a_bar_an_attempt_against_its_limits(delays: list[int]) -> None:
    drawn = steps("delays before attempts", delays, [("longest delay", 10.0)], [1.0] * len(delays))
    svg, told = ladder(drawn, ())
    shown = bars(svg)
    most = max(*(value for value in drawn.values[: len(shown)]), 10.0)
    for (x, width, height), value in zip(shown, drawn.values, strict=False):
        assert height == pytest.approx(HEIGHT * value / (most * 1.08), abs=0.1)
        assert LEFT <= x and x + width <= LEFT + WIDTH + 1.1
    assert "longest delay 10 s" in texts(svg) and "longest delay: 10 s" in told
    assert told[0].startswith(f"delays before attempts: {quantity(drawn.values[0], 's')}")
    assert (len(delays) > len(shown)) == told[-1].endswith("more are not drawn")


@pytest.mark.parametrize(
    "drawn",
    [
        Drawn(name="x", unit="s", values=()),
        Drawn(name="x", unit="s", values=(1.0,), counts=(1,)),
        Drawn(name="x", unit="s", values=(2.0, 1.0), counts=(1,)),
        Drawn(name="x", unit="s", values=(0.0, 1.0), counts=(1,)),
        Drawn(name="x", unit="s", values=(1.0, 2.0), counts=(0,)),
        Drawn(name="x", unit="s", values=(1.0, 2.0), counts=(-1,)),
        Drawn(name="x", unit="s", values=(1.0, 2.0, 3.0), counts=(1,)),
        Drawn(name="x", unit="s", values=(-1.0, 0.0), limits=(("y", -5.0),), rungs=(-1.0, 2.0, 3.0)),
        Drawn(name=HOSTILE, unit=HOSTILE, values=(1.0, 2.0), counts=(3,), limits=((HOSTILE, 0.0),)),
        Drawn(name=HOSTILE, unit=HOSTILE, values=(1.0, 2.0), limits=((HOSTILE, 1.0),)),
    ],
)
def test_whatever_a_record_holds_is_drawn_as_text_or_left_out(build: Build, drawn: Drawn) -> None:
    more = Measured(name=f"{drawn.name}, {HOSTILE}", value=-1.0, unit=HOSTILE)
    page = render_html(build({"LOG-010": (_finding(drawn, more),)}))
    seen: list[tuple[str, list[str]]] = []

    class Reader(HTMLParser):
        def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
            seen.append((tag, [name for name, _ in attrs]))

    Reader().feed(page)
    assert not [tag for tag, names in seen if tag == "script" or "onload" in names]


def _finding(drawn: Drawn, *measured: Measured) -> Finding:
    return Finding(
        requirement="LOG-010", scenario="login", verdict=Verdict.PASS, observed="x", drawn=(drawn,), measured=measured
    )


def test_the_page_draws_each_once_beside_its_numbers(build: Build) -> None:
    run = build({"LOG-010": (_finding(spread("processing", TIMES, LIMIT), *measured(TIMES)),) * 2})
    page = render_html(run)
    assert page.count('<svg class="chart"') == len(charts(run)) == 1
    (chart,) = charts(run)
    assert re.sub(r"\s+", " ", "; ".join(chart.told)) in page and '<a class="id" href="#row-LOG-010">' in page
    assert render_html(build()).count('<svg class="chart"') == 0
