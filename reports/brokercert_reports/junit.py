"""JUnit XML (the xunit1 shape) for CI systems.

The law: the file holds a failure or an error exactly when the run is not certified, one test case per requirement,
and a last one, `certificate`, that says the run's sentence. So no CI system shows green for what was not asked, and
none shows red for a recommendation that nobody could measure.

| row                                                     | element |
| ------------------------------------------------------- | ------- |
| MUST failed (or any warning under `--strict`)           | `<failure>` |
| MUST blocked, untested, inconclusive, not observed, harness error | `<error>`, its type the verdict |
| not applicable; outside the part; SHOULD without a verdict | `<skipped>` with the reason |
| pass, warning                                           | none (a warning has its property) |
"""

from __future__ import annotations

import posixpath
import xml.etree.ElementTree as ET

from brokercert.verdict import Outcome, RowResult, RunRecord, Verdict, shows_fail

from brokercert_reports.seal import seal_of
from brokercert_reports.text import listing, measured_sentence, printable_run
from brokercert_reports.view import (
    MOST_CASES,
    MOST_LINES,
    Case,
    cases,
    evidence_place,
    fails_run,
    keeps_open,
    outcome_title,
    verdict_words,
    wall_time,
)

LONGEST_MESSAGE = 400  # characters of the one-line message that CI systems show in lists; the text has all of it
EXCERPT_LINES = 20  # of evidence in a failure's text: what fits a CI system's page; the trace has the rest


def render_junit(run: RunRecord, *, attachments_under: str = "") -> bytes:
    """The run as UTF-8 XML. `tests` is the number of test cases, always.

    Traces are attached by paths relative to the run's folder, in which the file is written; `attachments_under` goes
    before them where a CI system wants them otherwise (GitLab: relative to the project; Jenkins: absolute).
    """
    run = printable_run(run)
    root = ET.Element("testsuites")
    suite = ET.SubElement(root, "testsuite", name=f"brokercert.{run.set_id}")
    _properties(suite, _suite_properties(run))
    for row in run.rows:
        _row_case(suite, row, run, attachments_under)
    _certificate_case(suite, run)
    tally = {
        "tests": len(suite.findall("testcase")),
        "failures": len(suite.findall("testcase/failure")),
        "errors": len(suite.findall("testcase/error")),
        "skipped": len(suite.findall("testcase/skipped")),
    }
    for element in (suite, root):
        for name, value in tally.items():
            element.set(name, str(value))
        element.set("time", f"{run.timing.total:.3f}")
    suite.set("timestamp", run.started)
    ET.indent(root, " ")
    body: bytes = ET.tostring(root, encoding="utf-8", xml_declaration=True)
    return body + b"\n"


def _suite_properties(run: RunRecord) -> dict[str, str]:
    return {
        "outcome": run.outcome.value,
        "sentence": run.sentence,
        "set": run.set_id,
        "set_version": run.set_version,
        "set_sha256": run.set_hash,
        **_source_properties(run),
        "other_edition": run.other_edition,
        "seal": seal_of(run),
        "part": run.part or "the whole set",
        "strict": str(run.strict).lower(),
        "tool": run.tool,
        "run_id": run.run_id,
        "started": run.started,
        "tier": run.tier,
        "seed": str(run.seed),
        "client": run.subject.name,
        "level_shown": run.subject.level,
        "toxiproxy": run.toxiproxy,
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


def _row_case(suite: ET.Element, row: RowResult, run: RunRecord, under: str) -> None:
    told = cases(row, run)
    case = ET.SubElement(suite, "testcase", classname=class_of(row, run), name=name_of(row), time=_time(row, run))
    _properties(case, _row_properties(row))
    if fails_run(row, run):
        _explained(case, "failure", row, told)
    elif keeps_open(row):
        _explained(case, "error", row, told)
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
        "in_part": str(row.in_part).lower(),
        "scenarios": listing(row.scenarios),
        "reproduce": row.reproduce,
    }
    measured = list(dict.fromkeys(measured_sentence(one) for f in row.findings for one in f.measured))
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
        lines += [f"  Measured: {measured_sentence(m)}" for m in finding.measured]
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


def _certificate_case(suite: ET.Element, run: RunRecord) -> None:
    name = f"certificate for part {run.part}" if run.part else "certificate"
    case = ET.SubElement(suite, "testcase", classname=f"brokercert.{run.set_id}", name=name, time="0.000")
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
