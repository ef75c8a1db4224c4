"""What `dev.py generate` makes is what stands in the project, and a number that has changed is found and replaced."""

from __future__ import annotations

import re
from pathlib import Path

import generate
import pytest
from brokercert.engine.play.scenario import load_suite
from brokercert.engine.run.defects import Score, keep_score, kept_scores, matrix_hash, scores_of
from brokercert.engine.run.manifest import Kept, kept_text, todays
from brokercert.matrix.subjects import insiders, mutants_of
from brokercert.requirements import load_set
from generate import (
    COMMAND,
    COUNTED,
    PAGES,
    ROOT,
    GenerateError,
    Page,
    counted,
    counts,
    manifest,
    measured,
    stale,
    stale_scores,
)
from msgspec import structs

README = counted((ROOT / "README.md").read_text("utf-8"), counts())  # whether it is stale, the first test says


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.file)
def test_no_page_is_stale(page: Page) -> None:
    assert not stale(pages=(page,)), f"{page.file} is stale; run: {COMMAND}"


@pytest.mark.parametrize("set_id", measured())
def test_the_kept_score_is_of_todays_sources(set_id: str) -> None:
    """Else every report says that the score was not measured."""
    mend = f"run: brokercert matrix --set {load_set(set_id).name} --keep   (or, for all sets: {COMMAND} --all)"
    score = kept_scores(scores_of(set_id)).get(set_id)
    assert score is not None, f"data/scores.json has no score of {set_id}; {mend}"
    assert score.hash == matrix_hash(load_suite(set_id)), f"the score of {set_id} is of other sources; {mend}"
    inside = len(insiders(set_id))
    assert (score.mutants, score.outside) == (inside, len(mutants_of(set_id)) - inside), mend


def test_a_score_of_other_sources_is_stale_and_so_is_one_that_is_missing(tmp_path: Path) -> None:
    path = tmp_path / "scores.json"
    first, *others = measured()
    now = Score(set_id=first, hash=matrix_hash(load_suite(first)), mutants=1, killed=1, scenarios=1, cells=1)
    keep_score(now, path)
    assert list(stale_scores(path)) == others
    keep_score(Score(set_id=first, hash="0" * 16, mutants=1, killed=1, scenarios=1, cells=1), path)
    assert list(stale_scores(path)) == [first, *others]


@pytest.mark.parametrize("name", counts())
def test_a_number_that_grew_is_replaced_wherever_it_stands(name: str) -> None:
    numbers = {**counts(), name: 12345}
    new = counted(README, numbers)
    assert new != README and counted(new, numbers) == new, "made twice, it is the same"
    assert re.sub(r"\d+", "", new) == re.sub(r"\d+", "", README), "nothing but numbers changes"
    assert len(re.findall("12345", new)) >= sum(sentence.count(f"{{{name}}}") for sentence in COUNTED)
    assert counted(new, counts()) == README


def test_a_sentence_may_be_wrapped_anywhere() -> None:
    words = "*Stage 2: Websocket Management*, 3 rows".split(" ")
    for place in range(1, len(words)):
        text = " ".join(words[:place]) + "\n" + " ".join(words[place:])
        assert counted(text, {"stage2": 77}, COUNTED[2:3]) == text.replace("3", "77")


def test_a_sentence_that_is_gone_is_named_with_what_to_do() -> None:
    with pytest.raises(GenerateError, match=r"no sentence like 'certified for part core .*COUNTED in tools/generate"):
        counted("A page of other words.", counts())


def test_a_page_that_is_missing_is_stale(tmp_path: Path) -> None:
    assert stale(tmp_path, (Page("page.md", lambda _: "text\n"),)) == {"page.md": "text\n"}


@pytest.mark.parametrize(
    ("pages", "scores", "words", "status"),
    [
        ((), (), ("--check",), 0),
        (("README.md",), (), ("--check",), 1),
        ((), (measured()[0],), ("--check",), 0),  # named, and asked for by the test above
        ((), (measured()[0],), ("--check", "--all"), 1),
    ],
)
def test_what_is_stale_is_named_with_its_command(
    pages: tuple[str, ...],
    scores: tuple[str, ...],
    words: tuple[str, ...],
    status: int,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.setattr(generate, "stale", lambda: dict.fromkeys(pages, ""))
    monkeypatch.setattr(generate, "stale_scores", lambda: iter(scores))
    assert generate.main(words) == status
    told = capsys.readouterr().out.splitlines()
    assert len(told) == max(1, len(pages) + len(scores))
    assert all("stale" in line for line in told) and (not (pages or scores) or all(COMMAND in line for line in told))


def test_a_manifest_that_was_released_is_never_made_anew() -> None:
    set_id = measured()[0]
    now = kept_text(Kept(False, todays(set_id)))
    older = structs.replace(todays(set_id), set_hash="0" * 64)
    assert manifest(set_id, "") == manifest(set_id, kept_text(Kept(False, older))) == now
    assert manifest(set_id, kept_text(Kept(True, todays(set_id)))) == kept_text(Kept(True, todays(set_id)))
    with pytest.raises(
        GenerateError, match=f"{load_set(set_id).name}: version 1 was released, .*expected a new version"
    ):
        manifest(set_id, kept_text(Kept(True, older)))
