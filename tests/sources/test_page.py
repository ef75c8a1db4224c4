"""What the text of a saved page is: markup of any kind, also broken, costs nothing but itself."""

from __future__ import annotations

import time

import pytest
from brokercert.sources import kind_of, lines_of, plain_words
from hypothesis import given
from hypothesis import strategies as st

KINDS = ("HTML", "Markdown", "plain text")


@pytest.mark.parametrize(
    ("markup", "lines"),
    [
        ("<p>Sends a <b>he</b>art&shy;beat &amp; waits</p>", ["Sends a heart\u00adbeat & waits"]),
        ("<p>One\n  thing</p><ul><li>two<li>three</ul>", ["One thing", "two", "three"]),
        ("<table><tr><th>a</th><td>b c</td></tr></table>", ["| a | b c"]),
        ("<pre>if a &lt; b:\n  go</pre>", ["if a < b:", "go"]),
        ("<nav>Home</nav><p>Text</p><footer>Mine</footer>", ["Text"]),
        ("<header>Top</header><main><header>Title</header><aside>Note</aside></main><p>Beside</p>", ["Title", "Note"]),
        ("<nav>Home <p>never closed", ["Home", "never closed"]),
        ("<p>Text<script>var a = '<p>no</p>'</script><style>p{}</style>", ["Text"]),
        ("<p>Text <!-- not --> goes on", ["Text goes on"]),
        ("a <![if x]> b <![foo[c]]> d", ["a b d"]),
        ("a<br>b<img src=x>c", ["a", "b", "c"]),
    ],
)
def test_html(markup: str, lines: list[str]) -> None:
    assert lines_of(markup, "HTML") == lines


@pytest.mark.parametrize(
    ("markup", "lines"),
    [
        ("One\nthing\n\n* two\n* three", ["One thing", "two", "three"]),
        ("## 2. Title\nText", ["2. Title", "Text"]),
        ('See [the page](https://a.b/c_(d) "t") ![alt](x.png)', ["See [the page] [alt]"]),
        ("```js\n# a\n\n* b\n```\nafter", ["# a", "* b", "after"]),
        ("~~~\n```\n~~~\nx", ["```", "x"]),
        ("| a | b |\n|---|:-:|\n| c | d |", ["| a | b |", "| c | d |"]),
        ("a | b\n---|:-:\nc | d\ne | f\n\ng | h\ni", ["a | b", "c | d", "e | f", "g | h i"]),
        ("> quoted\n\nTitle\n=====", ["quoted", "Title"]),
        ("a <b>bold</b> &amp; <token> \\_x\\_", ["a bold & <token> _x_"]),
        ("---\ntitle: no\n---\nText", ["Text"]),
        ("```\nnever closed", ["never closed"]),
    ],
)
def test_markdown(markup: str, lines: list[str]) -> None:
    assert lines_of(markup, "Markdown") == lines


def test_words_are_what_a_reader_takes_for_the_same() -> None:
    assert plain_words("Sends `PONG`, **every** 30\u00a0seconds…") == plain_words("- sends pong every 30 seconds")
    assert plain_words("a >= b") != plain_words("a > b")
    assert plain_words("__init__ _x_ ✅ ❌") == ["init", "x"]


@pytest.mark.parametrize(
    ("suffix", "text", "kind"),
    [
        (".HTM", "", "HTML"),
        (".md", "<html>", "Markdown"),
        ("", "\ufeff \n<!DOCTYPE html>", "HTML"),
        (".page", "<html lang=en>", "HTML"),
        ("", "# Title", "plain text"),
    ],
)
def test_what_a_page_was_saved_as(suffix: str, text: str, kind: str) -> None:
    assert kind_of(suffix, text) == kind


@pytest.mark.parametrize("kind", KINDS)
@given(text=st.text(alphabet=st.sampled_from("<>/&;#!-[]()`~*_| \n\tabp=\"'\\\ud800\x00é"), max_size=200))
def test_any_text_is_read(kind: str, text: str) -> None:
    assert all(line.strip() for line in lines_of(text, kind))


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize(
    "part", ["<div>", '<a href="', "[", "](", "](( ", "`", "- ", "> ", "\\", "&", "|-", "<!--", "<p"]
)
def test_long_runs_of_marks_take_no_time(kind: str, part: str) -> None:
    began = time.process_time()
    lines_of(part * 30_000 + " end", kind)
    assert time.process_time() - began < 5  # 0.4 s as measured; what grows with the square takes minutes
