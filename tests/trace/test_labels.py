"""Every form of a secret that real clients were seen to write is found, and keeps its identity and place."""

import base64
import json
from urllib.parse import quote, quote_plus

import pytest
from brokercert.trace import Labels
from hypothesis import given
from hypothesis import strategies as st

TOKEN = "ab<c>d-._~+/ef==xyz9876"

FORMS = {
    "raw": TOKEN,
    "JSON string": json.dumps(TOKEN),
    "JSON in JSON": json.dumps(json.dumps(TOKEN)),
    "escaped <": TOKEN.replace("<", "\\u003c").replace(">", "\\u003e"),
    "escaped <, upper": TOKEN.replace("<", "\\u003C").replace(">", "\\u003E"),
    "URL": quote(TOKEN, safe=""),
    "URL, plus": quote_plus(TOKEN),
    "URL, lower": quote(TOKEN, safe="").lower() if TOKEN.islower() else quote(TOKEN, safe=""),
    "base64": base64.b64encode(TOKEN.encode()).decode(),
    "base64, after one byte": base64.b64encode(b"u" + TOKEN.encode() + b":more").decode(),
    "base64, after two bytes": base64.b64encode(b"u:" + TOKEN.encode()).decode(),
    "base64, URL alphabet": base64.urlsafe_b64encode(TOKEN.encode()).decode(),
    "hexadecimal": TOKEN.encode().hex(),
    "bytes": str(list(TOKEN.encode())),
    "bytes, no brackets": ", ".join(map(str, TOKEN.encode())),
    "bytes, indented": json.dumps(list(TOKEN.encode()), indent=2),
    "characters": json.dumps(list(TOKEN)),
    "object of characters": json.dumps({str(i): c for i, c in enumerate(TOKEN)}),
    "object, indented": json.dumps({str(i): c for i, c in enumerate(TOKEN)}, indent=2),
}


@pytest.mark.parametrize("form", FORMS)
def test_a_form_becomes_the_label_in_its_place(form: str) -> None:
    labels = Labels()
    labels.add("access-token", "another-token-of-no-matter")
    label = labels.add("access-token", TOKEN)
    clean = labels.redact(f"before {FORMS[form]} after")
    assert label == "«access-token#2»"
    assert clean.startswith("before ") and clean.endswith(" after")
    assert clean.count(label) == 1
    assert TOKEN not in clean and FORMS[form] not in clean


def test_the_same_value_keeps_its_label_and_another_gets_its_own() -> None:
    labels = Labels()
    assert labels.add("p-ticket", "ticket-one") == labels.add("p-ticket", "ticket-one") == "«p-ticket#1»"
    assert labels.add("p-ticket", "ticket-two") == "«p-ticket#2»"
    assert labels.redact("ticket-two ticket-one") == "«p-ticket#2» «p-ticket#1»"


def test_a_secret_that_begins_another_does_not_hide_it() -> None:
    labels = Labels()
    labels.add("access-token", "abcdefgh")
    labels.add("md-token", "abcdefghijkl")
    assert labels.redact("abcdefghijkl") == "«md-token#1»"


def test_a_value_that_ordinary_text_would_contain_is_refused() -> None:
    with pytest.raises(ValueError, match="at least 4"):
        Labels().add("password", "ab")


@given(st.text(alphabet=st.characters(min_codepoint=33, max_codepoint=126), min_size=12, max_size=60), st.text())
def test_no_secret_survives_inside_any_text(secret: str, around: str) -> None:
    labels = Labels()
    labels.add("access-token", secret)
    assert secret not in labels.redact(around + secret + around)
    assert secret not in json.loads(json.dumps(labels.redact(json.dumps({"x": secret}))))


def test_a_text_that_no_utf8_can_say_keeps_its_places() -> None:
    labels = Labels()
    label = labels.add("access-token", TOKEN)
    listed = ",".join(map(str, TOKEN.encode()))
    assert (
        labels.redact(f"\ud800é\udfff {TOKEN} \ud83d [{listed}]\udc00") == f"\ud800é\udfff {label} \ud83d {label}\udc00"
    )


def test_of_two_secrets_that_begin_alike_each_list_gets_its_own_label() -> None:
    labels = Labels()
    short = labels.add("access-token", TOKEN[:12])
    long = labels.add("access-token", TOKEN)
    lists = [json.dumps(list(value.encode())) for value in (TOKEN[:12], TOKEN)]
    assert labels.redact(f"{lists[0]} {lists[1]}") == f"{short} {long}"
