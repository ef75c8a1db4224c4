"""No disguise hides a secret in what a client made; and text that holds none stays as it is."""

from __future__ import annotations

import base64
import gc
import json
import random
import re
import string
from collections.abc import Callable
from urllib.parse import quote

import pytest
from brokercert.trace import Labels
from brokercert.trace.clean import Clean, shortened
from brokercert.trace.disguises import ESCAPED, OVERLAP, PART, SLICE, View, disguises_of, found_in, views
from brokercert.trace.labels import MOST_DISGUISED
from disguised import PARTS, WHOLE
from hypothesis import given, settings
from hypothesis import strategies as st

ALPHABET = string.ascii_letters + string.digits + "-_."
TOKEN = "8_2aQx7Tn2Lw9Rk4Vb8Zc1Md6Pf3Gs5Hj0Yu-aE_iOqWtXvNlBrKmDzCyS4UoA1.b"
# As brokers make them. One of sixty zeros has parts that stand everywhere.
MARKED = st.text(string.ascii_letters + string.digits + "-_.~+/=" * 4, min_size=24, max_size=80)
TOKENS = st.integers(0, 2**32).map(lambda seed: "".join(random.Random(seed).choices(ALPHABET, k=66)))


def labels_of(*secrets: str) -> Labels:
    labels = Labels()
    for secret in secrets:
        labels.add("access-token", secret)
    return labels


@pytest.mark.parametrize("disguise", WHOLE)
def test_a_disguised_secret_becomes_its_label(disguise: str) -> None:
    labels = labels_of("another-token-of-no-matter-at-all", TOKEN)
    clean = labels.redact(f"§ {WHOLE[disguise](TOKEN)} ¶")
    assert "«access-token#2»" in clean
    assert clean.startswith("§ ") and clean.endswith(" ¶")
    rest = clean.replace("«access-token#2»", "")
    assert not found_in(rest, [disguises_of(TOKEN)])


@pytest.mark.parametrize("disguise", PARTS)
def test_a_disguised_part_becomes_its_label(disguise: str) -> None:
    clean = labels_of(TOKEN).redact(f"§ {PARTS[disguise](TOKEN)} ¶")
    assert "«part of access-token#1»" in clean
    assert clean.startswith("§ ") and clean.endswith(" ¶")


@given(TOKENS, st.sampled_from(sorted(WHOLE)), st.text(max_size=30), st.text(max_size=30))
def test_whatever_the_secret_and_whatever_is_around_it(token: str, disguise: str, before: str, after: str) -> None:
    labels = labels_of(token)
    clean = labels.redact(f"{before}|{WHOLE[disguise](token)}|{after}")
    assert "access-token#1»" in clean
    assert token not in clean


@pytest.mark.parametrize("times", [1, 2, 3])
@pytest.mark.parametrize("disguise", WHOLE)
def test_json_around_a_disguise_hides_nothing(disguise: str, times: int) -> None:
    text = WHOLE[disguise](TOKEN)
    for _ in range(times):
        text = json.dumps({"text": text})
    clean = labels_of(TOKEN).redact(text)
    assert "access-token#1»" in clean and not found_in(clean, [disguises_of(TOKEN)])


@given(st.text(), st.lists(TOKENS, min_size=1, max_size=4))
def test_a_text_without_a_secret_stays(text: str, tokens: list[str]) -> None:
    assert labels_of(*tokens).redact(text) == text


def test_a_long_log_without_a_secret_stays() -> None:
    """Numbers, times, words and names of orders, a million characters of them: none is taken for a part of a secret."""
    draw = random.Random(7)
    labels = labels_of(*("".join(draw.choices(ALPHABET, k=65)) for _ in range(12)))
    lines = [
        f"2026-11-29T10:{draw.randrange(60):02}:{draw.random() * 60:09.6f}Z INFO order {draw.randrange(10**10)} "
        f"MESZ6 {draw.uniform(1000, 9000):.2f} {draw.getrandbits(64):016x} 0000000000 1111111111 working %20 =3D \\n"
        for _ in range(8000)
    ]
    text = "\n".join(lines)
    assert len(text) > 800_000 and labels.redact(text) == text


