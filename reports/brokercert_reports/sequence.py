"""The records around a finding's evidence as a sequence of messages: inline SVG, without script, style or id.

The law: a drawing repeats what the table beside it says, row by row, and nothing else. Every text is cut to its room
and escaped. Colours are attributes that follow the page's own colour of text, so that it reads in the light, in the
dark, on paper, and where a style sheet is refused. It is drawn in pieces that fit a page.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass

from brokercert.verdict import ExcerptLine
from markupsafe import Markup, escape
from rich.cells import cell_len, set_cell_size

from brokercert_reports.evidence import Evidence
from brokercert_reports.text import several

WIDTH = 900
NUMBER, TIME, SINCE = 40, 108, 168  # right edges of the three columns at the left
SPANS = 174  # where the bars of phases begin; each is 4 wide
CLIENT, BROKER = 210, 872  # the lanes
PROXY = (CLIENT + BROKER) // 2
CHARACTER = 6.7  # of 11 px of a monospaced font
PIECE = 600  # the height after which a new piece begins: half a page of A4
HEAD = 24
HEIGHTS = {"message": 30, "note": 18, "band": 22, "cut": 18}
MOST_SPANS = 4

# What the records of the harness say (`judge/sentences.py`): which of them change the world, and which last.
BANDS = re.compile(r"(fault|rule|window) |stood still |.* is (held back|let go)$", re.DOTALL)
WINDOW = re.compile(r"window .*, from (\d+\.\d+) s$", re.DOTALL)
STATE = "its state at "  # what the broker holds, which goes over no wire


@dataclass(frozen=True)
class Step:
    """One line of the drawing. `kind` is one of `HEIGHTS`; `line` is None where records are left out."""

    kind: str
    line: ExcerptLine | None
    text: str
    since: float = 0.0  # s from the line before


@dataclass(frozen=True)
class Span:
    """A phase that lasted from one step to another, both by their places."""

    first: int
    last: int


def sequence(evidence: Evidence) -> Markup:
    """The drawing, as one SVG or several."""
    steps = steps_of(evidence.lines)
    spans = spans_of(steps)
    pieces = Markup("")
    for first, last in _pieces(steps):
        pieces += _piece(evidence, steps, spans, first, last)
    return pieces


def steps_of(lines: Sequence[ExcerptLine]) -> tuple[Step, ...]:
    """Each record, and between those that are not neighbours how many are left out."""
    steps: list[Step] = []
    for place, line in enumerate(lines):
        before = lines[place - 1] if place else None
        if before is not None and line.record > before.record + 1:
            steps.append(Step("cut", None, f"{several(line.record - before.record - 1, 'record')} left out"))
        text = " ".join(line.text.split())
        steps.append(Step(_kind(line), line, text, line.at - before.at if before else 0.0))
    return tuple(steps)


def _kind(line: ExcerptLine) -> str:
    if line.who in ("client", "broker") and not line.text.startswith(STATE):
        return "message"
    return "band" if line.who == "harness" and BANDS.match(line.text) else "note"


def spans_of(steps: Sequence[Step]) -> tuple[Span, ...]:
    """The phases of which begin and end are told: windows, and what is held back until it is let go."""
    held: dict[tuple[int, str], int] = {}
    spans = []
    for place, step in enumerate(steps):
        if step.line is None or step.kind != "band":
            continue
        window = WINDOW.match(step.text)
        what, _, state = step.text.rpartition(" is ")
        key = (step.line.conn, what)
        if window:
            spans.append(Span(_first_from(steps[:place], float(window[1]), place), place))
        elif state == "held back":
            held[key] = place
        elif state == "let go" and key in held:
            spans.append(Span(held.pop(key), place))
    return tuple(spans[:MOST_SPANS])


def _first_from(steps: Sequence[Step], since: float, otherwise: int) -> int:
    places = (place for place, step in enumerate(steps) if step.line is not None and step.line.at >= since)
    return next(places, otherwise)


def _pieces(steps: Sequence[Step]) -> Iterator[tuple[int, int]]:
    """From and to, the latter not included."""
    first, height = 0, 0
    for place, step in enumerate(steps):
        if height + HEIGHTS[step.kind] > PIECE:
            yield first, place
            first, height = place, 0
        height += HEIGHTS[step.kind]
    yield first, len(steps)


def _piece(evidence: Evidence, steps: Sequence[Step], spans: Sequence[Span], first: int, last: int) -> Markup:
    tops = [HEAD]
    for step in steps[first:last]:
        tops.append(tops[-1] + HEIGHTS[step.kind])
    height = tops[-1] + 6
    records = [step.line.record for step in steps[first:last] if step.line is not None]
    label = f"Sequence of {evidence.name}, records {records[0]} to {records[-1]}" if records else "Nothing"
    inside = Markup("").join(
        (
            _lanes(evidence.proxied, height),
            *(_span(n, span, tops, first, last) for n, span in enumerate(spans)),
            *(_step(step, top, evidence.proxied) for step, top in zip(steps[first:last], tops, strict=False)),
        )
    )
    return Markup(
        '<svg class="sequence" role="img" aria-label="{}" width="{}" height="{}" viewBox="0 0 {} {}">'
        '<g font-family="monospace" font-size="11" fill="currentColor">{}</g></svg>'
    ).format(label, WIDTH, height, WIDTH, height, inside)


def _lanes(proxied: bool, height: int) -> Markup:
    lanes = [("client", CLIENT), *([("proxy", PROXY)] if proxied else []), ("broker", BROKER)]
    drawn = Markup('<g font-weight="bold"><text x="{}" y="13" text-anchor="end">record</text>').format(NUMBER)
    drawn += Markup('<text x="{}" y="13" text-anchor="end">at</text>').format(TIME)
    drawn += Markup('<text x="{}" y="13" text-anchor="end">later by</text>').format(SINCE)
    for name, x in lanes:
        drawn += Markup('<text x="{}" y="13" text-anchor="middle">{}</text>').format(x, name)
    drawn += Markup("</g>")
    for name, x in lanes:
        if name != "proxy":  # which is a dash beside each message only, so that texts stay free
            drawn += Markup('<path d="M{} 18V{}" stroke="currentColor" stroke-opacity=".4"/>').format(x, height)
    return drawn


def _span(number: int, span: Span, tops: Sequence[int], first: int, last: int) -> Markup:
    if span.first >= last or span.last < first:
        return Markup("")
    top = tops[max(span.first, first) - first]
    bottom = tops[min(span.last, last - 1) - first + 1]
    return Markup('<rect x="{}" y="{}" width="4" height="{}" fill="#1f78c8"/>').format(
        SPANS + 6 * number, top + 2, bottom - top - 4
    )


def _step(step: Step, top: int, proxied: bool) -> Markup:
    height = HEIGHTS[step.kind]
    drawn = Markup("")
    if step.line is None:
        return _text(CLIENT + 12, top + 12, step.text, _room(CLIENT + 12, BROKER - 12), style="italic")
    if step.line.marked:
        drawn += Markup(
            '<rect x="0" y="{}" width="{}" height="{}" fill="#d9a400" fill-opacity=".25"/>'
            '<path d="M0 {}h3v{}h-3z" fill="#b04a00"/>'
        ).format(top, WIDTH, height, top, height)
    drawn += _margin(step, top + (14 if step.kind == "band" else 12))
    match step.kind:
        case "message":
            return drawn + _message(step, step.line, top, proxied)
        case "band":
            drawn += Markup(
                '<rect x="{}" y="{}" width="{}" height="{}" rx="3" fill="#c02b2b" fill-opacity=".16"/>'
            ).format(CLIENT - 8, top + 2, BROKER - CLIENT + 16, height - 4)
            return drawn + _text(CLIENT + 12, top + 15, _told(step), _room(CLIENT + 12, BROKER), weight="bold")
        case _:
            return drawn + _note(step, step.line, top)


def _margin(step: Step, y: int) -> Markup:
    line = step.line
    assert line is not None
    weight = Markup(' font-weight="bold"') if line.marked else Markup("")
    cells = [(NUMBER, str(line.record)), (TIME, f"{line.at:.3f} s")]
    if step.since >= 0.0005:
        cells.append((SINCE, f"+{step.since:.3f}"))
    return Markup("").join(
        Markup('<text x="{}" y="{}" text-anchor="end"{}>{}</text>').format(x, y, weight, text) for x, text in cells
    )


def _message(step: Step, line: ExcerptLine, top: int, proxied: bool) -> Markup:
    y = top + 21
    start, end = (CLIENT, BROKER) if line.who == "client" else (BROKER, CLIENT)
    back = -7 if end > start else 7
    drawn = _text(CLIENT + 12, top + 13, _told(step), _room(CLIENT + 12, BROKER - 8))
    drawn += Markup('<path d="M{} {}H{}" stroke="currentColor" stroke-width="1.3"/><path d="M{} {}l{} -4v8z"/>').format(
        start, y, end + back, end, y, back
    )
    if proxied:
        drawn += Markup('<path d="M{} {}v8" stroke="currentColor" stroke-width="3"/>').format(PROXY, y - 4)
    return drawn


def _note(step: Step, line: ExcerptLine, top: int) -> Markup:
    """Who is no lane says it beside the client's; what the broker holds, beside the broker's."""
    told = f"{line.who}: {_told(step)}"
    if line.who == "broker":
        text = _text(BROKER - 12, top + 12, told, _room(CLIENT + 12, BROKER - 12), style="italic", anchor="end")
        return text + Markup('<circle cx="{}" cy="{}" r="3"/>').format(BROKER, top + 9)
    text = _text(CLIENT + 12, top + 12, told, _room(CLIENT + 12, BROKER - 8), style="italic")
    if line.who == "harness":
        return text
    return text + Markup('<circle cx="{}" cy="{}" r="3"/>').format(CLIENT, top + 9)


def _told(step: Step) -> str:
    line = step.line
    return f"[{line.conn}] {step.text}" if line is not None and line.conn else step.text


def _room(left: int, right: int) -> int:
    """How many characters fit."""
    return int((right - left) / CHARACTER)


def _text(x: int, y: int, text: str, room: int, *, style: str = "", weight: str = "", anchor: str = "") -> Markup:
    extra = Markup("")
    for name, value in (("font-style", style), ("font-weight", weight), ("text-anchor", anchor)):
        if value:
            extra += Markup(' {}="{}"').format(name, value)
    return Markup('<text x="{}" y="{}"{}>{}</text>').format(x, y, extra, escape(cut(text, room)))


def cut(text: str, room: int) -> str:
    """The text in at most that many columns of a monospaced font: a wide character takes two."""
    text = text[: room + 1]  # before it is measured: it may be a mebibyte
    return text if cell_len(text) <= room else set_cell_size(text, room - 1).rstrip() + "…"
