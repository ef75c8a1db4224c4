"""The register of mutants: every core row has one that must fail it, and each differs from its original."""

from __future__ import annotations

import pytest
from brokercert.mutants.tradovate import MUTANTS
from brokercert.mutants.tradovate.mutant import mutant
from brokercert.reference.tradovate import ReferenceClient
from brokercert.requirements import load_set

CORE = """
    LOG-010 LOG-020 LOG-025 LOG-030 LOG-040 LOG-060 LOG-070 LOG-080 HBT-010 HBT-020 HBT-030 HBT-040 HBT-050 HBT-060
    EVT-010 EVT-020 EVT-030 EVT-100 EVT-110 RLP-010 RLP-020 RLP-030 RLP-040
    LOG-045 LOG-050 LOG-055 LOG-090 LOG-100 REQ-010 HBT-070 HBT-080 EVT-140 RLP-070 RLP-080 REC-070
    REQ-020 REQ-030 REQ-040 RLP-050 RLP-060 REC-090
    EVT-040 EVT-050 EVT-060 EVT-070 EVT-080 EVT-120 EVT-130 REC-040 REC-080
    CON-010 CON-020 CON-030 CON-040 CON-045 CON-050 EVT-090 EVT-095 REC-035 REC-100 RLP-090
    REC-010 REC-015 REC-020 REC-030 REC-050 REC-060 MSG-010 MSG-020 OFF-010
""".split()
ENV = {"BROKERCERT_URL": "ws://127.0.0.1:9/", "BROKERCERT_REST_URL": "http://127.0.0.1:9", "BROKERCERT_TOKEN": "t"}


@pytest.mark.parametrize("row", CORE)
def test_every_core_row_has_a_mutant_that_must_fail_it(row: str) -> None:
    assert [one.name for one in MUTANTS.values() if row in one.fails]


@pytest.mark.parametrize("name", MUTANTS)
def test_a_mutant_names_rows_that_there_are_and_says_why(name: str) -> None:
    rows = {row.id for row in load_set("tradovate-stage2").rows}
    one = MUTANTS[name]
    assert one.name == name and one.fails and one.fails <= rows and one.also <= rows
    assert not one.fails & one.also
    assert one.text.endswith(".") and one.reason and not one.reason.endswith(".")


@pytest.mark.parametrize("name", MUTANTS)
def test_a_mutant_is_a_client_like_the_reference_client_and_not_the_same(name: str) -> None:
    made = MUTANTS[name].client
    assert issubclass(made, ReferenceClient) and made is not ReferenceClient
    assert isinstance(made(ENV, lambda line: None), ReferenceClient)


def test_no_two_mutants_are_one_class_or_one_sentence() -> None:
    assert len({one.client for one in MUTANTS.values()}) == len(MUTANTS)
    assert len({one.text for one in MUTANTS.values()}) == len(MUTANTS)


def test_a_name_that_stands_already_and_a_defect_unsaid_are_refused() -> None:
    class Silent(ReferenceClient):
        pass

    Silent.__doc__ = None
    before = dict(MUTANTS)
    for name, client in (("never-syncs", ReferenceClient), ("silent", Silent)):
        with pytest.raises(ValueError, match=name):
            mutant(name, "LOG-010", reason="none")(client)
    assert before == MUTANTS
