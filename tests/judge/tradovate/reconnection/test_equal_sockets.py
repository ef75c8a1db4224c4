"""Equal sockets have no identity across a loss: so many are owed, and a sentence tells how many came back."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import permutations

import pytest
from brokercert.matrix.truth.reader import untrue
from brokercert.trace import Shape
from brokercert.trace import records as r
from brokercert.verdict import Finding, Verdict, worst
from hypothesis import given, settings
from hypothesis import strategies as st
from lanes_played import beats, lost, synced_lane, talk_of, user, verdict
from msgspec.structs import replace
from talks import S, Talk

AT = 40.0


def equal(count: int) -> Shape:
    return Shape(lanes=(synced_lane(count=count, places=tuple(range(1, count + 1)), opened=(0,) * count),))


def played(sockets: int, back: int) -> Talk:
    """So many equal sockets are lost at once, and some of them are back 2 s later."""
    talk = talk_of(120)
    for conn in range(1, sockets + 1):
        user(talk, conn * 0.1, conn)
        beats(talk, 1, AT, conn)
    lost(talk, AT, *range(1, sockets + 1))
    for conn in range(sockets + 1, sockets + back + 1):
        user(talk, AT + 2 + 0.1 * (conn - sockets), conn)
        beats(talk, AT + 3, 120, conn)
    return talk


def said(talk: Talk, shape: Shape) -> list[Finding]:
    return [one for one in talk.findings(shape=shape) if one.requirement == "REC-010"]


def test_all_of_them_are_back() -> None:
    assert verdict(played(3, 3), "REC-010", equal(3)) == "pass"


@pytest.mark.parametrize("back", [1, 2])
def test_the_sentence_tells_how_many_are_back(back: int) -> None:
    talk, shape = played(3, back), equal(3)
    (missing,) = (one for one in said(talk, shape) if one.verdict is Verdict.FAIL)
    assert f"{back} of 3 equal sockets came back in" in missing.observed and "place of" not in missing.observed
    assert untrue(talk.trace(shape=shape), said(talk, shape)) == []
    for lie in (f"{back - 1} of 3", f"{back + 1} of 3", f"{back} of 4"):
        told = missing.observed.replace(f"{back} of 3", lie)
        assert untrue(talk.trace(shape=shape), [replace(missing, observed=told)]), told


@pytest.mark.parametrize("back", [1, 2])
def test_a_socket_more_than_a_healthy_start_has_is_not_owed(back: int) -> None:
    """That there was one more is REC-060's matter."""
    assert verdict(played(2, back), "REC-010", equal(1)) == "pass"
    assert verdict(played(2, 0), "REC-010", equal(1)) == "fail"


def test_of_equal_sockets_in_a_silence_none_is_named() -> None:
    talk, shape = talk_of(120), equal(3)
    for conn in (1, 2, 3):
        user(talk, conn * 0.1, conn)
        beats(talk, 1, AT, conn)
    talk.fault(round(AT * S), "silent-application")
    for conn in (4, 5):
        user(talk, AT + 10, conn)
        beats(talk, AT + 11, 120, conn)
    standing = [
        one for one in talk.findings(shape=shape) if one.requirement == "HBT-050" and "not given up" in one.observed
    ]
    assert [one.observed.partition(" in ")[0] for one in standing] == [
        "silent-application: one of 3 equal sockets was not given up"
    ]
    assert untrue(talk.trace(shape=shape), standing) == []
    (one,) = standing
    assert untrue(talk.trace(shape=shape), [replace(one, observed=one.observed.replace("one of 3", "one of 9"))])


# Whichever of them it was.


@dataclass(frozen=True)
class One:
    """What befell one of several equal sockets: how long before its end the last event came, how it ended, and how much
    later than the first of them.
    """

    quiet: float
    how: str
    later: float = 0.0


QUIET = (1.0, 7.0, 12.0)  # REC-010 speaks of the first FIN, neither row of the second, REC-015 of the third
ENDS = ("fin", "rst", "1000", "1012", "client")


def befell(ones: Sequence[One], backs: Sequence[float]) -> Talk:
    """These sockets are lost in this order of their numbers, and so many are back so much later."""
    talk = talk_of(120)
    for conn, one in enumerate(ones, 1):
        at = AT + one.later
        user(talk, 0.1, conn)
        beats(talk, 1, at - 0.1, conn)
        talk.broker(round((at - one.quiet) * S), conn, {"e": "clock", "d": "x"})
        if one.how.isdigit():
            talk.close(round(at * S), conn, "broker", int(one.how))
        talk.end(round(at * S), conn, "client" if one.how == "client" else "broker", one.how[:3])
        if one.how == "client":
            talk.told.append(r.RuleApplied(t=round((at - 0.2) * S), name="answer-after", conn=conn))
    for conn, back in enumerate(backs, len(ones) + 1):
        user(talk, AT + back, conn)
        beats(talk, AT + back + 1, 120, conn)
    return talk


