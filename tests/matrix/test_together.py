"""Several defects in one client: each row that one of them fails still falls, where it can be asked at all.

`PAIRS=500` in the environment draws so many pairs, and `PAIRS_SEED` others.
"""

from __future__ import annotations

import os
from functools import cache
from random import Random

import pytest
from brokercert.matrix.cells import FALLEN, Cell, Due, play_cell, play_due
from brokercert.matrix.subjects import insiders, mutants_of, outside
from brokercert.mutants.register import Mutant
from brokercert.mutants.tradovate.together import changes_of, together, why_not_together

SET = "tradovate-stage2"
NAMES = sorted(insiders(SET))
PAIRS, SEED = int(os.environ.get("PAIRS", "40")), int(os.environ.get("PAIRS_SEED", "1"))
JUDGED = {*FALLEN, "pass"}

pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")


@cache
def felled(name: str) -> dict[str, str]:
    """Row -> a scenario in which this mutant alone fails it."""
    told = play_due(Due(SET, name))
    rows = insiders(SET)[name].fails - outside(SET)
    return {row: one.cell.scenario for row in sorted(rows) for one in told if one.verdicts.get(row) in FALLEN}


def pairs() -> list[tuple[str, str]]:
    """Pairs that can be one client, by the seed."""
    rng, found = Random(SEED), list[tuple[str, str]]()
    while len(found) < PAIRS:
        one, other = rng.sample(NAMES, 2)
        if not why_not_together(insiders(SET)[one], insiders(SET)[other]):
            found.append((one, other))
    return found


def said_of(names: tuple[str, ...], monkeypatch: pytest.MonkeyPatch) -> dict[tuple[str, str], str]:
    """(mutant, row) -> what is said of the row of a client with all these defects, where the mutant alone fails it."""
    places = {(name, row): scenario for name in names for row, scenario in felled(name).items()}
    name = " and ".join(names)  # what a start of it shows is kept by its name
    one = Mutant(name, "All of them.", frozenset({"LOG-010"}), {}, "why", together(names))
    monkeypatch.setattr("brokercert.matrix.subjects.known", lambda _: {name: one})
    told = {scenario: play_cell(Cell(SET, name, scenario)) for scenario in set(places.values())}
    return {key: told[scenario].verdicts.get(key[1], "nothing") for key, scenario in places.items()}


# (who, row) -> why a client with this defect does what another one's row asks for.
DOES_IT_THEN = {
    ("two-loops-after-a-loss", "LOG-040"): "its second loop, a client without the other defect, met the refusal",
    ("two-loops-after-a-loss", "REC-040"): "two sockets of it synced, and what it believed then was the ledger's",
    ("two-loops-after-a-loss", "CON-040"): "where one loop stays away, the other is back",
    ("two-loops-after-a-loss", "REC-015"): "where one loop stays away, the other is back",
    ("late-beside-renewals", "CON-040"): "it goes on with calls about tokens where it no longer connects",
    ("authorizes-again-on-renewal", "HBT-060"): "a socket that was not authorized at first is at the renewal",
    ("late-beside-quotes", "EVT-140"): "15 s before every attempt are rest enough for a shutdown",
    ("late-beside-a-probe", "EVT-140"): "15 s before every attempt are rest enough for a shutdown",
    ("late-beside-renewals", "EVT-140"): "15 s before every attempt are rest enough for a shutdown",
    ("does-not-resync", "REC-020"): "it gets no further than its first loss, and is asked nothing while it logs in",
    ("never-gives-up-a-login-beside-quotes", "CON-045"): "which of two sockets tries, no refused upgrade tells",
}


@pytest.mark.parametrize("names", pairs(), ids=" and ".join)
def test_a_defect_hides_no_other(names: tuple[str, str], monkeypatch: pytest.MonkeyPatch) -> None:
    """A row that the other defect keeps from being asked is told as that; praised it is not."""
    said = said_of(names, monkeypatch)
    hidden = [key for key, verdict in said.items() if verdict == "pass"]
    assert said and [key for key in hidden if not {(name, key[1]) for name in names} & set(DOES_IT_THEN)] == []


MANY = (
    "takes-the-first-part-only",
    "keeps-old-cash-over-a-loss",
    "dies-of-an-unknown-name",
    "beats-on-the-old-socket",
    "sends-other-requests-in-a-penalty",
    "takes-a-text-for-success",
    "crashes-on-an-unknown-letter",
    "users-with-entity-types",
    "stays-away-after-1013",
    "pipelines-the-sync",
    "authorizes-again-on-renewal",
    "overlooks-answers-behind-events",
    "takes-userid-for-accountid",
    "sleeps-through-a-penalty",
    "knows-two-final-statuses",
    "takes-a-second-update-for-a-repetition",
    "ids-of-one-byte",
)


def test_a_client_with_many_defects_is_failed_in_the_rows_of_each(monkeypatch: pytest.MonkeyPatch) -> None:
    assert len(MANY) == 17
    said = said_of(MANY, monkeypatch)
    assert {key: verdict for key, verdict in said.items() if verdict not in FALLEN} == {}


def test_what_changes_the_same_thing_cannot_be_one_client() -> None:
    mutants = mutants_of(SET)
    assert changes_of(mutants["heartbeat-every-8-s"]) == {"config.heartbeat_every"}
    why = why_not_together(mutants["heartbeat-every-8-s"], mutants["heartbeat-every-40-s"])
    assert why == "heartbeat-every-8-s and heartbeat-every-40-s both change config.heartbeat_every"
    with pytest.raises(ValueError, match="both change config"):
        together(("heartbeat-every-8-s", "heartbeat-every-40-s"))
    assert "needs a process" in why_not_together(mutants["leaks-a-thread-a-socket"])
