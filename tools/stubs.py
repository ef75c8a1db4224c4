"""What the stubs of `dev.py new` say. Each names its row, and raises or fails until it is filled in."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

LEFT = re.compile(r"FILL IN [A-Z]{3}-\d{3}: [^\"\n]*")
ROW_BEGINS = "[[requirement]]\n"


@dataclass(frozen=True, slots=True)
class Sample:
    """How the neighbours do it. `decorator` is imported from a module of its own, and so is `type`, the type of what is
    decorated: the argument of a function, the base of a class.
    """

    decorator: str
    type: str
    imports: tuple[str, ...]


def fill(row: str, what: str) -> str:
    return f"FILL IN {row}: {what}"


def registered(kind: str, row: str) -> str:
    """The name under which a stub is found by its suite, until it is renamed."""
    return {"scenario": "", "mutant": "fails-"}[kind] + row.lower()


def row_text(row: str) -> str:
    def todo(what: str) -> str:
        return f'"{fill(row, what)}"'

    def line(what: str) -> str:
        return f"# {fill(row, what)}; then delete this line"

    return f"""{ROW_BEGINS}\
id = "{row}"
title = {todo("the duty in about five words")}
level = "MUST"
text = {todo("what the client must do, in a sentence")}
source = {todo("the page and the place, as in S2 §2")}
{line("level, needs, antecedent, demanded_by: keep these, or as docs/design.md says (Verdicts and outcomes)")}
needs = ["wire"]
antecedent = "none"
demanded_by = ""
{line("limits = [each name of limits.toml that the check takes]")}
means = {todo("what a breach costs the user")}
causes = [
  {todo("what usually causes a failure")},
]
mend = {todo("what to change in the client")}
"""


def check_text(row: str, sample: Sample) -> str:
    return f'''

@{sample.decorator}("{row}")
def check_{slug(row)}(bench: {sample.type}) -> Iterator[Finding]:
    """{fill(row, "what it judges, in one sentence.")}"""
    raise NotImplementedError("{fill(row, "yield findings of bench.talk: bench.ok, bench.breach, bench.short")}")
'''


def scenario_text(row: str, sample: Sample) -> str:
    name = registered("scenario", row)
    return f'''

@{sample.decorator}("{name}", "{fill(row, "what happens; rename it by that")}", exercises=("{row}",))
async def {slug(row)}(stage: {sample.type}) -> None:
    raise NotImplementedError("{fill(row, "drive broker and faults, and wait; a scenario never judges")}")
'''


def mutant_text(row: str, sample: Sample) -> str:
    return f'''

@{sample.decorator}("{registered("mutant", row)}", "{row}", reason="{fill(row, "why just this row fails")}")
class Fails{row.replace("-", "")}({sample.type}):
    """{fill(row, "the one defect of this client; rename both by it.")}"""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        raise NotImplementedError("{fill(row, "the reference client with that defect, as its neighbours are")}")
'''


def test_text(row: str, sample: Sample) -> str:
    return f'''

def test_{slug(row)}() -> None:
    pytest.fail("{fill(row, "traces made by hand, as its neighbours are, on either side of the duty")}")
'''


HEADS = {
    "check": ("from collections.abc import Iterator", "from brokercert.verdict import Finding"),
    "scenario": (),
    "mutant": ("from typing import Any",),
    "test": ("import pytest",),
}


def slug(row: str) -> str:
    return row.lower().replace("-", "_")


TEXTS = {
    "check": check_text,
    "scenario": scenario_text,
    "mutant": mutant_text,
    "test": test_text,
}


def head_text(row: str, kind: str, sample: Sample) -> str:
    """The beginning of a file of its own: what it is about, and what it imports."""
    about = fill(row, f"what this {kind} is about; name the file by it, or move it into a neighbour.")
    imports = sorted(_joined((*HEADS[kind], *sample.imports)), key=_order)
    return "\n".join([f'"""{about}"""', "", "from __future__ import annotations", "", *_grouped(imports)])


def _joined(imports: Iterable[str]) -> Iterator[str]:
    """Imports of one module in one line."""
    names: dict[str, set[str]] = {}
    for line in imports:
        module, _, name = line.partition(" import ")
        names.setdefault(module, set()).add(name)
    for module, found in names.items():
        joined = ", ".join(sorted(found, key=lambda name: (name[:1].islower(), name)))
        yield f"{module} import {joined}" if joined else module  # `import pytest` names nothing of it


def _order(line: str) -> tuple[int, str]:
    module = line.split()[1]
    return (
        0 if module.startswith(("collections", "typing")) else 2 if module.startswith("brokercert_scenarios") else 1,
        module,
    )


def _grouped(imports: Sequence[str]) -> Iterator[str]:
    last = None
    for line in imports:
        if last is not None and last != _order(line)[0]:
            yield ""
        last = _order(line)[0]
        yield line
    yield ""
