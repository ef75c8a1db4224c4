"""CONTRIBUTING.md is true: its paths, verbs and tests exist, and the build's shares are those of its sections."""

from __future__ import annotations

import re
import runpy
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PAGES = ("CONTRIBUTING.md", "tools/README.md", "SECURITY.md")
BUILD_TAKES = 45 * 60  # seconds, at most
SPANS = re.compile(r"`([^`\n]+)`")
VERBS = runpy.run_path(str(ROOT / "dev.py"))["VERBS"]


def text(page: str) -> str:
    return (ROOT / page).read_text("utf-8")


def section(heading: str) -> str:
    return text("CONTRIBUTING.md").split(f"\n## {heading}\n")[1].split("\n## ")[0]


@pytest.mark.parametrize("page", PAGES)
def test_every_path_that_a_page_names_exists(page: str) -> None:
    words = [word for span in SPANS.findall(text(page)) for word in span.split()]
    paths = [word for word in words if re.fullmatch(r"[\w.-]+(/[\w.-]+)+/?", word) and not word.startswith("out/")]
    assert [path for path in paths if not (ROOT / path).exists()] == []


def test_every_verb_that_a_page_names_exists() -> None:
    named = {verb for page in PAGES for verb in re.findall(r"dev\.py ([a-z]+)", text(page))}
    assert len(named) > 5 and named <= {*VERBS, "help"}


def test_every_tool_is_in_the_list_of_tools() -> None:
    listed = set(re.findall(r"`([\w.]+\.(?:py|toml))`", text("tools/README.md").split("| --- |")[-1]))
    assert listed == {path.name for path in (ROOT / "tools").iterdir() if path.suffix in (".py", ".toml")}


def test_a_row_needs_what_the_page_says() -> None:
    """Every part that `test_rows_whole.py` asks for, and every kind that `dev.py new` lays out, has its step."""
    from new import OF_A_ROW

    steps = [line for line in section("A row").splitlines() if re.match(r"\| \d+\. ", line)]
    assert len(steps) >= 10
    for kind in ("row", *(kind for kind in OF_A_ROW if kind != "test"), "limits", "sources", "edits", "generate"):
        assert any(kind in step for step in steps), kind


def shares() -> dict[str, list[str]]:
    table = section("The build").split("| section |")[1].split("\n\n")[0]
    rows = [line.strip("| ").split(" | ") for line in table.splitlines()[2:]]
    return {name: figures for name, *figures in rows}


def built() -> list[list[str]]:
    """The sections of the build in their order; those that run side by side are one group."""
    groups: list[list[str]] = [[]]
    run = (ROOT / ".ci" / "run").read_text("utf-8")
    for alone, together, _ in re.findall(r'^ *(?:section "([^"]+)"|beside "([^"]+)"|(gather)$)', run, re.MULTILINE):
        if alone:
            groups.insert(-1, [alone])
        elif together:
            groups[-1].append(together)
        else:
            groups.append([])
    assert not groups[-1], "what was started side by side is never waited for"
    return groups[:-1]


def test_the_table_has_every_section_of_the_build_in_its_order() -> None:
    assert list(shares()) == [name for group in built() for name in group], "CONTRIBUTING.md, The build"


def test_the_shares_are_no_more_than_the_build_may_take() -> None:
    """Of sections side by side the longest counts."""
    given = sum(max(int(shares()[name][0]) for name in group) for group in built())
    left = re.search(r"leave (\d+) s", section("The build").replace("\n", " "))
    assert left and given + int(left[1]) == BUILD_TAKES


def test_no_section_took_more_than_its_share() -> None:
    for name, (share, took) in shares().items():
        assert took == "not measured" or int(took) <= int(share), f"{name}: give it a larger share, or make it cheaper"


def test_what_is_longer_is_in_the_table_of_the_night() -> None:
    table = section("The build").split("| section of `dev.py nightly` |")[1].split("\n\n")[0]
    listed = [line.strip("| ").split(" | ")[0] for line in table.splitlines()[2:]]
    assert listed == list(runpy.run_path(str(ROOT / "tools" / "nightly.py"))["SECTIONS"])


def test_the_builds_folder_holds_no_program_but_the_build() -> None:
    """Programs of development are in tools/, each with its line there."""
    assert {path.name for path in (ROOT / ".ci").iterdir()} <= {"run", "nightly.json"}
