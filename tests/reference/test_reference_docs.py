"""docs/reference-client.md says what the code says: its tables are made from the data.

`python tests/reference/test_reference_docs.py` writes the tables anew.
"""

from __future__ import annotations

import ast
import dataclasses
import re
from pathlib import Path

import pytest
from brokercert.reference.tradovate.config import Config
from brokercert.reference.tradovate.states import TRANSITIONS, Happening, State

HERE = Path(__file__).parent
PAGE = HERE.parents[1] / "docs" / "reference-client.md"
MEANINGS = {
    "heartbeat_every": "between two heartbeats, on a grid",
    "connect_within": "TCP, TLS and upgrade",
    "open_within": "the open frame `o`",
    "answer_within": "the answer to authorize",
    "request_within": "the answer to any other request",
    "silence_within": "without any message, until the server is given up (close code 4000)",
    "close_within": "a closing handshake that the server does not answer",
    "first_delay": "the first delay, at most",
    "longest_delay": "the longest delay",
    "stable_after": "of being synced, after which the ladder starts again",
    "lockout": "of silence after a 429, to the upgrade or to a request; without a sync request after a captcha",
    "refused_delay": "between uses of credentials that were refused",
}


def states() -> str:
    used = [happening for happening in Happening if any(happening in row for row in TRANSITIONS.values())]
    lines = ["| state | " + " | ".join(happening.value for happening in used) + " |", "| --- " * (len(used) + 1) + "|"]
    for state in State:
        cells = [TRANSITIONS[state].get(happening) for happening in used]
        names = " | ".join(cell.name if cell else "" for cell in cells)
        lines.append(f"| {state.name}: {state.value} | {names} |")
    return "\n".join(lines)


def numbers() -> str:
    defaults = {one.name: one.default for one in dataclasses.fields(Config)}
    lines = ["| of `Config` | s | what |", "| --- | --- | --- |"]
    lines += [f"| `{name}` | {defaults[name]:g} | {meaning} |" for name, meaning in MEANINGS.items()]
    largest = Config(url="", rest_url="", token="").largest_message // 2**20
    return "\n".join([*lines, "", f"Messages of up to {largest} MiB are taken (`largest_message`)."])


def limits() -> str:
    """The reasons of all expected failures of this folder."""
    found: list[str] = []
    for path in sorted(HERE.glob("test_*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and ast.unparse(node.func) == "pytest.mark.xfail":
                found += [ast.literal_eval(one.value) for one in node.keywords if one.arg == "reason"]
    return "\n".join(f"* {reason}" for reason in found) or "None is known."


SECTIONS = {"states": states, "numbers": numbers, "limits": limits}


def between(name: str) -> re.Pattern[str]:
    return re.compile(rf"(?<=<!-- {name}: begin -->\n).*?(?=<!-- {name}: end -->)", re.DOTALL)


@pytest.mark.parametrize("name", SECTIONS)
def test_the_page_has_what_the_code_has(name: str) -> None:
    (text,) = between(name).findall(PAGE.read_text())
    assert text == SECTIONS[name]() + "\n"


def test_every_time_of_the_configuration_is_told() -> None:
    assert set(MEANINGS) == {one.name for one in dataclasses.fields(Config) if one.type == "float"}


def test_every_file_has_its_line() -> None:
    folder = HERE.parents[1] / "harness" / "brokercert" / "reference"
    files = {path.name for path in (*folder.glob("*.py"), *(folder / "tradovate").glob("*.py"))}
    told = set(re.findall(r"`(\w+\.py)`", PAGE.read_text()))
    assert told | {"__init__.py", "__main__.py", "config.py"} == files


if __name__ == "__main__":
    written = PAGE.read_text()
    for section, make in SECTIONS.items():
        made = make() + "\n"
        written = between(section).sub(lambda _, made=made: made, written)
    PAGE.write_text(written)
