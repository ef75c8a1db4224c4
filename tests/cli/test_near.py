"""What was nearly meant, and how it is said."""

from __future__ import annotations

import pytest
from brokercert.near import CLOSE, hint, likeness, near


@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("ulr", "url"),
        ("ordre", "order"),
        ("log-010", "LOG-010"),
        ("certfy", "certify"),
        ("cor", "core"),
        ("conect", "connect"),
        ("lgo-010", "LOG-010"),
        ("rest-url", "rest_url"),
        ("TOKEN", "token"),
    ],
)
def test_a_slip_is_close_to_what_was_meant(name: str, meant: str) -> None:
    assert likeness(name, meant) >= CLOSE and near(name, (meant, "something else"), CLOSE) == (meant,)
    assert hint(name, (meant, "something else")) == f"; did you mean {meant}?"


@pytest.mark.parametrize(("name", "known"), [("print", "port"), ("half", "core"), ("x", "y"), ("", "url")])
def test_another_word_is_not(name: str, known: str) -> None:
    assert likeness(name, known) < CLOSE and near(name, (known,), CLOSE) == ()


def test_what_is_as_good_as_equal_stands_alone_and_what_is_equally_near_stands_together() -> None:
    assert near("log-010", ("LOG-020", "LOG-010", "LOG-011")) == ("LOG-010",)
    assert hint("md_toke", ("md_token", "token"), "{{{}}}") == "; did you mean {md_token}?"
    assert hint("rowa", ("rowb", "rowc", "rowd", "rowe")) == "; did you mean rowb, rowc or rowd?"
    assert hint("zzz", ("url", "token")) == "" == hint("zzz", ())
