"""One static page over many bundles, and a badge for each: no script, nothing loaded, and every text escaped."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from urllib.parse import quote

from brokercert.verdict import Level, RunRecord, Verdict
from jinja2 import Environment, PackageLoader, StrictUndefined

from brokercert_reports.text import printable, printable_run
from brokercert_reports.view import client_words, outcome_title

LETTER = 6.6  # px: a letter of a badge, at 11 px of a plain font
LONGEST = 60  # letters of a half of a badge
LEFT = "brokercert"
LONGEST_NAME = 200  # bytes of a bundle's name that its badge may bear: a file system takes 255 of a name
NOT_KNOWN = "not known"  # of a bundle in which nothing is believed


@dataclass(frozen=True)
class Shown:
    """A bundle as the page shows it. `tone`: pass, fail, blocked or harness-error, a colour of the reports."""

    file: str
    client: str = ""
    set: str = ""
    part: str = ""
    word: str = ""
    tone: str = "blocked"
    score: str = ""
    started: str = ""
    tool: str = ""
    signer: str = ""
    told: str = ""  # what verify says of it, where it is not simply whole
    badge: str = ""  # the name of its badge's file


def badge_of(name: str) -> str:
    """The name of a bundle's badge: another one for each bundle, which every file system takes and every page shows."""
    raw = name.encode("utf-8", "surrogatepass")
    if printable(name) == name and len(raw) <= LONGEST_NAME:
        return f"{name}.svg"
    return f"bundle-{hashlib.sha256(raw).hexdigest()[:16]}.svg"


def shown(file: str, run: RunRecord, *, draft: bool, signer: str, told: str = "") -> Shown:
    """Of a bundle that could be checked. What was judged otherwise, or is a draft, is never shown as certified."""
    run = printable_run(run)
    certified = not draft and not told
    word = (
        outcome_title(run)
        if certified
        else "Made by another version"
        if told
        else f"Draft: {outcome_title(run).lower()}"
    )
    return Shown(
        file=printable(file),
        badge=badge_of(file),
        client=client_words(run),
        set=f"{run.named} {run.set_version}",
        part=run.part or "the whole set",
        word=word,
        tone="pass" if certified else "blocked",
        score=score(run),
        started=run.started,
        tool=run.tool,
        signer=signer,
        told=printable(told),
    )


def not_whole(file: str, told: str, *, wrong: bool) -> Shown:
    """Of a bundle in which something is wrong, or which cannot be checked here: nothing in it is believed."""
    word = "Wrong" if wrong else "Not checked"
    tone = "fail" if wrong else "blocked"
    return Shown(printable(file), word=word, tone=tone, told=printable(told), signer=NOT_KNOWN, badge=badge_of(file))


def score(run: RunRecord) -> str:
    """How many of the MUST rows that are certified and apply passed."""
    must = [row for row in run.rows if row.in_part and row.level is Level.MUST]
    asked = [row for row in must if row.verdict is not Verdict.NOT_APPLICABLE]
    return f"{sum(row.verdict in (Verdict.PASS, Verdict.WARNING) for row in asked)} of {len(asked)} MUST rows"


def render_gallery(several: Sequence[Shown], title: str, tool: str) -> str:
    """The page, which stands beside the badges."""
    template = _environment().get_template("gallery.html.j2")
    order = sorted(several, key=lambda one: (one.client.casefold(), one.set, one.started, one.file))
    return template.render(shown=order, title=printable(title), tool=tool)


def render_badge(one: Shown) -> str:
    """An SVG of one line: the tool and the set, and what is said of the bundle."""
    left = f"{LEFT} {one.set}".strip()[:LONGEST]
    widths = [round(len(text) * LETTER) + 12 for text in (left, one.word)]
    return _environment().get_template("badge.svg.j2").render(one=one, left=left, widths=widths, full=sum(widths))


@cache
def _environment() -> Environment:
    env = Environment(
        loader=PackageLoader("brokercert_reports"),
        autoescape=True,
        undefined=StrictUndefined,
        trim_blocks=True,
        lstrip_blocks=True,
        keep_trailing_newline=True,
    )
    env.filters["file_url"] = lambda name: f"./{quote(name, safe='')}"
    return env
