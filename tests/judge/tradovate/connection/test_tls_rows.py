"""CON-030, end to end in virtual time: a bad certificate at the start, and once more after a loss."""

from __future__ import annotations

import ssl
from pathlib import Path
from typing import Any

import pytest
from brokercert.engine.client.subject import SubjectSpec
from brokercert.engine.run.run import Quiet, RunRequest, run_certification
from brokercert.matrix.subjects import subject_named
from brokercert.mutants.tradovate import MUTANTS
from brokercert.reference.tradovate import ReferenceClient
from brokercert.trace import read_trace
from brokercert.trace import records as r
from brokercert.verdict import RunRecord
from websockets.asyncio.client import ClientConnection

BAD = ("tls-untrusted", "tls-wrong-host", "tls-expired")


def played(client: Any, out: Path, *scenarios: str) -> tuple[RunRecord, dict[str, int]]:
    """The record, and how often the client was started in each scenario."""
    spec = SubjectSpec(name="client", factory=client, level="wire", offers=frozenset({"wire", "stop", "tls"}))
    request = RunRequest("tradovate-stage2", spec, scenarios=scenarios, tier="virtual", out=out)
    record = run_certification(request, Quiet())
    told = {s.name: read_trace(out / record.run_id / s.trace).records for s in record.scenarios}
    return record, {n: sum(isinstance(x, r.SubjectStarted) for x in records) for n, records in told.items()}


def verdict(record: RunRecord) -> tuple[str, set[str]]:
    """Of CON-030, and the other rows that fall."""
    others = {row.id for row in record.rows if row.id != "CON-030" and str(row.verdict) in ("fail", "warning")}
    return next(str(row.verdict) for row in record.rows if row.id == "CON-030"), others


def test_the_reference_client_meets_it_twice_in_one_start(tmp_path: Path) -> None:
    record, starts = played(ReferenceClient, tmp_path, *BAD, "tls-cut")
    assert verdict(record) == ("pass", set())
    findings = next(row.findings for row in record.rows if row.id == "CON-030")
    assert len([f for f in findings if f.scenario in BAD]) == 2 * len(BAD)
    assert set(starts.values()) == {1}


class Leaves(ReferenceClient):
    """Odd and right: a certificate that is bad ends it."""

    async def open_socket(self) -> ClientConnection:
        try:
            return await super().open_socket()
        except ssl.SSLCertVerificationError as error:
            raise RuntimeError("nothing can be done") from error


@pytest.mark.parametrize("client", [Leaves, MUTANTS["never-reconnects"].client], ids=["leaves", "never reconnects"])
def test_a_client_that_does_not_come_back_is_asked_too(client: Any, tmp_path: Path) -> None:
    record, starts = played(client, tmp_path, *BAD)
    assert verdict(record) == ("pass", set())
    assert set(starts.values()) == {2}, "the control"


@pytest.mark.parametrize("form", ["", "@after-one-loss"])
def test_a_client_that_trusts_any_fails_and_fails_nothing_else(form: str, tmp_path: Path) -> None:
    name = f"trusts-every-certificate{form}"
    record, _ = played(subject_named("tradovate-stage2", name).factory, tmp_path, *BAD)
    assert verdict(record) == ("fail", set())


def test_a_client_that_trusts_any_at_its_first_socket_need_not_reconnect_to_fail(tmp_path: Path) -> None:
    class Both(MUTANTS["trusts-every-certificate"].client):  # type: ignore[misc]
        delay_after = MUTANTS["never-reconnects"].client.delay_after

    assert verdict(played(Both, tmp_path, *BAD)[0])[0] == "fail"