def test_no_repetition_of_the_pattern_of_escapes_is_without_a_bound() -> None:
    """But of what stands behind a character that it does not hold: a line of backslashes took a minute."""
    unbounded = re.findall(r"(\S{1,8})[*+](?!\})", ESCAPED.pattern.replace("\\\\", "B"))
    assert unbounded == ["%(?:25)"]


def test_what_a_long_text_holds_is_found_across_its_slices() -> None:
    labels = labels_of(TOKEN)
    for place in (SLICE - 30, SLICE, SLICE + OVERLAP - 30, 2 * SLICE - 1):
        for disguise in ("as it is", "binary", "escapes, u", "base64 in base64"):
            text = "." * place + WHOLE[disguise](TOKEN) + "." * SLICE
            clean = labels.redact(text)
            assert "«access-token#1»" in clean and not found_in(clean, [disguises_of(TOKEN)]), (place, disguise)


def test_many_parts_each_become_a_label() -> None:
    assert labels_of(TOKEN).redact(f"{TOKEN[:12]}|" * 3000) == "«part of access-token#1»|" * 3000


def test_what_a_client_makes_without_end_costs_no_memory_without_end() -> None:
    labels = Labels()
    for number in range(1_000):
        labels.add("access-token", f"{number:04}{TOKEN}")
    long = labels.add("access-token", TOKEN * 200)
    presented = labels.add("presented", f"presented-{TOKEN}")
    assert labels.redact("0" * 200) == "0" * 200
    assert len(labels._disguises) == MOST_DISGUISED
    assert labels.redact(f"0000{TOKEN}"[::-1]) == "«access-token#1»"
    # In their usual forms all of them are found.
    assert labels.redact(f"0999{TOKEN}") == "«access-token#1000»"
    assert labels.redact(f"<{TOKEN * 200}> <presented-{TOKEN}>") == f"<{long}> <{presented}>"


def test_what_is_kept_of_a_secret_costs_garbage_collection_next_to_nothing() -> None:
    """It stays for a whole run. Objects that a collection looks into, for each secret: its forms, and few more."""
    gc.collect()
    before = len(gc.get_objects())
    kept = [disguises_of(f"{number:05}{TOKEN}") for number in range(20)]
    gc.collect()
    assert len(gc.get_objects()) - before < 20 * 4 * len(kept[0].forms)


@given(st.text())
def test_a_folded_text_knows_where_it_was(text: str) -> None:
    for view in views(text):
        for place in range(len(view.folded)):
            start, end = view.span(place, place + 1)
            assert 0 <= start < end <= len(text)
        first, *_ = views(text)
        assert all(first.folded[n] == text[slice(*first.span(n, n + 1))].lower() for n in range(len(first.folded)))


@given(st.integers(0, 200), st.integers(0, 60), st.booleans())
def test_a_label_is_not_cut(at: int, most: int, cut_before: bool) -> None:
    text = Clean(f"{'x' * at}«access-token#1»{'y' * 300}")
    shown = shortened(text, most, cut_before=cut_before)
    assert text.startswith(shown)
    assert shown.count("«") == shown.count("»")
    assert len(shown) <= most + len("«access-token#1»")


def test_what_a_client_writes_between_such_marks_is_cut() -> None:
    assert shortened(Clean("«" + "x" * 500 + "»"), 100) == "«" + "x" * 99


@given(MARKED, st.data(), st.sampled_from([str, str.upper, str.lower]), st.text("x-. ", max_size=12))
def test_any_twelve_characters_in_a_row_are_found_however_many_marks_they_have(
    secret: str, data: st.DataObject, case: Callable[[str], str], before: str
) -> None:
    at = data.draw(st.integers(0, len(secret) - PART))
    text = f"{before}§{case(secret[at : at + PART])}§ and more"
    hits = found_in(text, [disguises_of(secret)])
    assert any(hit.start <= len(before) + 1 and hit.end >= len(before) + 1 + PART for hit in hits), text


