"""Whatever is cited is there: `TP §5.1`, `S2 §3`, `AR Heartbeat Protocol`, pages of docs/, and every relative link."""

import functools
import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from brokercert.requirements import load_set
from brokercert.sets import own_sets
from brokercert.sources import citations, place_key

ROOT = Path(__file__).parents[2]
PAGES = {"TP": "tradovate.md", "S2": "stage2.md", "AR": "arrow.md", "A3": "arrow-2026.md"}
TEXTS = (".py", ".md", ".toml", ".mjs", ".html", ".css")
OURS = (Path(__file__), Path(__file__).with_name("test_register.py"))  # hold citations that lead nowhere on purpose
MARKDOWN = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])

NUMBERS = r"§[\d.]+(?:-\d+)?(?: \([\d, ]+\))?(?:, row \d+)?"
NUMBERED = re.compile(rf"\b(TP|S2) ({NUMBERS}(?:(?:, | to | and ){NUMBERS})*)")
NAMED = re.compile(r"\b(S2|AR|A3),? ((?:overview|[A-Z][a-z]+)(?: [A-Z][a-z]+| handling)*)")
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
FILE = re.compile(r"`([\w./-]+\.(?:py|toml))`")
PAGE = re.compile(r"\bdocs/[\w/-]+\.md\b")
MEND = "cite a heading of docs/protocol/{tradovate,stage2,arrow}.md (TP, S2, AR), or write that section"


@functools.cache
def texts() -> tuple[tuple[str, str], ...]:
    """Every text of the project: its name, and its words with comment signs and line breaks made blanks."""
    folders = [ROOT / name for name in ("harness", "mock_server", "scenarios", "reports", "tests", "docs", "examples")]
    paths = [*ROOT.glob("*.*"), *(path for folder in folders for path in folder.rglob("*.*"))]
    return tuple(
        (str(path.relative_to(ROOT)), re.sub(r"\s+(?:# )?", " ", path.read_text("utf-8")))
        for path in paths
        if path.suffix in TEXTS and "node_modules" not in path.parts and path not in OURS
    )


def headings(path: Path) -> list[str]:
    text = re.sub(r"^```.*?^```", "", path.read_text("utf-8"), flags=re.MULTILINE | re.DOTALL)
    return re.findall(r"^#+ (.+)$", text, flags=re.MULTILINE)


def places(page: str) -> set[str]:
    """Where a page can be cited: a heading's number (`§5.1`), or its words."""
    found = set()
    for heading in headings(ROOT / "docs" / "protocol" / PAGES[page]):
        number = re.match(r"§?(\d+(?:\.\d+)?)\.? ", heading)
        found.add(f"§{number.group(1)}" if number else place_key(heading))
    return found


def numbers(cited: str) -> Iterator[str]:
    """The sections that `§1-2, §7.` names."""
    for first, last in re.findall(r"§(\d+(?:\.\d+)?)(?:-(\d+))?", cited):
        yield f"§{first}"
        if last:
            yield f"§{last}"


def failures(text: str) -> list[str]:
    """The rows of TP §11 that `§11 (2, 3)` or `§11, row 10` names."""
    found = re.findall(r"§11 \(([\d, ]+)\)", text) + re.findall(r"§11, row (\d+)", text)
    return [number for group in found for number in group.split(", ")]


def slug(heading: str) -> str:
    """A heading's anchor, as GitHub makes it."""
    return re.sub(r"[^\w\- ]", "", heading.lower()).replace(" ", "-")


def test_every_cited_section_is_a_heading() -> None:
    known = {page: places(page) for page in PAGES}
    dangling, seen = [], 0
    for name, text in texts():
        for page, cited in NUMBERED.findall(text):
            for number in numbers(cited):
                seen += 1
                if number not in known[page]:
                    dangling.append(f"{name}: {page} {number}")
    assert not dangling, MEND
    assert seen > 80  # as many as there were when this was written, nearly: a pattern that finds none proves nothing


def test_every_cited_name_is_a_heading() -> None:
    known = {page: places(page) for page in PAGES}
    dangling = [
        f"{name}: {page} {cited}"
        for name, text in texts()
        for page, cited in NAMED.findall(text)
        if not any(place_key(cited) == place or place_key(cited).startswith(f"{place} ") for place in known[page])
    ]
    assert not dangling, MEND


def test_every_row_cites_headings() -> None:
    known = {page: places(page) for page in PAGES}
    for set_id in own_sets():
        for row in load_set(set_id).rows:
            for page, place in citations(row.source):
                cited = list(numbers(place)) or [place_key(place)]
                assert set(cited) <= known[page], f"{row.id}: source: {page} {place}: {MEND}"


def test_every_cited_failure_of_real_clients_is_in_the_table() -> None:
    listed = set(re.findall(r"^\| (\d+) \|", (ROOT / "docs/protocol/tradovate.md").read_text("utf-8"), re.MULTILINE))
    cited = {number for _, text in texts() for number in failures(text)}
    assert len(cited) >= 8
    assert cited <= listed


