"""What the playings of a scenario say together: laws that hold whatever was found in each."""

from __future__ import annotations

import pytest
from brokercert.judge.plays import MOST, combined, is_touched
from brokercert.verdict import Finding, Form, Verdict, worst
from hypothesis import given
from hypothesis import strategies as st

ROWS = ("LOG-060", "EVT-010")
FORMS = {
    Verdict.FAIL: Form.ENDING,
    Verdict.WARNING: Form.AGAIN,
    Verdict.PASS: Form.SHOWN,
    Verdict.INCONCLUSIVE: Form.ENDING,
}


def found(row: str, verdict: Verdict, play: int, *, stalled: bool = False) -> Finding:
    return Finding(
        requirement=row,
        scenario="steady",
        verdict=verdict,
        observed="",
        form=FORMS.get(verdict),
        stalled=(1.0, 9.0) if stalled else None,
        play=play,
    )


@st.composite
def playings(draw: st.DrawFn) -> dict[int, list[Finding]]:
    """Any findings of one to three playings; a breach is never excused and still a breach."""
    plays = {}
    for play in range(1, draw(st.integers(1, MOST)) + 1):
        broke = draw(st.booleans()) and draw(st.booleans())
        plays[play] = []
        for row in ROWS:
            if broke:
                plays[play].append(found(row, Verdict.HARNESS_ERROR, play))
                continue
            for verdict in draw(st.lists(st.sampled_from([*FORMS, Verdict.NOT_OBSERVED, Verdict.BLOCKED]), max_size=3)):
                open_ = verdict in (Verdict.INCONCLUSIVE, Verdict.NOT_OBSERVED, Verdict.BLOCKED)
                plays[play].append(found(row, verdict, play, stalled=open_ and draw(st.booleans())))
    return plays


def of_row(findings: list[Finding], row: str) -> list[Finding]:
    return [finding for finding in findings if finding.requirement == row]


@given(playings())
def test_a_breach_that_nothing_excused_stands_whatever_else_was_played(plays: dict[int, list[Finding]]) -> None:
    breaches = [f for found in plays.values() for f in found if f.verdict in (Verdict.FAIL, Verdict.WARNING)]
    kept = combined(plays)
    assert all(breach in kept for breach in breaches)


@given(playings())
def test_nothing_is_said_that_no_playing_said(plays: dict[int, list[Finding]]) -> None:
    said = [f for found in plays.values() for f in found]
    assert all(finding in said for finding in combined(plays))


@given(playings())
def test_a_row_is_open_only_where_no_playing_of_it_was_whole(plays: dict[int, list[Finding]]) -> None:
    kept = combined(plays)
    for row in ROWS:
        own = [of_row(found, row) for found in plays.values()]
        whole = any(not any(map(is_touched, mine or all_)) for mine, all_ in zip(own, plays.values(), strict=True))
        touched = [one for one in of_row(kept, row) if is_touched(one)]
        assert bool(touched) is (any(own) and not whole)


@given(playings())
def test_no_pass_comes_of_a_playing_that_was_touched_alone(plays: dict[int, list[Finding]]) -> None:
    """Where every playing was touched in a row, the row is no better than its latest playing that did not break."""
    kept = combined(plays)
    for row in ROWS:
        own = {play: of_row(found, row) for play, found in plays.items()}
        if any(not any(is_touched(one) for one in found or plays[play]) for play, found in own.items()):
            continue
        assert worst(one.verdict for one in of_row(kept, row)) is not Verdict.PASS


@given(playings())
def test_one_playing_alone_says_what_it_said(plays: dict[int, list[Finding]]) -> None:
    assert sorted(map(repr, combined({1: plays[1]}))) == sorted(map(repr, plays[1]))


def test_a_second_playing_takes_the_place_of_one_that_was_touched() -> None:
    plays = {
        1: [found("LOG-060", Verdict.INCONCLUSIVE, 1, stalled=True), found("EVT-010", Verdict.PASS, 1)],
        2: [found("LOG-060", Verdict.PASS, 2), found("EVT-010", Verdict.PASS, 2)],
    }
    assert {(f.requirement, f.verdict) for f in combined(plays)} == {
        ("LOG-060", Verdict.PASS),
        ("EVT-010", Verdict.PASS),
    }


@pytest.mark.parametrize(
    "second",
    [found("EVT-010", Verdict.HARNESS_ERROR, 2), found("EVT-010", Verdict.INCONCLUSIVE, 2, stalled=True)],
    ids=["it broke", "it stood still"],
)
def test_a_second_playing_that_was_touched_too_takes_no_breach_away_by_its_silence(second: Finding) -> None:
    plays = {1: [found("LOG-060", Verdict.INCONCLUSIVE, 1, stalled=True)], 2: [second]}
    assert [one.play for one in of_row(combined(plays), "LOG-060")] == [1]


def test_a_presupposed_row_of_which_the_second_playing_says_nothing_is_no_longer_open() -> None:
    plays = {1: [found("LOG-060", Verdict.INCONCLUSIVE, 1, stalled=True)], 2: [found("EVT-010", Verdict.PASS, 2)]}
    assert of_row(combined(plays), "LOG-060") == []


@given(playings(), st.data())
def test_of_a_playing_that_was_cut_short_only_breaches_count(
    plays: dict[int, list[Finding]], data: st.DataObject
) -> None:
    cut = data.draw(st.sets(st.sampled_from(sorted(plays)), max_size=len(plays) - 1))
    whole = {play: found for play, found in plays.items() if play not in cut}
    breaches = [f for play in cut for f in plays[play] if f.verdict in (Verdict.FAIL, Verdict.WARNING)]
    assert sorted(map(repr, combined(plays, cut))) == sorted(map(repr, [*combined(whole), *breaches]))


def test_a_scenario_that_was_only_ever_cut_short_says_what_it_showed() -> None:
    plays = {1: [found("LOG-060", Verdict.NOT_OBSERVED, 1)]}
    assert combined(plays, {1}) == plays[1]
