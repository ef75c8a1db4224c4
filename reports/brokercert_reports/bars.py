"""Small inline SVG: the share of each verdict, and a measurement against its limit.

The law: a drawing repeats what stands beside it in numbers. Colours are presentation attributes, so that they show
where a style sheet is refused (Jenkins' default policy); classes only adapt them to the dark.
"""

from __future__ import annotations

from collections.abc import Mapping

from brokercert.verdict import Measured, Verdict
from markupsafe import Markup

SHARE_WIDTH, SHARE_HEIGHT, GAP = 960, 12, 3
BAR_WIDTH, BAR_HEIGHT = 160, 18
ROOM = 1.12  # of the larger of value and limit, so that neither touches the edge

# One colour a verdict, on white at least 4.5 : 1. The same names are classes in report.css.
COLOURS: dict[Verdict, str] = {
    Verdict.HARNESS_ERROR: "#6d3fb0",
    Verdict.FAIL: "#c02b2b",
    Verdict.BLOCKED: "#96590a",
    Verdict.UNTESTED: "#d9736b",
    Verdict.INCONCLUSIVE: "#96590a",
    Verdict.NOT_OBSERVED: "#b98a3c",
    Verdict.WARNING: "#c9a227",
    Verdict.PASS: "#1d7a4a",
    Verdict.NOT_APPLICABLE: "#a4abb3",
}
UNASKED = COLOURS[Verdict.NOT_APPLICABLE]  # of a row that `--only` left out, whatever its verdict


def css_class(verdict: Verdict) -> str:
    return verdict.value.replace(" ", "-")


def share_bar(counts: Mapping[Verdict, int], unasked: int = 0) -> Markup:
    """One horizontal bar, a segment a verdict in the order given, as wide as its share; last, in grey, the rows that
    nobody asked for.
    """
    total = sum(counts.values()) + unasked
    if not total:
        return Markup("")
    segments = [(css_class(verdict), verdict.value, COLOURS[verdict], count) for verdict, count in counts.items()]
    segments.append(("unasked", "not asked for", UNASKED, unasked))
    shown = [segment for segment in segments if segment[-1]]
    label = ", ".join(f"{count} {name}" for _, name, _, count in shown)
    room = SHARE_WIDTH - GAP * (len(shown) - 1)
    parts = []
    x = 0.0
    for css, _, colour, count in shown:
        width = room * count / total
        parts.append(
            f'<rect class="f-{css}" x="{x:.1f}" y="0" width="{width:.1f}" height="{SHARE_HEIGHT}"'
            f' rx="2" fill="{colour}"/>'
        )
        x += width + GAP
    return Markup(
        f'<svg class="share" role="img" aria-label="{label}" width="{SHARE_WIDTH}" height="{SHARE_HEIGHT}"'
        f' viewBox="0 0 {SHARE_WIDTH} {SHARE_HEIGHT}" preserveAspectRatio="none">{"".join(parts)}</svg>'
    )


def budget_bar(one: Measured, verdict: Verdict) -> Markup:
    """The value as a bar, its error as a whisker, the limit as a tick. Drawn to the scale of the larger of the two."""
    limit = one.limit or 0.0
    scale = BAR_WIDTH / (max(one.value + one.error, limit, 1e-9) * ROOM)
    value, tick = max(0.0, one.value) * scale, limit * scale
    low, high = max(0.0, one.value - one.error) * scale, max(0.0, one.value + one.error) * scale
    middle = BAR_HEIGHT / 2
    whisker = (
        f'<line class="ink" x1="{low:.1f}" y1="{middle}" x2="{high:.1f}" y2="{middle}" stroke="#3c434b"/>'
        if high - low > 2  # pixels: a shorter one is only dirt
        else ""
    )
    return Markup(
        f'<svg class="budget" aria-hidden="true" width="{BAR_WIDTH}" height="{BAR_HEIGHT}"'
        f' viewBox="0 0 {BAR_WIDTH} {BAR_HEIGHT}">'
        f'<rect class="track" x="0" y="{middle - 3}" width="{BAR_WIDTH}" height="6" rx="1" fill="#e4e7ea"/>'
        f'<rect class="f-{css_class(verdict)}" x="0" y="{middle - 3}" width="{max(value, 1.5):.1f}" height="6" rx="1"'
        f' fill="{COLOURS[verdict]}"/>{whisker}'
        f'<line class="ink" x1="{tick:.1f}" y1="1" x2="{tick:.1f}" y2="{BAR_HEIGHT - 1}" stroke="#3c434b"'
        f' stroke-width="2"/></svg>'
    )