def test_every_page_that_is_named_exists() -> None:
    named = {(name, page) for name, text in texts() for page in PAGE.findall(text)}
    assert {page for _, page in named} >= {"docs/design.md", "docs/protocol/tradovate.md"}
    missing = [item for item in named if not (ROOT / item[1]).is_file()]
    assert not missing, "write the page, or name one of docs/ where it is named"


def test_every_file_that_a_page_names_exists() -> None:
    """A file is named by its last parts. Capitals stand for a name that the reader chooses (`data/SET/set.toml`)."""
    others = {"tests/toxiproxy.py", "waivers.toml", "brokercert_driver.py"}  # files of a user's own project
    folders = [ROOT / name for name in ("harness", "mock_server", "scenarios", "reports", "tests", "tools", "examples")]
    found = [*ROOT.glob("*.*"), *(path for folder in folders for path in folder.rglob("*.*"))]
    known = {f"/{path.relative_to(ROOT)}" for path in found if "node_modules" not in path.parts}
    named = {(page.name, name) for page in MARKDOWN for name in FILE.findall(page.read_text("utf-8"))}
    assert len(named) > 60
    missing = {
        f"{page}: {name}"
        for page, name in named
        if name not in others and name == name.lower() and not any(path.endswith(f"/{name}") for path in known)
    }
    assert not missing


@pytest.mark.parametrize("path", MARKDOWN, ids=lambda p: str(p.relative_to(ROOT)))
def test_every_link_leads_somewhere(path: Path) -> None:
    text = re.sub(r"^```.*?^```", "", path.read_text("utf-8"), flags=re.MULTILINE | re.DOTALL)
    for target in LINK.findall(text):
        if re.match(r"[a-z]+:", target):
            continue
        name, _, anchor = target.partition("#")
        place = (path.parent / name).resolve() if name else path
        assert place.exists(), f"{path.name}: {target}"
        if anchor:
            assert anchor in map(slug, headings(place)), f"{path.name}: {target}"


# Every limit that is said to stand in a document, with the words of our page about that document that hold its value.
STATED: dict[str, dict[str, tuple[float, str, str]]] = {
    "tradovate-stage2": {
        "connect": (5, "stage2.md", "| connect | 5 s |"),
        "authenticate": (2, "stage2.md", "| authenticate | 2 s |"),
        "heartbeat_gap_page": (30, "stage2.md", "| heartbeats | every 30 s;"),
        "reconnect": (10, "stage2.md", "| attempt to reconnect | 10 s."),
        "processing_p99": (0.1, "stage2.md", "| process a message | 100 ms;"),
        "lockout": (3600, "tradovate.md", "429: no body, no ticket; an hour of waiting"),
        "captcha_rest": (
            3600,
            "tradovate.md",
            "cannot be solved by a program: wait an hour, tell the user. [documented]",
        ),
    },
    "arrow-orders": {
        "pong_every": (30, "arrow.md", "The client sends the text `PONG` every 30 s"),
        "read_timeout": (30, "arrow.md", "reconnects after 30 s without a message from the server"),
        "reconnect_max_delay": (10, "arrow.md", "| `reconnectMaxDelay` | 10 s |"),
        "reconnect_max_tries": (300, "arrow.md", "| `reconnectMaxTries` | 300 |"),
        "basic_sockets": (1, "arrow.md", "| Basic | 1 | 10 |"),
        "basic_reconnects": (10, "arrow.md", "| Basic | 1 | 10 |"),
        "premium_sockets": (3, "arrow.md", "| Premium | 3 | 30 |"),
        "premium_reconnects": (30, "arrow.md", "| Premium | 3 | 30 |"),
        "enterprise_sockets": (10, "arrow.md", "| Enterprise | 10 | unlimited |"),
    },
    "arrow-orders@2026": {
        "pong_every": (3, "arrow-2026.md", "sends the text `PONG` every 3 s"),
        "read_timeout": (5, "arrow-2026.md", "closes after 5 s without an incoming message"),
        "reconnect_max_delay": (5, "arrow-2026.md", "| `max_reconnect_delay` | 5 s |"),
        "reconnect_max_tries": (300, "arrow-2026.md", "| `max_reconnect_attempts` | 300 |"),
        "immediate_attempts": (3, "arrow-2026.md", "| `immediate_reconnect_attempts` | 3 |"),
        "basic_sockets": (1, "arrow-2026.md", "| Basic | 1 |"),
        "premium_sockets": (3, "arrow-2026.md", "| Premium | 3 |"),
        "enterprise_sockets": (10, "arrow-2026.md", "| Enterprise | 10 and more |"),
    },
}


@pytest.mark.parametrize("set_id", own_sets())
def test_a_limit_is_a_documents_only_where_its_value_stands_there(set_id: str) -> None:
    said = {name: limit.value for name, limit in load_set(set_id).limits.items() if limit.origin == "doc"}
    assert said == {name: value for name, (value, _, _) in STATED[set_id].items()}
    for name, (_, page, words) in STATED[set_id].items():
        text = (ROOT / "docs" / "protocol" / page).read_text("utf-8")
        assert words in " ".join(text.split()), f"{name}: {page} does not say so"
