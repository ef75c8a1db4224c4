"""One HTML file: no script, nothing loaded, readable without its style sheet, in print and in the dark.

The law: every string comes from a record that was made printable, and reaches the page through autoescaping only.
The page's own content security policy refuses scripts and loads, should that ever fail.
"""

from __future__ import annotations

import re
import shlex
from functools import cache
from urllib.parse import quote

from brokercert.seal import chain_of
from brokercert.verdict import EXIT_CODES, SIMULATED, ExitCode, Outcome, RunRecord, Verdict
from jinja2 import Environment, PackageLoader, StrictUndefined
from markupsafe import Markup, escape

from brokercert_reports import bars, sheet, text, view
from brokercert_reports.charts import charts
from brokercert_reports.evidence import evidence_of
from brokercert_reports.grid import grid_of
from brokercert_reports.plan import HEADINGS, Plan
from brokercert_reports.seal import seal_of
from brokercert_reports.sequence import sequence

EXITS: dict[ExitCode, str] = {
    ExitCode.CERTIFIED: "certified",
    ExitCode.FAILED: "at least one MUST failed (under --strict: or a warning)",
    ExitCode.USAGE: "wrong use: a bad option or file, or a client command that does not exist",
    ExitCode.HARNESS_ERROR: "the harness itself broke: no verdict on the client",
    ExitCode.INCOMPLETE: "nothing failed, but a MUST was blocked, untested, inconclusive or not observed",
    ExitCode.INTERRUPTED: "interrupted: what was recorded up to then is in the reports",
}
ORIGINS = {"doc": "the broker's page", "samples": "official samples", "ours": "set by brokercert"}
_EMPHASIS = re.compile(r"(?<![\w*])\*(\w[^*\n]*)\*(?![\w*])")
_CODE = re.compile(r"`([^`\n]+)`")


def render_html(run: RunRecord, *, draft: str = "") -> str:
    """The report of a run as one self-contained HTML document. `draft` stands on every page of it."""
    seal, chain = seal_of(run), chain_of(run)
    run = text.printable_run(run)
    problems = view.problems(run)
    judged = view.judged(run)
    return (
        _environment()
        .get_template("report.html.j2")
        .render(
            run=run,
            draft=draft,
            notes=[note for note in run.notes if note != SIMULATED],  # the cover has words of its own for that
            title=view.outcome_title(run),
            tone=_TONES[run.outcome],
            judged=judged,
            waivers=view.waiver_lines(run),
            repeated=view.repeated_told(run) if run.repeats > 1 else "",
            asked=[row for row in judged if not view.unasked(row, run)],
            unasked={row.id for row in run.rows if view.unasked(row, run)},
            tones={row.id: view.tone(row, run) for row in run.rows},
            legend=view.legend(run),
            evidence=evidence_of(problems, run),
            problems=problems,
            cards={row.id for row in problems},
            deciding={
                how: [view.decides(row, run) for row in problems].count(how) for how in ("against", "open", "nothing")
            },
            blocks=view.blocked_by(run),
            budgets=view.budgets(run),
            charts=charts(run),
            areas=view.areas(run.rows),
            last_words=view.last_words(run),
            grid=grid_of(run),
            wall_time=view.wall_time(run),
            seal=seal,
            chain=chain,
            exits=EXITS,
            exit_code=EXIT_CODES[run.outcome],
            command=shlex.join(run.subject.command),
        )
    )


def render_plan(plan: Plan, *, draft: str = "") -> str:
    """A test plan as one self-contained HTML document, to be read and to be printed. `draft` stands on every page."""
    shown = Plan(
        above=tuple((sheet.cell(name), sheet.cell(told)) for name, told in plan.above),
        lines=tuple(tuple(map(sheet.cell, line)) for line in plan.lines),
        sentences=tuple(tuple(map(sheet.cell, line)) for line in plan.sentences),
        made=plan.made,
    )
    lines = [dict(zip(HEADINGS, line, strict=True)) for line in shown.lines]
    return _environment().get_template("plan.html.j2").render(plan=shown, lines=lines, draft=draft)


_TONES: dict[Outcome, Verdict] = {
    Outcome.CERTIFIED: Verdict.PASS,
    Outcome.FAILED: Verdict.FAIL,
    Outcome.INCOMPLETE: Verdict.BLOCKED,
    Outcome.HARNESS_ERROR: Verdict.HARNESS_ERROR,
    Outcome.INTERRUPTED: Verdict.BLOCKED,
}


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
    env.filters.update(
        prose=prose,
        authored=authored,
        sentence=text.sentence,
        stopped=text.stopped,
        quantity=text.quantity,
        measures=view.measures,
        value_told=text.value_told,
        several=text.several,
        css=bars.css_class,
        path_url=path_url,
    )
    env.globals.update(
        share_bar=bars.share_bar,
        budget_bar=bars.budget_bar,
        counts=view.counts,
        shares=view.shares,
        verdict_words=view.verdict_words,
        waiver_of=view.waiver_of,
        cases=view.cases,
        passes_shown=view.passes_shown,
        decides=view.decides,
        plainly=view.plainly,
        sequence=sequence,
        is_floor=view.is_floor,
        records_text=view.records_text,
        most_cases=view.MOST_CASES,
        meanings=view.MEANINGS,
        levels=view.LEVELS,
        origins=ORIGINS,
        Verdict=Verdict,
    )
    return env


def prose(value: str) -> Markup:
    """Escaped text in which what stood between backticks is code."""
    return Markup(_CODE.sub(r"<code>\1</code>", str(escape(value))))


def authored(value: str) -> Markup:
    """The same for the set's own words, which also use `*emphasis*`; what was observed may hold a star as it is."""
    return Markup(_EMPHASIS.sub(r"<em>\1</em>", str(prose(value))))


def path_url(path: str) -> str:
    """A file of the run's folder as a relative link. A colon is quoted, so that no path is ever a scheme."""
    return "./" + quote(path.lstrip("/"), safe="/")
