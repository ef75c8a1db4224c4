"""JUnit XML (the xunit1 shape) for CI systems.

The law: the file holds a failure or an error exactly when the run is not certified, one test case per requirement,
and a last one, `certificate`, that says the run's sentence. So no CI system shows green for what was not asked, and
none shows red for a recommendation that nobody could measure.

| row                                                     | element |
| ------------------------------------------------------- | ------- |
| MUST failed (or any warning under `--strict`)           | `<failure>` |
| MUST blocked, untested, inconclusive, not observed, harness error | `<error>`, its type the verdict |
| a failure that a waiver bears                           | `<skipped>` with the waiver and the failure |
| not applicable; outside the part; SHOULD without a verdict | `<skipped>` with the reason |
| pass, warning                                           | none (a warning has its property) |
"""

from __future__ import annotations

import posixpath
import xml.etree.ElementTree as ET

from brokercert.seal import chain_of
from brokercert.verdict import Outcome, RowResult, RunRecord, Verdict, shows_fail

from brokercert_reports.seal import seal_of
from brokercert_reports.text import listing, printable_run
from brokercert_reports.view import (
    MOST_CASES,
    MOST_LINES,
    Case,
    bearing,
    cases,
    evidence_place,
    fails_run,
    keeps_open,
    measures,
    outcome_title,
    tries_told,
    verdict_words,
    waiver_lines,
    waiver_of,
    wall_time,
)

LONGEST_MESSAGE = 400  # characters of the one-line message that CI systems show in lists; the text has all of it
EXCERPT_LINES = 20  # of evidence in a failure's text: what fits a CI system's page; the trace has the rest


def render_junit(run: RunRecord, *, attachments_under: str = "", draft: str = "", plain: bool = False) -> bytes:
    """The run as UTF-8 XML. `tests` is the number of test cases, always.

    Traces are attached by paths relative to the run's folder, in which the file is written; `attachments_under` goes
    before them where a CI system wants them otherwise (GitLab: relative to the project; Jenkins: absolute). `draft`
    says that it is no certificate.

    `plain`: no element and no attribute that strict schemas refuse (`docs/reports.md` says which schemas). The root is
    the suite then, without its time stamp. What a test case may not hold is among the suite's properties, by row.
    """
    seals = {"chain": chain_of(run), "seal": seal_of(run)}
    run = printable_run(run)
    suite = ET.Element("testsuite", name=f"brokercert.{run.set_id}")
    facts = _facts_of_rows(run) if plain else {}
    _properties(suite, {"draft": draft, **_suite_properties(run, seals), **facts})
    for row in run.rows:
        _row_case(suite, row, run, attachments_under, plain)
    _certificate_case(suite, run, plain)
    _tally(suite, run)
    if plain:
        root = suite
    else:
        suite.set("timestamp", run.started)
        root = ET.Element("testsuites")
        root.append(suite)
        _tally(root, run)
        del root.attrib["skipped"]  # no schema has it there
    ET.indent(root, " ")
    body: bytes = ET.tostring(root, encoding="utf-8", xml_declaration=True)
    return body + b"\n"


def _tally(element: ET.Element, run: RunRecord) -> None:
    cases_under = list(element.iter("testcase"))
    element.set("tests", str(len(cases_under)))
    for kind, name in (("failure", "failures"), ("error", "errors"), ("skipped", "skipped")):
        element.set(name, str(sum(case.find(kind) is not None for case in cases_under)))
    element.set("time", f"{run.timing.total:.3f}")


def _facts_of_rows(run: RunRecord) -> dict[str, str]:
    """What the plain form has no place for in a test case: the properties of each, by the row's id."""
    return {f"{row.id} {name}": value for row in run.rows for name, value in _row_properties(row).items()}


def _suite_properties(run: RunRecord, seals: dict[str, str]) -> dict[str, str]:
    return {
        "outcome": run.outcome.value,
        "sentence": run.sentence,
        "set": run.set_id,
        "set_version": run.set_version,
        "set_sha256": run.set_hash,
        **_source_properties(run),
        "other_edition": run.other_edition,
        **seals,
        "part": run.part or "the whole set",
        "strict": str(run.strict).lower(),
        "tool": run.tool,
        "run_id": run.run_id,
        "started": run.started,
        "tier": run.tier,
        "seed": str(run.seed),
        "challenge": run.challenge,
        "client": run.subject.name,
        "level_shown": run.subject.level,
        "toxiproxy": run.toxiproxy,
        "repeated": str(run.repeats) if run.repeats > 1 else "",
        "waivers": "; ".join(waiver_lines(run)),
        "notes": " ".join((*run.telling, *run.notes)),
        "wall_time": wall_time(run),
        "reproduce": run.reproduce,
    }


def _source_properties(run: RunRecord) -> dict[str, str]:
    """The page that the set was made from."""
    source = run.source
    if source is None:
        return {}
    return {
        "set_name": run.named,
        "set_edition": source.edition,
        "set_page": source.title,
        "set_address": source.address,
        "set_read_on": source.read_on,
        "set_sentences_sha256": source.sentences,
    }


def _properties(parent: ET.Element, values: dict[str, str]) -> None:
    properties = ET.SubElement(parent, "properties")
    for name, value in values.items():
        if value:
            ET.SubElement(properties, "property", name=name, value=value)


def class_of(row: RowResult, run: RunRecord) -> str:
    """`brokercert.tradovate-stage2.Login`: CI systems cut a tree at the dots, so an area has none."""
    return f"brokercert.{run.set_id}.{row.area.replace('.', ' ')}"


def name_of(row: RowResult) -> str:
    """Unique, since ids are: GitLab keeps only the first of several test cases of one name."""
    return f"{row.id} {row.title}"


