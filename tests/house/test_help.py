"""The pages say of commands, options and exit statuses what the programs have, no less and no more."""

import re
import runpy
import sys
from pathlib import Path

import pytest
from brokercert import pytest_plugin
from brokercert.cli import COMMANDS, cli
from brokercert.verdict import EXIT_CODES, ExitCode

ROOT = Path(__file__).parents[2]


def page(name: str) -> str:
    return (ROOT / "docs" / name).read_text("utf-8")


def options_in(text: str) -> set[str]:
    return set(re.findall(r"(?<![\w-])--[a-z][a-z-]*", text))


@pytest.mark.parametrize("name", COMMANDS)
def test_the_page_has_the_options_of_every_command(name: str) -> None:
    command = cli.get_command(cli.make_context("brokercert", ["x"]), name)
    assert command is not None
    has = {option for parameter in command.params for option in parameter.opts if option.startswith("--")}
    sections = [text for text in page("command-line.md").split("\n## ") if f"    brokercert {name}" in text]
    assert len(sections) == 1
    shown = [line for line in sections[0].splitlines() if line.startswith(f"    brokercert {name}")]
    assert has - {"--help"} == options_in(shown[0]), "docs/command-line.md: the command's first line"


def test_make_forwards_every_verb_of_dev() -> None:
    verbs = set(runpy.run_path(str(ROOT / "dev.py"))["VERBS"]) | {"help"}
    targets = re.search(r"^VERBS := (.*)$", (ROOT / "Makefile").read_text("utf-8").replace("\\\n", " "), re.MULTILINE)
    assert targets and set(targets[1].split()) == verbs, "Makefile: VERBS"
    told = re.findall(r"dev\.py ([a-z |]+?)(?: +\[|  |\n)", runpy.run_path(str(ROOT / "dev.py"))["__doc__"])
    assert {verb for line in told for verb in line.split(" | ")} == verbs - {"help"}


def test_certify_explains_each_of_its_options() -> None:
    section = page("command-line.md").split("\n## certify")[1].split("\n## ")[0]
    rows = {option for line in section.splitlines() if line.startswith("| `--") for option in options_in(line[:30])}
    assert rows == options_in(section.splitlines()[2])


def test_the_page_has_the_options_of_the_pytest_plugin() -> None:
    names: set[str] = set()

    class Parser:
        def getgroup(self, *_: object) -> "Parser":
            return self

        def addoption(self, name: str, **_: object) -> None:
            names.add(name)

        def addini(self, *_: object, **__: object) -> None:
            pass

    pytest_plugin.pytest_addoption(Parser())  # type: ignore[arg-type]
    assert names == {option for option in options_in(page("pytest.md")) if option.startswith("--brokercert")}


@pytest.mark.parametrize(("file", "mark"), [("docs/exit-codes.md", "## pytest"), ("README.md", "All of it, with")])
def test_the_tables_of_exit_statuses_are_the_programs(file: str, mark: str) -> None:
    text = (ROOT / file).read_text("utf-8").split(mark)[0]
    listed = {int(number): line for number, line in re.findall(r"^\| (\d+) \| (.*)$", text, re.MULTILINE)}
    assert set(listed) == {int(code) for code in ExitCode}
    for outcome, code in EXIT_CODES.items():
        assert listed[code].startswith(outcome.value)


def test_dev_tells_all_its_verbs() -> None:
    sys.path.insert(0, str(ROOT))
    try:
        import dev
    finally:
        sys.path.remove(str(ROOT))
    told = set(re.findall(r"\b[a-z]+\b", " ".join(re.findall(r"dev\.py ([a-z |]+)", dev.__doc__))))
    assert set(dev.VERBS) <= told
