"""Ids of requests: REQ-010."""

from __future__ import annotations

import pytest
from beating import logged_in
from talks import S


@pytest.mark.parametrize(
    ("idents", "verdict"),
    [(("1", "2"), "pass"), (("1", "1"), "fail"), (("7", "07"), "fail"), (("0", "1"), "fail"), ((), "not observed")],
    ids=["two", "one twice", "7 and 07 are one number", "that of authorize again", "authorize alone shows nothing"],
)
def test_an_id_is_one_requests_whatever_its_endpoint(idents: tuple[str, ...], verdict: str) -> None:
    talk = logged_in(60)
    for place, (ident, endpoint) in enumerate(zip(idents, ("account/list", "order/list"), strict=False)):
        talk.client((10 + place) * S, 1, f"{endpoint}\n{ident}\n\n")
    assert talk.verdict("REQ-010") == verdict
