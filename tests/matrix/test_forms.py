"""Forms of mutants: the defect on some sockets only. They are made by themselves, and the tables say where none is."""

from __future__ import annotations

from collections import Counter
from dataclasses import replace
from pathlib import Path

import pytest
from brokercert.engine.play.scenario import load_suite
from brokercert.engine.run.run import RunRequest
from brokercert.engine.run.virtual_run import play_alone
from brokercert.matrix.cells import Cell, Due, cells_of, drawn_from, play_cell, play_due
from brokercert.matrix.score import differences
from brokercert.matrix.subjects import formless, forms_in, forms_of, insiders, mutants_of, subject_named
from brokercert.mutants.register import Form, Register
from brokercert.mutants.tradovate import FORMS
from brokercert.mutants.tradovate.forms import FormClient
from brokercert.reference.tradovate import ReferenceClient
from brokercert.reference.tradovate.requests import Outcome
from brokercert.requirements import load_set
from brokercert.trace import records as r

SET = "tradovate-stage2"
MADE = forms_of(SET)
NAMES = [form.name for form in FORMS.all]

# A mutant may leave its old socket to the garbage collector: that is its defect, and nobody else's.
pytestmark = pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning")


def authorizes(name: str, scenario: str, folder: Path) -> list[int]:
    """How many times each socket that was upgraded authorized, in the order of their upgrades."""
    rows = load_set(SET)
    request = RunRequest(SET, subject_named(SET, name), tier="virtual")
    played = play_alone(load_suite(SET).by_name(scenario), request, rows, "forms", folder)
    records = played.trace.records
    upgraded = [one.conn for one in records if isinstance(one, r.UpgradeAnswer) and one.status == 101]
    frames = [one for one in records if isinstance(one, r.Frame) and one.sender == "client" and one.text]
    sent = Counter(one.conn for one in frames if str(one.text).startswith("authorize"))
    return [sent[conn] for conn in upgraded]


@pytest.mark.parametrize(
    ("form", "scenario", "each"),
    [
        ("second-shard", "loss-fin", [1, 2, 1]),
        ("after-one-loss", "loss-fin", [1, 2]),
        ("after-one-loss", "heartbeat-streams", [1, 2, 2]),
        ("after-two-losses", "heartbeat-streams", [1, 1, 2]),
    ],
)
def test_a_form_has_the_defect_on_its_own_sockets_only(
    form: str, scenario: str, each: list[int], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    whole = replace(FORMS, rows={}).of(mutants_of(SET))
    monkeypatch.setattr("brokercert.matrix.subjects.known", lambda _: whole)
    found = authorizes(f"authorizes-twice@{form}", scenario, tmp_path)
    assert found[: len(each)] == each


@pytest.mark.parametrize("form", FORMS.all, ids=NAMES)
def test_a_form_of_no_defect_is_the_reference_client(form: Form, monkeypatch: pytest.MonkeyPatch) -> None:
    none = Register()
    none.mutant("none", "LOG-010", reason="no defect")(type("Sound", (ReferenceClient,), {"__doc__": "Nothing."}))
    monkeypatch.setattr("brokercert.matrix.subjects.known", lambda _: replace(FORMS, rows={}).of(none))
    for scenario in ("login-timed", "loss-fin", "order-flow", "request-ticket", "stop-open", "token-expired"):
        verdicts = play_cell(Cell(SET, f"none@{form.name}", scenario)).verdicts
        assert set(verdicts.values()) == {"pass"}, scenario


def test_a_new_mutant_has_its_forms_at_once() -> None:
    book = Register()
    book.mutant("new", "OFF-020", reason="why")(type("New", (ReferenceClient,), {"__doc__": "Does it wrong."}))
    made = FORMS.of(book)
    assert list(made) == [f"new@{name}" for name in NAMES]
    one = made["new@after-one-loss"]
    assert one.text == "Does it wrong: from its second socket on." and one.fails == {"OFF-020"}
    assert issubclass(one.client, FormClient) and one.client.mutant is book["new"].client


def test_what_belongs_to_no_socket_has_no_forms() -> None:
    book = Register()
    wide = type("Wide", (ReferenceClient,), {"__doc__": "Tells nothing.", "state": lambda self: {}})
    book.mutant("wide", "EVT-050", reason="why")(wide)
    assert FORMS.of(book) == {}
    assert FORMS.why_none(book["wide"], FORMS.all[0]) == FORMS.changes["state"]


def test_every_mutant_has_each_form_or_a_reason() -> None:
    without = formless(SET)
    for name in insiders(SET):
        for form in NAMES:
            assert (f"{name}@{form}" in MADE) != bool(without.get(f"{name}@{form}"))


def test_the_tables_speak_of_what_there_is() -> None:
    forms = forms_in(SET)
    assert forms is FORMS
    for name in FORMS.mutants:
        mutant, _, form = name.partition("@")
        assert mutant in mutants_of(SET) and form in ("", *NAMES)
    rows = load_set(SET).by_id
    forms_of_names = {f"{name}@{form}" for name in mutants_of(SET) for form in NAMES}
    assert set(FORMS.rows) <= {*NAMES, *forms_of_names} and set(FORMS.knocks) <= {*NAMES, *mutants_of(SET)}
    for table in (FORMS.rows, FORMS.knocks):
        assert {row for some in table.values() for row in some} <= set(rows)
    for name in FORMS.changes:
        assert hasattr(ReferenceClient, name)


def test_who_submits_on_a_socket_is_its_maker() -> None:
    taken: list[str] = []

    class Takes(ReferenceClient):
        """Takes it."""

        def submit(self, endpoint: str, done: object, **more: object) -> None:
            taken.append(endpoint)

    env = {"BROKERCERT_URL": "ws://x", "BROKERCERT_REST_URL": "http://x"}
    client = FORMS.all[0].make(Takes)(env, print)
    hand = client._hands[0]
    outcomes: list[Outcome] = []
    with pytest.raises(ConnectionError):
        client.submit("a", lambda outcome, _: outcomes.append(outcome), shard=0)
    hand.acting = client.defective
    client.submit("b", lambda outcome, _: outcomes.append(outcome), shard=0)
    assert taken == ["b"]


def test_of_each_row_a_mutant_plays_until_one_tells() -> None:
    told = play_due(Due(SET, "crashes-on-malformed-json@after-one-loss"))
    assert [one.cell.scenario for one in told] == ["malformed-json"] and told[0].verdicts["MSG-010"] == "fail"
    assert differences(told, MADE, {told[0].cell.subject}) == []


def test_the_other_cells_are_drawn_by_a_number() -> None:
    cells = cells_of(SET, tuple(insiders(SET)))
    some = drawn_from(cells, 50, 7)
    assert some == drawn_from(cells, 50, 7) != drawn_from(cells, 50, 8)
    assert len(set(some)) == 50 and some == sorted(some, key=cells.index)
    assert drawn_from(cells[:3], 50, 7) == cells[:3]
