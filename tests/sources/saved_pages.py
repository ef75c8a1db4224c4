"""A page of a made-up vendor, its register, and the forms in which somebody may have saved it."""

from __future__ import annotations

import html
import random
import re
from collections.abc import Sequence
from dataclasses import dataclass

from brokercert.sources import Source, parse_source, worded
from brokercert.sources.words import Wording

ROWS = tuple(f"ABC-{number:03}" for number in range(10, 400, 10))
VERBS = ("sends", "keeps", "closes", "counts", "repeats", "answers", "drops", "signs")
THINGS = ("token", "socket", "order", "ticket", "heartbeat", "answer", "session", "quote", "frame", "ledger")
WHENS = ("every 30 seconds", "within 5 s", "after a loss", "before login", "on each event", "at the end", "by itself")


@dataclass(frozen=True)
class Line:
    """`n` is the sentence that it belongs to; 0: a heading."""

    kind: str  # heading, text, point, row, code
    text: str
    n: int


def made_page(seed: int) -> list[Line]:
    """Headings, paragraphs, lists, a table and a sample; some sentences stand in several places, as on real pages."""
    draw = random.Random(seed)
    lines = [Line("heading", "Events of the Broker", 0)]
    n = 0
    for section in range(4):
        lines.append(Line("heading", f"{section + 1}. Section of {draw.choice(THINGS)}s", 0))
        n += 1
        lines.append(Line("text", f"Number {n}: the client {draw.choice(VERBS)} its {draw.choice(THINGS)}.", n))
        n += 1
        lines.append(Line("text", "Example Implementation:", n))
        for _ in range(4):
            n += 1
            said = f"{draw.choice(THINGS)} {n} {draw.choice(VERBS)} the {draw.choice(THINGS)} {draw.choice(WHENS)}"
            lines.append(Line(draw.choice(("point", "row")), said.capitalize(), n))
        n += 1
        for code in (f"function on{n}(event) {{", f"  const limit_{n} = event.size >= {n} + 2;", f"  send(limit_{n});"):
            lines.append(Line("code", code, n))
    return lines


def source_of(lines: Sequence[Line]) -> Source:
    """Its register: each sentence by its first words, and every second one with a row."""
    starts: dict[int, str] = {}
    for line in lines:
        if line.n:
            starts.setdefault(line.n, " ".join(line.text.split()[:4]))
    sentences = [
        {"n": n, "starts": text, "says": "Something.", **({"rows": [ROWS[n]]} if n % 2 else {"because": "it is so"})}
        for n, text in starts.items()
    ]
    told = ",\n".join("{ " + ", ".join(f"{k} = {_toml(v)}" for k, v in one.items()) + " }" for one in sentences)
    head = f'id = "XX"\ntitle = "A page"\ncounted = {len(sentences)}\n[[section]]\ntitle = "All"\nplaces = ["All"]\n'
    return parse_source(f"{head}sentences = [\n{told}\n]\n", name="xx.toml", rows=ROWS)


def _toml(value: object) -> str:
    if isinstance(value, list):
        return "[" + ", ".join(map(_toml, value)) + "]"
    return str(value) if isinstance(value, int) else "'" + str(value) + "'"


def wording_of(lines: Sequence[Line]) -> tuple[Wording, ...]:
    return worded(source_of(lines), [line.text for line in lines])


def as_text(lines: Sequence[Line]) -> str:
    return "\n".join(f"- {line.text}" if line.kind == "point" else line.text for line in lines) + "\n"


def as_markdown(lines: Sequence[Line]) -> str:
    """With marks, links, escapes, hard wraps and fences."""
    out = ["---", "title: What a tool wrote", "---", ""]
    for line in lines:
        match line.kind:
            case "heading":
                out += ["", f"## {line.text}", ""]
            case "code":
                out += ["```javascript", line.text, "```"]
            case "row":
                first, _, rest = line.text.partition(" ")
                out += [f"| {first} | {rest} |", "| --- | --- |"]
            case "point":
                out.append("* " + re.sub(r"^(\w+) (\S+) ", r"**\1** [\2](https://example.com/a_(b)) ", line.text))
            case _:
                out += ["", line.text.replace(" the ", "\nthe "), ""]
    return "\n".join(out)


def as_html(lines: Sequence[Line]) -> str:
    """With entities, tags inside sentences, frames around the page, and its text broken over lines."""
    out = [
        "<!doctype html><html><head><title>Events of a vendor</title><style>p { color: red }</style></head><body>",
        "<nav><ul><li>Start of these pages</li></ul></nav><script>const answer = 'a < b and c';</script><main>",
    ]
    for line in lines:
        text = html.escape(line.text)
        inner = re.sub(r"(\w+)$", r"<em>\1</em>", text.replace(" the ", "\n&nbsp;<b>the</b> "))
        match line.kind:
            case "heading":
                out.append(f"<h2>{text}<a href='#x'>#</a></h2>")
            case "code":
                out.append(f"<pre><code>{text}</code></pre><button>Copy this code now</button>")
            case "row":
                first, _, rest = text.partition(" ")
                out.append(f"<table><tr><td>{first}</td><td>{rest}</td></tr></table>")
            case "point":
                out.append(f"<ul><li>{inner}")
            case _:
                out.append(f"<p>{inner}</p><br>")
    return "\n".join([*out, "</main><footer>All rights are somebody's own</footer></body></html>"])


FORMS = {"plain text": as_text, "Markdown": as_markdown, "HTML": as_html}
