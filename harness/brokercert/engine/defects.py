"""How many known defects a suite catches: the score of its kill matrix, kept in the package for every report.

The law: a score is told only of the very sources that it was measured on; for any others a report says that it was
not. `brokercert matrix --keep` measures it and keeps it.
"""

from __future__ import annotations

import hashlib
from importlib.util import find_spec
from pathlib import Path

import msgspec

from brokercert.engine.scenario import Suite

SCORES = Path(__file__).parent.parent / "data" / "scores.json"


class Score(msgspec.Struct, frozen=True, kw_only=True):
    """What a run of the whole matrix says; kept with the hash of what it was made of. `killed` of `mutants`."""

    set_id: str
    hash: str
    mutants: int
    killed: int
    scenarios: int
    cells: int


def matrix_hash(suite: Suite) -> str:
    """Of all that decides a cell: the sources of suite, checks, mutants and their original."""
    dialect = suite.dialect
    scenarios = {getattr(scenario.play, "func", scenario.play).__module__ for scenario in suite.scenarios}
    client = getattr(dialect.reference.factory(), "__module__", "")
    modules = {*scenarios, dialect.judging.package, dialect.mutants, client} - {""}
    files: dict[str, Path] = {}
    for module in modules:
        spec = find_spec(module)
        if spec is not None and spec.origin is not None:
            folder = Path(spec.origin).parent
            files |= {f"{folder.name}/{path.name}": path for path in folder.glob("*.py")}
    digest = hashlib.sha256()
    for name in sorted(files):
        digest.update(f"{name}\n".encode() + files[name].read_bytes())
    return digest.hexdigest()[:16]


def kept_scores(path: Path = SCORES) -> dict[str, Score]:
    """Set -> its score. Empty where none was kept."""
    return msgspec.json.decode(path.read_bytes(), type=dict[str, Score]) if path.is_file() else {}


def keep_score(score: Score, path: Path = SCORES) -> None:
    scores = kept_scores(path) | {score.set_id: score}
    path.write_bytes(msgspec.json.format(msgspec.json.encode(dict(sorted(scores.items()))), indent=1) + b"\n")


def score_sentence(suite: Suite, path: Path = SCORES) -> str:
    """For reports; empty where the dialect has no mutants."""
    if not suite.dialect.mutants:
        return ""
    score = kept_scores(path).get(suite.set_id)
    if score is None or score.hash != matrix_hash(suite):
        return "How many known defects this suite catches was not measured for these sources: `brokercert matrix` does."
    return (
        f"This suite catches {score.killed} of {score.mutants} known defects, each tried in its {score.scenarios}"
        f" scenarios (kill matrix {score.hash})."
    )
