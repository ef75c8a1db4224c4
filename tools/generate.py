"""Makes every generated page and every counted number anew; with `--check` it only says which of them is stale.

    python3 dev.py generate            the pages and the numbers, in seconds
    python3 dev.py generate --all      and the kept scores, which the kill matrix measures: minutes
    python3 dev.py generate --check    nothing is written; exit status 1 where a page or a number is stale

Pages are made of the requirement sets, the register of sentences and the mutants. The manifest of a set is made of its
rows, limits and scenarios, and is kept for each version. One that was released is never made anew: the set needs a new
version then. The scores are stale with every
change of a source that decides a cell of the kill matrix. So `--check` names them, and fails by them with `--all` only:
`tests/house/test_generated.py` asks for them in every build. Exit status 2: a sentence with a number is gone.
"""

from __future__ import annotations

import argparse
import re
import subprocess
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import msgspec
from brokercert.engine.play.scenario import load_suite
from brokercert.engine.run.defects import kept_scores, matrix_hash, scores_of
from brokercert.engine.run.manifest import Kept, kept_in, kept_text, todays
from brokercert.matrix.score import page as kill_matrix
from brokercert.requirements import available_sets, load_set
from brokercert.sets import own_sets
from brokercert.sources import load_sources, render_register
from plays import plays_page

ROOT = Path(__file__).resolve().parents[1]
COMMAND = "python3 dev.py generate"

# The sentences of README.md that hold a number, as they stand there with its name for the number.
COUNTED = (
    "certified for part core ({core} of {stage2} rows)",
    "the {core} rows that every client",
    "*Stage 2: Websocket Management*, {stage2} rows",
    "*WebSocket Order Updates API*, {arrow} rows",
    "page of 2026, {arrow2026} rows",
)


class GenerateError(Exception):
    """What is generated has no place: it names the file and the sentence, and says what to do."""


@dataclass(frozen=True, slots=True)
class Page:
    """A file of which all or some is made. `make` takes the file's text of before and gives the new one; it raises
    `GenerateError` where that is not to be.
    """

    file: str
    make: Callable[[str], str]


def counts() -> dict[str, int]:
    """The numbers that `COUNTED` names."""
    stage2, arrow, arrow2026 = map(load_set, ("tradovate-stage2", "arrow-orders", "arrow-orders@2026"))
    rows = {"stage2": stage2, "arrow": arrow, "arrow2026": arrow2026}
    return {"core": len(stage2.part("core")), **{name: len(one.rows) for name, one in rows.items()}}


def counted(text: str, numbers: Mapping[str, int], sentences: Sequence[str] = COUNTED) -> str:
    """The text with today's numbers in these sentences, however its lines are wrapped. Raises `GenerateError`."""
    for sentence in sentences:
        parts = re.split(r"\{(\w+)\}", sentence)
        words = [r"\s+".join(map(re.escape, part.split(" "))) for part in parts[::2]]
        found = list(re.finditer(r"(\d+)".join(words), text))
        if not found:
            raise GenerateError(
                f"README.md: no sentence like {sentence!r}; "
                "expected one: word it so, or word its entry of COUNTED in tools/generate.py as the page does"
            )
        places = [(match.span(group + 1), name) for match in found for group, name in enumerate(parts[1::2])]
        for (start, end), name in reversed(places):
            text = text[:start] + str(numbers[name]) + text[end:]
    return text


def readme(text: str) -> str:
    return counted(text, counts())


def manifest(set_id: str, before: str) -> str:
    """The kept manifest of the set's version. Raises `GenerateError` where that was released and would change."""
    released = bool(before) and msgspec.json.decode(before, type=Kept).released
    after = kept_text(Kept(released, todays(set_id)))
    if released and after != before:
        raise GenerateError(
            f"{load_set(set_id).name}: version {todays(set_id).version} was released, and its rows, limits or "
            f"scenarios have changed; expected a new version: give its set.toml another, then run: {COMMAND}"
        )
    return after


def manifests() -> Iterator[Page]:
    """Those of our sets, as they are today."""
    for set_id in own_sets():
        file = kept_in(set_id) / f"{todays(set_id).version}.json"
        yield Page(file.relative_to(ROOT).as_posix(), partial(manifest, set_id))


PAGES = (
    Page("docs/protocol/register.md", lambda _: render_register(load_sources())),
    Page("docs/kill-matrix.md", lambda _: kill_matrix(own_sets())),
    Page("docs/plays.md", lambda _: plays_page(own_sets())),
    Page("README.md", readme),
    *manifests(),
)


def stale(root: Path = ROOT, pages: Sequence[Page] = PAGES) -> dict[str, str]:
    """File -> its new text, of those that are not as they would be made. Raises `GenerateError`."""
    found = {}
    for page in pages:
        path = root / page.file
        before = path.read_text("utf-8") if path.exists() else ""
        if (after := page.make(before)) != before:
            found[page.file] = after
    return found


def measured() -> tuple[str, ...]:
    """The sets whose reports tell a score: those with mutants."""
    return tuple(set_id for set_id in available_sets() if load_suite(set_id).dialect.mutants)


def stale_scores(path: Path | None = None) -> Iterator[str]:
    """The sets whose kept score is of other sources than today's. `path`: where it is kept, if not in the package."""
    for set_id in measured():
        kept = kept_scores(path or scores_of(set_id))
        if set_id not in kept or kept[set_id].hash != matrix_hash(load_suite(set_id)):
            yield set_id


def _score_of(set_id: str) -> str:
    return f"{scores_of(set_id).relative_to(ROOT)}: {load_set(set_id).name}"


def measure(set_ids: Sequence[str]) -> int:
    """Play the kill matrix of these sets and keep their scores. The exit status of the first that is not as written."""
    for set_id in set_ids:
        name = load_set(set_id).name  # an id without an edition would be the newest one's
        command = (sys.executable, "-m", "brokercert", "matrix", "--set", name, "--keep")
        if status := subprocess.run(command, cwd=ROOT).returncode:
            return status
    return 0


def check(*, everything: bool) -> int:
    pages, scores = list(stale()), list(stale_scores())
    for file in pages:
        print(f"{file}: stale; run: {COMMAND}")
    for set_id in scores:
        print(f"{_score_of(set_id)}: stale; run: {COMMAND} --all   (minutes)")
    if not pages and not scores:
        print("generate: nothing is stale")
    return 1 if pages or (scores and everything) else 0


def write(*, everything: bool) -> int:
    pages = stale()
    for file, text in pages.items():
        (ROOT / file).parent.mkdir(exist_ok=True)
        (ROOT / file).write_text(text, "utf-8")
        print(f"{file}: made anew")
    scores = list(stale_scores())
    if scores and everything:
        return measure(scores)
    for set_id in scores:
        print(f"{_score_of(set_id)}: still stale; {COMMAND} --all measures it (minutes)")
    if not pages and not scores:
        print("generate: nothing was stale")
    return 0


def main(words: Sequence[str]) -> int:
    parser = argparse.ArgumentParser(prog="dev.py generate", description=(__doc__ or "").partition("\n")[0])
    parser.add_argument("--check", action="store_true", help="write nothing; exit status 1 where anything is stale")
    parser.add_argument("--all", action="store_true", help="the kept scores too; to measure them takes minutes")
    options = parser.parse_args(words)
    try:
        return (check if options.check else write)(everything=options.all)
    except GenerateError as error:
        print(f"dev.py generate: {error}", file=sys.stderr)
        return 2


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
