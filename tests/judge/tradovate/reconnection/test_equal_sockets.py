"""Equal sockets have no identity across a loss: so many are owed, and a sentence tells how many came back."""

from __future__ import annotations

import pytest
from brokercert.matrix.truth.reader import untrue
from brokercert.trace import Shape
from brokercert.verdict import Finding, Verdict
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
