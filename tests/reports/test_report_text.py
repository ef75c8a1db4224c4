"""What is shown of foreign text, and how numbers read."""

from __future__ import annotations

import pytest
from brokercert.verdict import Measured, RunRecord, decode_run, encode_run
from brokercert_reports.text import encodable_run, listing, measured_sentence, printable, printable_run, quantity


@pytest.mark.parametrize(
    ("raw", "shown"),
    [
        ("plain, «access-token#2», 日本", "plain, «access-token#2», 日本"),
        ("tab\tline\nend", "tab\tline\nend"),
        ("\x00\x07\x1b[31m\x9b", "\\x00\\x07\\x1b[31m\\x9b"),
        ("back\rover", "back\\x0dover"),
        ("\ud800 \udfff", "\\ud800 \\udfff"),
        ("\u202eexe.txt\ufeff\uffff", "\\u202eexe.txt\\ufeff\\uffff"),
    ],
)
def test_controls_and_surrogates_become_visible(raw: str, shown: str) -> None:
    assert printable(raw) == shown
    assert printable(shown) == shown


@pytest.mark.parametrize(
    ("value", "unit", "shown"),
    [
        (0.312, "s", "312 ms"),
        (1.999, "s", "1.999 s"),
        (33.0, "s", "33 s"),
        (41.27, "s", "41.27 s"),
        (0.0, "s", "0 s"),
        (0.00005, "s", "0.05 ms"),
        (8, "1", "8"),
        (12345.6, "1", "12346"),
        (0.21, "ms", "0.21 ms"),
    ],
)
def test_quantities_read_naturally(value: float, unit: str, shown: str) -> None:
    assert quantity(value, unit) == shown


def test_a_measurement_names_limit_error_clock_and_side() -> None:
    one = Measured(name="gap", value=41.27, unit="s", limit=33, error=0.0014)
    assert measured_sentence(one) == "gap: 41.27 s, limit 33 s (± 1.4 ms, monotonic clock of the harness)"


def test_a_long_listing_is_counted() -> None:
    assert listing("abcde", 3) == "a, b, c and 2 more"
    assert listing("abc", 3) == "a, b, c"


def test_a_printable_record_is_a_record_and_stays_one(hostile: tuple[str, RunRecord]) -> None:
    _, run = hostile
    once = printable_run(run)
    assert printable_run(once) == once
    assert decode_run(encode_run(once)) == once


def test_run_json_keeps_everything_that_json_can_hold(hostile: tuple[str, RunRecord], failed: RunRecord) -> None:
    payload, run = hostile
    again = decode_run(encode_run(encodable_run(run)))
    assert again.reproduce == payload.replace("\ud800", "\\ud800").replace("\udfff", "\\udfff")
    assert encodable_run(failed) == failed
