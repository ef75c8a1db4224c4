"""What the client prints: conversations made by hand, and what becomes of the row that each is about."""

from __future__ import annotations

import pytest
from arrow_talks import Talk
from brokercert.trace import records as r


@pytest.mark.parametrize("kind", ["session", "token", "password", "presented"])
def test_no_credential_is_printed_or_reported(kind: str) -> None:
    talk = Talk(30)
    talk.asks(1, 1)
    assert talk.verdict("AOS-010") == "pass"
    printed, reported = Talk(30), Talk(30)
    for one in (printed, reported):
        one.asks(1, 1)
    printed.told.append(r.SubjectOutput(t=5_000_000, stream="out", text=f"with «{kind}#1»"))
    reported.report(5, "error", text=f"with «{kind}#1»")
    assert printed.verdict("AOS-010") == reported.verdict("AOS-010") == "fail"