# Secrets that are not ASCII.

LETTERS = "абвгдежзийклмнопрстуфхцчшщъыьэюя"  # of which a secret is made ...
OTHERS = "日本語中文字漢αβγδεζηθ؟ابجד«»…—😀"  # ... and a text that has nothing of it
FOREIGN = st.text(LETTERS, min_size=8, max_size=60)


@settings(deadline=None)
@given(FOREIGN, st.text(OTHERS + "? ,.:0123456789[]{}\"'\\", max_size=200))
def test_a_text_of_another_alphabet_holds_no_secret_that_is_not_ascii(secret: str, text: str) -> None:
    assert labels_of(secret).redact(text) == text


@settings(deadline=None)
@given(FOREIGN, st.integers(0, 3), st.sampled_from((",", " ", ", ", '", "', "\n")))
def test_numbers_in_a_row_are_no_secret_that_is_not_ascii(secret: str, first: int, between: str) -> None:
    """A list of its characters has their places in it, and those stand everywhere."""
    text = between.join(str(n) for n in range(first, 80))
    assert labels_of(secret).redact(text) == text


@settings(deadline=None)
@given(
    st.text(LETTERS, min_size=12, max_size=40),
    st.text(string.ascii_letters + string.digits, min_size=1, max_size=8),
    st.text(LETTERS + "-_", min_size=12, max_size=40),
    st.sampled_from(("{}", "id={}", "«{}»", "{0} {0} {0}", "x-{}-y")),
)
def test_the_few_letters_of_ascii_in_a_secret_are_not_all_of_it(before: str, some: str, after: str, text: str) -> None:
    said = text.format(some)
    assert labels_of(before + some + after).redact(said) == said


@settings(deadline=None)
@given(FOREIGN, st.text(OTHERS, max_size=20), st.text(OTHERS, max_size=20))
def test_a_secret_that_is_not_ascii_is_found_in_all_its_bytes(secret: str, before: str, after: str) -> None:
    for disguise in (
        secret,
        secret.upper(),
        json.dumps(secret)[1:-1],
        secret.encode().hex(" "),
        base64.b64encode(secret.encode()).decode(),
        quote(secret),
        "".join(f"\\x{byte:02x}" for byte in secret.encode()),
    ):
        clean = labels_of(secret).redact(f"{before}|{disguise}|{after}")
        assert "access-token#1»" in clean, disguise
        assert clean.startswith(f"{before}|") and clean.endswith(f"|{after}")


@settings(deadline=None)
@given(st.text(min_size=8, max_size=60), st.text(max_size=100), st.text(max_size=100))
def test_no_character_moves_a_place(secret: str, before: str, after: str) -> None:
    """Letters whose lower case is another letter, or two; and what UTF-8 cannot say."""
    labels = Labels()
    labels.add("access-token", secret)
    assert labels.redact(f"{before}|{secret}|{after}") != f"{before}|{secret}|{after}"


@settings(deadline=None)
@given(
    st.text(
        st.characters(exclude_characters="\x1b", exclude_categories=["Cs"]) | st.sampled_from("\u212a\u0130\u017fß"),
        min_size=12,
    )
)
def test_a_secret_is_folded_as_a_text_is(secret: str) -> None:
    """K and i are the lower case of other letters too; s and two of it their upper case."""
    (plain,) = {form.text for form in disguises_of(secret).forms if form.plain} or {View(secret).folded}
    assert plain == View(secret).folded


@settings(deadline=None)
@given(st.text("?\ud800\udfff", min_size=1, max_size=60), st.sampled_from(("?" * 24, "?" * 12 + "абвгдежзийкл" * 2)))
def test_a_lone_surrogate_is_no_question_mark(text: str, secret: str) -> None:
    clean = labels_of(secret).redact(text)
    assert clean == text or "?" * PART in text
    assert clean.count("\ud800") == text.count("\ud800") and clean.count("\udfff") == text.count("\udfff")
