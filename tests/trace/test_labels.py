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


LONG = "eyJh.Qx7Tn2Lw9Rk4Vb8Zc1Md6Pf3Gs5Hj0Yu-aE_iOqWtXvNlBrKmDzCyS4UoA1"
PART = "«part of access-token#1»"


def secret_of(*values: str) -> Labels:
    labels = Labels()
    for value in values:
        labels.add("access-token", value)
    return labels


@pytest.mark.parametrize(
    ("text", "clean"),
    [
        (LONG[:-4], PART),
        (LONG[4:], PART),
        (LONG[:16], PART),
        (LONG[:12], PART),
        (LONG[7:40], PART),
        (f"first {LONG[:33]}", f"first {PART}"),
        (f"{LONG[:32]}\n{LONG[32:]}", "«access-token#1»"),
        (LONG[:11], LONG[:11]),
        (f"{LONG[:8]}...{LONG[-8:]}", f"{LONG[:8]}...{LONG[-8:]}"),
        (LONG.upper()[:40], PART),
        (f"{LONG}{LONG[:20]}", f"«access-token#1»{PART}"),
        (f"{LONG[40:]}{LONG}", f"{PART}«access-token#1»"),
        (LONG, "«access-token#1»"),
    ],
)
def test_a_longer_part_of_a_secret_is_one_too(text: str, clean: str) -> None:
    assert secret_of(LONG).redact(f"<{text}>") == f"<{clean}>"
    assert secret_of(LONG).redact(text, parts=False) == text.replace(LONG, "«access-token#1»"), "what the broker says"


OUTSIDE = st.text("{}\u200béß\u4e2d ", max_size=20)  # nothing that could be the secret's next character


@given(st.integers(0, 60), st.integers(1, 65), OUTSIDE, OUTSIDE)
def test_every_run_of_twelve_characters_is_found_wherever_it_stands(
    begin: int, length: int, before: str, after: str
) -> None:
    part = LONG[begin : begin + length]
    text = f"{before}\0{part}\0{after}"
    whole = "«access-token#1»" if part == LONG else PART
    found = secret_of(LONG).redact(text)
    assert found == (f"{before}\0{whole}\0{after}" if len(part) >= 12 else text)


def test_what_several_secrets_have_in_common_is_a_part_of_none() -> None:
    shared = "Qx7Tn2Lw9Rk4Vb8Zc1Md6Pf3"
    labels = secret_of(shared + LONG[30:], shared + LONG[:30:-1])
    assert labels.redact(f"<{shared}>") == "<«part of several secrets»>"
    assert labels.redact(f"<{shared}{LONG[30:40]}>") == f"<{PART}>"
    assert labels.redact(f"<{shared}{LONG[:30:-1][:10]}>") == "<«part of access-token#2»>"


def test_the_header_of_a_json_web_token_is_no_part_of_it() -> None:
    header = base64.urlsafe_b64encode(b'{"alg":"HS256","typ":"JWT"}').decode()
    token = f"{header}.{LONG[5:40]}.{LONG[40:]}"
    labels = secret_of(token)
    assert labels.redact(f"<{header}>") == "<«header of access-token#1»>"
    assert labels.redact(f"<{header}.{LONG[5:10]}>") == f"<{PART}>"
    assert labels.redact(token) == "«access-token#1»"


def test_a_short_secret_has_no_parts() -> None:
    assert secret_of(LONG[:23]).redact(LONG[:20]) == LONG[:20]
    assert secret_of(LONG[:23]).redact(LONG[:23].upper()) == "«access-token#1»"
    assert secret_of(LONG[:24]).redact(LONG[:20]) == PART
