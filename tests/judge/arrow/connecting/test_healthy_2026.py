"""A healthy connection by the third edition of the page: conversations made by hand."""

from __future__ import annotations

import pytest
from arrow_talks import Talk3
from brokercert.trace import records as r


def connections(lost: float, until: float, left: float | None = None) -> Talk3:
    """One that the broker ends, and a second one, which the client may leave and replace."""
    talk = Talk3(until)
    talk.asks(1, 1)
    talk.ends(lost, 1)
    talk.asks(lost + 1, 2)
    if left is not None:
        talk.closes(left, 2, "client", 1000)
        talk.asks(left + 1, 3)
    return talk


@pytest.mark.parametrize(
    ("lost", "until", "left", "verdict"),
    [
        (70, 110, None, "pass"),
        (30, 110, None, "pass"),
        (30, 70, None, "not observed"),
        (70, 110, 90, "fail"),
        (30, 70, 50, "fail"),
        (30, 110, 100, "fail"),
    ],
    ids=[
        "the first for long",
        "the second for long",
        "neither for long",
        "the second is left",
        "the second is left, neither for long",
        "left late",
    ],
)
def test_each_connection_counts_up_to_its_loss(lost: float, until: float, left: float | None, verdict: str) -> None:
    assert connections(lost, until, left).verdict("AOC-350") == verdict


def test_a_client_that_dies_on_a_connection_did_not_survive_it() -> None:
    talk = connections(70, 110)
    talk.told.append(r.SubjectExited(t=90_000_000, code=1, asked=False))
    talk.ends(90, 2, "client")
    assert talk.verdict("AOC-350") == "fail"
