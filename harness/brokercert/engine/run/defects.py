"""How many known defects a suite catches: the score of its kill matrix, kept in the package for every report.

The law: a score is told only of the very sources that it was measured on; for any others a report says that it was
not. `brokercert matrix --keep` measures it and keeps it.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from importlib.util import find_spec
from pathlib import Path

import msgspec

from brokercert.engine.ask.given import is_file
from brokercert.engine.play.scenario import Suite
from brokercert.sets import DATA, data_folder, own_sets

SCORES = "scores.json"  # beside the sets of a package

ALWAYS = ("brokercert", "brokercert_mock")
DECIDES = {".py", ".toml"}
_JUDGES: dict[str, str] = {}  # set -> the name of its judge in this process
NO_PART = ("cli", "fuzz", "live", "pytest_", "simulation")  # of the harness: no cell imports them


class Score(msgspec.Struct, frozen=True, kw_only=True):
    """What a run of the whole matrix says; kept with the hash of what it was made of. `killed` of `mutants`; `outside`
    are those that show their defect only as processes, which are no part of it. `forms`: the same mutants with their
    defect on some of their sockets only.
    """

    set_id: str
    hash: str
    mutants: int
    killed: int
    scenarios: int
    cells: int
    outside: int = 0
    forms: int = 0
    forms_killed: int = 0


def matrix_hash(suite: Suite) -> str:
    """Of all that decides a cell."""
    return digest_of(sources_of(suite))


def digest_of(files: Mapping[str, Path]) -> str:
    """Sixteen hexadecimal digits of these files, by their names."""
    digest = hashlib.sha256()
    for name, path in sorted(files.items()):
        digest.update(f"{name}\n".encode() + path.read_bytes())
    return digest.hexdigest()[:16]


def judge_of(suite: Suite) -> str:
    """The name of the build that judges here: a version has many. Of the same sources as the score; looked up once."""
    if suite.set_id not in _JUDGES:
        _JUDGES[suite.set_id] = matrix_hash(suite)
    return _JUDGES[suite.set_id]


def sources_of(suite: Suite) -> dict[str, Path]:
    """Code and data of the harness, the mock broker, and every package that a part of the dialect comes from."""
    dialect = suite.dialect
    plays = {getattr(scenario.play, "func", scenario.play).__module__ for scenario in suite.scenarios}
    client = getattr(dialect.reference.factory(), "__module__", "")
    modules = {*plays, dialect.broker.__module__, dialect.judging.package, dialect.mutants, client, *ALWAYS}
    files: dict[str, Path] = {}
    for package in {module.partition(".")[0] for module in modules if module}:
        spec = find_spec(package)
        for folder in map(Path, (spec and spec.submodule_search_locations) or ()):
            names = {path.relative_to(folder): path for path in folder.rglob("*") if path.suffix in DECIDES}
            files |= {
                f"{package}/{name.as_posix()}": path
                for name, path in names.items()
                if not name.parts[0].startswith(NO_PART)
            }
    return files


def scores_of(set_id: str) -> Path:
    """Where the score of a set is kept: in the data of the package that the set comes from."""
    folder = data_folder(set_id)
    return (DATA if folder is None or set_id in own_sets() else folder) / SCORES


def kept_scores(path: Path) -> dict[str, Score]:
    """Set -> its score. Empty where none was kept."""
    return msgspec.json.decode(path.read_bytes(), type=dict[str, Score]) if is_file(path) else {}


def keep_score(score: Score, path: Path | None = None) -> None:
    """Raises `OSError` where the package's data cannot be written."""
    path = path or scores_of(score.set_id)
    scores = kept_scores(path) | {score.set_id: score}
    path.write_bytes(msgspec.json.format(msgspec.json.encode(dict(sorted(scores.items()))), indent=1) + b"\n")


def score_sentence(suite: Suite, path: Path | None = None) -> str:
    """For reports; empty where the dialect has no mutants."""
    if not suite.dialect.mutants:
        return ""
    score = kept_scores(path or scores_of(suite.set_id)).get(suite.set_id)
    if score is None or score.hash != matrix_hash(suite):
        return "How many known defects this suite catches was not measured for these sources: `brokercert matrix` does."
    forms = (
        f" Of its {score.forms} forms of them, each with its defect on some sockets only, it catches"
        f" {score.forms_killed}."
        if score.forms
        else ""
    )
    more = f"; {score.outside} more show only in a process, in real time" if score.outside else ""
    return (
        f"This suite catches {score.killed} of {score.mutants} known defects, each tried in its {score.scenarios}"
        f" scenarios (kill matrix {score.hash}){more}.{forms}"
    )