def _row_case(suite: ET.Element, row: RowResult, run: RunRecord, under: str, plain: bool) -> None:
    told = cases(row, run)
    case = ET.SubElement(suite, "testcase", classname=class_of(row, run), name=name_of(row), time=_time(row, run))
    if not plain:
        _properties(case, _row_properties(row))
    if fails_run(row, run):
        _explained(case, "failure", row, told)
    elif keeps_open(row):
        _explained(case, "error", row, told)
    elif (waiver := waiver_of(row, run)) is not None:
        ET.SubElement(case, "skipped", message=_short(f"{bearing(waiver)}; {row.verdict}: {row.reason}"))
    elif row.verdict is Verdict.NOT_APPLICABLE:
        ET.SubElement(case, "skipped", message=_short(f"not applicable: {row.reason}"))
    elif row.verdict not in (Verdict.PASS, Verdict.WARNING):
        ET.SubElement(case, "skipped", message=_short(_why_skipped(row, run)))
    attached = next((one.trace for one in told if one.trace), "")
    if attached:
        output = ET.SubElement(case, "system-out")
        output.text = f"[[ATTACHMENT|{posixpath.join(under, attached)}]]"


def _why_skipped(row: RowResult, run: RunRecord) -> str:
    where = f"not part of {run.part or 'what is certified'}" if not row.in_part else f"{row.level}, decides nothing"
    return f"{where}; {row.verdict}: {row.reason}"


def _row_properties(row: RowResult) -> dict[str, str]:
    values = {
        "requirement": row.id,
        "requirement_text": row.text,
        "source": row.source,
        "level": row.level.value,
        "verdict": row.verdict.value,
        "reason": row.reason,
        "runs": f"{row.verdict}{tries_told(row)}: {listing(row.tries)}" if row.tries else "",
        "in_part": str(row.in_part).lower(),
        "scenarios": listing(row.scenarios),
        "reproduce": row.reproduce,
    }
    measured = list(dict.fromkeys(text for f in row.findings for text in measures(f)))
    return values | {f"measured_{n}" if n > 1 else "measured": text for n, text in enumerate(measured, 1)}


def _explained(case: ET.Element, kind: str, row: RowResult, told: tuple[Case, ...]) -> None:
    element = ET.SubElement(
        case, kind, message=_short(f"{row.id} {verdict_words(row)}: {row.reason}"), type=row.verdict.value
    )
    element.text = "\n".join(_explanation(row, told))


def _explanation(row: RowResult, told: tuple[Case, ...]) -> list[str]:
    lines = [f"{row.id} ({row.level}) {row.text}", f"Source: {row.source}"]
    for one in told[:MOST_CASES]:
        finding = one.finding
        clause = f" ({finding.clause})" if finding.clause else ""
        lines += ["", f"In scenario {finding.scenario}{clause}: {finding.verdict}", f"  Observed: {finding.observed}"]
        if finding.expected:
            lines.append(f"  Expected: {finding.expected}")
        lines += [f"  Measured: {text}" for text in measures(finding)]
        if evidence_place(one):
            lines.append(f"  Evidence: {evidence_place(one)}")
        if one.excerpt is not None:
            shown = one.excerpt.lines[-EXCERPT_LINES:]
            lines += [
                f"  {'>' if x.marked else ' '} {x.record:>5} {x.at:>9.3f} s  conn {x.conn}  {x.who}: {x.text}"
                for x in shown
            ]
        if one.scenario is not None and one.ended_badly:
            lines += [f"  The client ended with {one.scenario.exit}. Its last lines:"]
            lines += [f"    {line}" for line in one.scenario.output[-MOST_LINES:]]
    if len(told) > MOST_CASES:
        further = listing(f"{one.finding.verdict} in {one.finding.scenario}" for one in told[MOST_CASES:])
        lines += ["", f"Further findings: {further}"]
    if not told:
        lines += ["", f"Reason: {row.reason}"]
    if shows_fail(row) or row.verdict is Verdict.WARNING:
        if row.causes:
            lines += ["", "Likely causes:", *(f"  - {cause}" for cause in row.causes)]
        if row.mend:
            lines += [f"Mend: {row.mend}"]
    if row.reproduce:
        lines += ["", f"Reproduce: {row.reproduce}"]
    return lines


def _certificate_case(suite: ET.Element, run: RunRecord, plain: bool) -> None:
    name = f"certificate for part {run.part}" if run.part else "certificate"
    case = ET.SubElement(suite, "testcase", classname=f"brokercert.{run.set_id}", name=name, time="0.000")
    if not plain:
        _properties(case, {"verdict": run.outcome.value, "sentence": run.sentence})
    if run.outcome is Outcome.CERTIFIED:
        return
    kind = "failure" if run.outcome is Outcome.FAILED else "error"
    element = ET.SubElement(case, kind, message=_short(run.sentence), type=run.outcome.value)
    open_rows = [row for row in run.rows if fails_run(row, run) or keeps_open(row)]
    element.text = "\n".join(
        [
            f"{outcome_title(run)}: {run.sentence}",
            "",
            *(f"{row.id} {verdict_words(row)}: {row.reason}" for row in open_rows),
            "",
            f"Reproduce: {run.reproduce}",
        ]
    )


def _time(row: RowResult, run: RunRecord) -> str:
    """Seconds of the row's longest scenario: what playing it again takes. Scenarios are shared and run side by side,
    so these do not add up to the wall time, which is the suite's.
    """
    return f"{max((s.duration for s in run.scenarios if s.name in row.scenarios), default=0.0):.3f}"


def _short(text: str) -> str:
    text = " ".join(text.split())
    return text if len(text) <= LONGEST_MESSAGE else text[: LONGEST_MESSAGE - 1] + "…"
