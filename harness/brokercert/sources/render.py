"""The registers as a page, for readers."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from brokercert.requirements import load_set
from brokercert.sets import own_sets
from brokercert.sources.register import Sentence, Source


def render_register(sources: Collection[Source], set_ids: Sequence[str] = own_sets()) -> str:
    """The registers of sentences and of readings as a page, Markdown; of our sets, docs/protocol/register.md."""
    ours = tuple(set_ids) == own_sets()
    named = {set_id: load_set(set_id).name for set_id in set_ids}
    made = f"python -m brokercert.sources {' '.join(named.values())}`."
    if ours:
        made = "python3 dev.py generate`; a test keeps it in step with the data."
    lines = [
        "# The registers",
        "",
        f"Made by `{made}",
        "",
        "First what becomes of every sentence of each source page: the rows that judge it, or why it is *not testable",
        "from outside*. Sentences are named by their first words and told in ours; a line of a table is a",
        "sentence, and a sample one a function or block. Then the readings: questions that documents leave open.",
    ]
    for source in sources:
        sentences = [sentence for section in source.section for sentence in section.sentences]
        judged = sum(bool(sentence.rows) for sentence in sentences)
        lines += ["", f"## {source.title}", "", f"{len(sentences)} sentences: {judged} judged by rows, "]
        lines[-1] += f"{len(sentences) - judged} not testable from outside. Cited as `{source.id}`."
        for section in source.section:
            lines += ["", f"### {section.title}", "", "| | begins | says | judged by |", "| --- | --- | --- | --- |"]
            lines += [_line(sentence) for sentence in section.sentences]
    for set_id in sorted(set_ids):
        rows = load_set(set_id)
        lines += ["", f"## Readings of {rows.name}", "", "| reading | question | answers | judged by | rows |"]
        lines.append("| --- | --- | --- | --- | --- |")
        for reading in rows.readings:
            cells = (reading.id, reading.question, ", ".join(reading.answers), reading.default, ", ".join(reading.rows))
            lines.append("| " + " | ".join(map(_cell, cells)) + " |")
    return "\n".join(lines) + "\n"


def _line(sentence: Sentence) -> str:
    judged = ", ".join(sentence.rows) or f"not testable from outside, because {sentence.because}"
    return f"| {sentence.n} | `{_cell(sentence.starts)}` | {_cell(sentence.says)} | {_cell(judged)} |"


def _cell(text: str) -> str:
    return text.replace("|", "\\|")
