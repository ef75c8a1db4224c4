"""Rules that axe holds pages to, held here on the markup: names of controls, landmarks, sizes of targets."""

from __future__ import annotations

from collections.abc import Callable
from importlib.resources import files

import msgspec
import pytest
from brokercert.verdict import RunRecord, Verdict
from brokercert_reports.html import render_html
from brokercert_reports.live import render_live
from dom import CONTROLS, Node, alone, as_high, by_id, landmarks, matches, name_of, outside_landmarks, target, tree

TARGET = 24  # CSS pixels: WCAG 2.2, 2.5.8
STYLES = files("brokercert_reports") / "templates"


def pages(build: Callable[..., RunRecord], failed: RunRecord) -> dict[str, Node]:
    """Of each kind of run one, and the live page as it is before its script fills it."""
    excerpts = {row.id: row.excerpts for row in failed.rows if row.excerpts}
    runs = {
        "failed": failed,
        "certified": build(excerpts=excerpts),
        "whole": build(part="", default=Verdict.UNTESTED),
        "empty": build(rows=(), scenarios=()),
    }
    return {name: tree(render_html(run)) for name, run in runs.items()} | {"live": tree(render_live("Mock", "n"))}


def test_what_is_read_aloud_of_a_control_has_what_is_seen(build: Callable[..., RunRecord], failed: RunRecord) -> None:
    for where, root in pages(build, failed).items():
        for node in root.all(*CONTROLS):
            name = name_of(node, root)
            seen = node.text(seen=True) if node.tag in ("a", "button", "summary") else ""
            assert name, (where, node.tag, node.attributes)
            assert name.casefold().startswith(seen.casefold()), (where, seen, name)


def test_no_two_landmarks_of_one_role_have_one_name(build: Callable[..., RunRecord], failed: RunRecord) -> None:
    for where, root in pages(build, failed).items():
        found = landmarks(root)
        assert len(found) == len(set(found)), (where, sorted(found))
        assert all(name for role, name in found if role == "region"), where


def test_everything_stands_in_a_landmark(build: Callable[..., RunRecord], failed: RunRecord) -> None:
    for where, root in pages(build, failed).items():
        assert outside_landmarks(root) == [], where


@pytest.mark.parametrize(
    ("sheet", "kinds"), [("report.css", ("failed", "certified", "whole")), ("live.css", ("live",))]
)
def test_a_target_that_no_line_of_text_gives_its_height_is_high_enough(
    build: Callable[..., RunRecord], failed: RunRecord, sheet: str, kinds: tuple[str, ...]
) -> None:
    high = as_high((STYLES / sheet).read_text("utf-8"), TARGET)
    found = pages(build, failed)
    for kind in kinds:
        for node in found[kind].all(*CONTROLS):
            if node.tag != "a" or alone(node):
                assert any(matches(target(node), selector) for selector in high), (
                    kind,
                    node.tag,
                    node.attributes,
                    node.text(),
                )


def test_what_scrolls_can_be_reached_and_has_a_name(build: Callable[..., RunRecord], failed: RunRecord) -> None:
    for where, root in pages(build, failed).items():
        for node in (node for node in root.walk() if "scroll" in node.classes):
            assert node.attributes.get("tabindex") == "0" and name_of(node, root), where


def test_the_rules_notice_what_they_are_for() -> None:
    root = tree(
        '<body><p>lost</p><main><section aria-label="A"></section><div role="region" aria-label="A"></div>'
        '<ul><li><a href="#x" aria-label="Trace">steady</a></li></ul></main></body>'
    )
    (link,) = root.all("a")
    assert not name_of(link, root).startswith(link.text()) and alone(link)
    assert len(landmarks(root)) == 3 and len(set(landmarks(root))) == 2
    assert outside_landmarks(root) == ["lost"]
    assert as_high("ul a, .b { min-height: 24px; } p { min-height: 20px; }", TARGET) == ["ul a", ".b"]
    assert matches(link, "ul a") and not matches(link, "ol a") and not matches(link, ".b")


def test_findings_are_listed_first_each_with_a_link_that_stays(failed: RunRecord) -> None:
    root = tree(render_html(failed))
    cards = [node.attributes["id"] for node in root.all("article")]
    (index,) = (node for node in root.all("ol") if "index" in node.classes)
    assert [node.attributes["href"] for node in index.all("a")] == [f"#{ident}" for ident in cards]
    for ident in cards:
        title = by_id(root, f"{ident}-title")
        assert [node.attributes["href"] for node in title.all("a")] == [f"#{ident}"]
    assert "6 findings: 3 against the client, 2 left open, 1 without effect on the certificate." in root.text()


def test_a_finding_opens_with_what_it_means(failed: RunRecord) -> None:
    root = tree(render_html(failed))
    means = {row.id: row.means for row in failed.rows}
    for card in root.all("article"):
        (opening,) = (node for node in card.all("p") if "plainly" in node.classes)
        ident = card.attributes["id"]
        if ident in ("HBT-010", "EVT-020", "REC-030", "LOG-025"):
            assert opening.text() == tree(f"<p>{means[ident].replace('`', '')}</p>").text()
        else:
            assert "client" in opening.text() and means[ident] not in opening.text()


def test_what_is_not_part_of_the_certificate_is_grey_whatever_its_verdict(build: Callable[..., RunRecord]) -> None:
    base = build()
    outside = next(row for row in base.rows if not row.in_part)
    for verdict in Verdict:
        rows = tuple(msgspec.structs.replace(row, verdict=verdict) if row is outside else row for row in base.rows)
        root = tree(render_html(msgspec.structs.replace(base, rows=rows)))
        line = by_id(root, f"row-{outside.id}")
        assert line.classes[0] == "r-outside"
        assert [node.classes for node in line.all("span") if "v" in node.classes] == [["v", "v-outside"]]
        assert verdict.value in line.text()
        assert all("t-outside" in card.classes for card in root.all("article"))
    assert "v-untested" not in render_html(base).split("</style>")[1]
