"""Large snapshots, and snapshots in parts."""

from __future__ import annotations

from brokercert.trace import records as r
from talks import S, alone, authorize, healthy, sync


def large(mib: float, *, leaves: float | None = None, tier: str = "real") -> str:
    talk = alone(60)
    authorize(talk, 2, s=200)
    sync(talk, 3, ident=1, d={"orders": ["x" * round(mib * (1 << 20))]})
    if leaves is not None:
        healthy(talk, leaves)
        talk.told.append(r.Ended(t=round(leaves * S), conn=1, by="client", how="fin"))
    return talk.verdict("EVT-090", tier=tier)


def test_a_large_snapshot_is_one_of_five_mebibytes() -> None:
    assert large(5.1) == "pass"
    assert large(4) == "not observed" and large(1.5, tier="virtual") == "pass"
    assert large(5.1, leaves=10) == "fail"


def test_parts_of_a_snapshot_are_judged_under_a_declared_reading_alone() -> None:
    talk = alone(60)
    authorize(talk, 2, s=200)
    sync(talk, 3, ident=1, d={})
    ledger = {"order": {"1": {"ordStatus": "Working"}}}
    talk.told.append(r.Ledger(t=10 * S, name="after the last part", state=ledger))
    for number, at in enumerate((20, 30)):
        talk.told.append(r.Command(t=at * S, id=number, command="snapshot", body={}))
        body = {"event": "snapshot", "id": number, "entities": {"order": []}}
        talk.told.append(r.SubjectReport(t=at * S, event="snapshot", body=body))
    assert talk.verdict("EVT-095") == "not observed"
    assert talk.verdict("EVT-095", readings={"split-snapshot": "one id"}) == "warning"
    assert talk.verdict("EVT-095", readings={"split-snapshot": "wrappers"}) == "warning"