def judged(ones: Sequence[One], backs: Sequence[float]) -> dict[str, str]:
    talk, shape = befell(ones, backs), equal(len(ones))
    findings = [one for one in talk.findings(shape=shape) if one.requirement in ("REC-010", "REC-015")]
    assert untrue(talk.trace(shape=shape), findings) == []
    return {row: str(worst(x.verdict for x in findings if x.requirement == row)) for row in ("REC-010", "REC-015")}


@given(st.data())
@settings(max_examples=60, deadline=None)
def test_no_verdict_follows_from_the_order_of_equal_sockets(data: st.DataObject) -> None:
    later = st.sampled_from((0.0, 0.5, 1.9))
    one = st.builds(One, st.sampled_from(QUIET), st.sampled_from(ENDS), later)
    ones = data.draw(st.lists(one, min_size=2, max_size=3))
    backs = sorted(data.draw(st.lists(st.sampled_from((2.5, 4.0, 9.5, 11.5, 20.0)), max_size=len(ones))))
    said = judged(ones, backs)
    assert all(judged(other, backs) == said for other in permutations(ones))


@pytest.mark.parametrize(
    ("quiet", "back", "verdict"),
    [
        ((7, 1, 1), 0, "fail"),
        ((7, 1, 1), 1, "fail"),  # one of the two that it speaks of is missing, whichever is back
        ((7, 1, 1), 2, "not observed"),  # the one that is missing may be the other one
        ((7, 1, 1), 3, "not observed"),  # neither row speaks of one of them
        ((12, 1, 1), 2, "not observed"),
        ((12, 1, 1), 3, "pass"),
        ((1, 1, 1), 2, "fail"),
    ],
)
def test_it_is_a_breach_where_it_is_one_whichever_of_them_are_back(
    quiet: tuple[float, ...], back: int, verdict: str
) -> None:
    for order in permutations(quiet):
        assert judged([One(q, "fin") for q in order], [2.0] * back)["REC-010"] == verdict, order


def test_one_that_is_late_may_be_any_of_them() -> None:
    both = [One(1, "fin"), One(12, "fin")]
    assert judged(both, [2, 15]) == {"REC-010": "not observed", "REC-015": "not observed"}
    assert judged(both, [15, 16]) == {"REC-010": "fail", "REC-015": "warning"}
    assert judged(both, [2, 3]) == {"REC-010": "pass", "REC-015": "pass"}


def test_one_that_ended_before_is_none_of_those_that_fell_silent() -> None:
    """Each has a fault record of its own, as in a recorded run, or one record is about all."""
    for each in (True, False):
        talk, shape = talk_of(160), equal(2)
        for conn in (1, 2):
            user(talk, conn * 0.1, conn)
            beats(talk, 1, 20 if conn == 1 else AT, conn)
        lost(talk, 20, 1)
        user(talk, 21, 3)
        beats(talk, 22, AT, 3)
        for number, conn in enumerate((2, 3) if each else (0,)):
            talk.fault(round(AT * S) + number * 1000, "silent-dead", conn)
        user(talk, AT + 10, 4)
        beats(talk, AT + 11, 160, 4)
        (standing,) = (
            one for one in talk.findings(shape=shape) if one.requirement == "HBT-050" and "not given up" in one.observed
        )
        assert standing.observed.startswith("silent-dead: one of 2 equal sockets was not given up in")
        assert untrue(talk.trace(shape=shape), [standing]) == []
        lie = replace(standing, observed=standing.observed.replace("one of 2", "one of 3"))
        assert untrue(talk.trace(shape=shape), [lie])


@pytest.mark.parametrize(("backs", "verdict"), [([4, 11.5], "pass"), ([10.5, 11.5], "fail"), ([4, 12.5], "fail")])
def test_the_first_that_is_back_is_the_one_that_was_due_first(backs: list[float], verdict: str) -> None:
    """The second was lost 1.9 s after the first."""
    for order in permutations((One(1, "fin"), One(1, "fin", 1.9))):
        assert judged(order, backs)["REC-010"] == verdict
