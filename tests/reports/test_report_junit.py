"""The JUnit file: well-formed and valid whatever a client wrote, and red exactly when there is no certificate."""

from __future__ import annotations

import itertools
import xml.etree.ElementTree as ET
from collections.abc import Callable
from functools import cache
from pathlib import Path

import junitparser
import junitparser.xunit2
import msgspec
import pytest
import xmlschema
from brokercert.verdict import Finding, Form, Level, Measured, Outcome, RunRecord, Verdict, outcome_of
from brokercert_reports.junit import render_junit
from brokercert_reports.text import printable
from ci_rules import SUREFIRE, XUNIT, Schema, breaches

XSD = Path(__file__).parent.parent / "data" / "reports" / "junit.xsd"


@cache
def schema() -> xmlschema.XMLSchema:
    return xmlschema.XMLSchema(str(XSD))


def parse(run: RunRecord) -> ET.Element:
    """The suite, of a file that was found valid and consistent with itself."""
    data = render_junit(run)
    schema().validate(data.decode())
    root = ET.fromstring(data)
    for element in (root, root[0]):
        assert int(element.get("tests", "")) == len(root.findall(".//testcase"))
        for kind in ("failure", "error"):
            assert int(element.get(f"{kind}s", "")) == len(root.findall(f".//testcase/{kind}"))
    assert int(root[0].get("skipped", "")) == len(root.findall(".//skipped"))
    assert "skipped" not in root.attrib
    return root[0]


def case_of(suite: ET.Element, row: str) -> ET.Element:
    (case,) = (x for x in suite.findall("testcase") if x.get("name", "").startswith(f"{row} "))
    return case


def kind_of(case: ET.Element) -> str:
    return next((x.tag for x in case if x.tag in ("failure", "error", "skipped")), "pass")


def properties(case: ET.Element) -> dict[str, str]:
    return {p.attrib["name"]: p.attrib["value"] for p in case.findall("properties/property")}


def test_every_row_is_one_case_of_its_area_and_the_last_is_the_certificate(failed: RunRecord) -> None:
    cases = parse(failed).findall("testcase")
    assert [x.get("name") for x in cases[:-1]] == [f"{row.id} {row.title}" for row in failed.rows]
    assert cases[0].get("classname") == "brokercert.tradovate-stage2.Login"
    assert cases[-1].get("name") == "certificate for part core"


def test_a_failure_holds_what_a_developer_needs(failed: RunRecord) -> None:
    case = case_of(parse(failed), "HBT-010")
    failure = case.find("failure")
    assert failure is not None and failure.text is not None
    assert failure.get("message", "").startswith("HBT-010 fail: no heartbeat for 41.3 s")
    for part in (
        "Expected: a heartbeat `[]` at least every 33 s",
        "Measured: longest gap between heartbeats: 41.27 s, limit 33 s",
        "Evidence: traces/steady.jsonl, records 24, 61",
        ">    24",
        "Mend:",
        "Reproduce: brokercert certify --only HBT-010",
    ):
        assert part in failure.text
    assert case.findtext("system-out") == "[[ATTACHMENT|traces/steady.jsonl]]"
    told = properties(case)
    assert told["requirement"] == "HBT-010" and told["verdict"] == "fail" and told["level"] == "MUST"
    assert told["measured"].startswith("longest gap") and told["requirement_text"] and told["source"]


def test_attachments_can_be_told_from_another_folder(failed: RunRecord) -> None:
    text = render_junit(failed, attachments_under="out/latest").decode()
    assert "[[ATTACHMENT|out/latest/traces/steady.jsonl]]" in text


@pytest.mark.parametrize(
    ("row", "kind", "starts"),
    [
        ("LOG-010", "pass", ""),
        ("LOG-025", "pass", ""),
        ("LOG-030", "error", "LOG-030 inconclusive"),
        ("HBT-010", "failure", "HBT-010 fail"),
        ("EVT-030", "error", "EVT-030 blocked"),
        ("MSG-020", "error", "MSG-020 not observed"),
        ("OFF-010", "skipped", "not applicable: stop"),
        ("LOG-045", "skipped", "not part of core; untested"),
    ],
)
def test_verdicts_become_the_elements_that_ci_systems_know(failed: RunRecord, row: str, kind: str, starts: str) -> None:
    case = case_of(parse(failed), row)
    assert kind_of(case) == kind
    element = case.find(kind)
    assert (element is None) == (kind == "pass")
    if element is not None:
        assert element.get("message", "").startswith(starts)


def test_a_warning_passes_with_its_verdict_and_fails_when_strict(
    build: Callable[..., RunRecord], failed: RunRecord
) -> None:
    assert properties(case_of(parse(failed), "LOG-025"))["verdict"] == "warning"
    warning = next(row for row in failed.rows if row.id == "LOG-025").findings
    strict = build({"LOG-025": warning}, strict=True)
    assert strict.outcome is Outcome.FAILED
    assert kind_of(case_of(parse(strict), "LOG-025")) == "failure"
    assert kind_of(case_of(parse(build({"LOG-025": warning})), "LOG-025")) == "pass"


def test_untested_rows_of_the_whole_set_are_errors(build: Callable[..., RunRecord]) -> None:
    suite = parse(build(part=""))
    assert kind_of(case_of(suite, "LOG-045")) == "error"
    assert kind_of(suite.findall("testcase")[-1]) == "error"
    assert suite.findall("testcase")[-1].get("name") == "certificate"


@pytest.mark.parametrize("interrupted", [False, True])
@pytest.mark.parametrize("strict", [False, True])
def test_the_file_is_red_exactly_when_the_run_is_not_certified(
    build: Callable[..., RunRecord], strict: bool, interrupted: bool
) -> None:
    """Any verdict on any kind of row: MUST or SHOULD, inside or outside what is certified."""
    base = build()
    seen = set()
    for verdict, level, in_part in itertools.product(Verdict, Level, (True, False)):
        first = msgspec.structs.replace(base.rows[0], verdict=verdict, level=level, in_part=in_part)
        rows = (first, *base.rows[1:])
        outcome = outcome_of(rows, strict=strict, interrupted=interrupted)
        seen.add(outcome)
        run = msgspec.structs.replace(base, rows=rows, outcome=outcome, strict=strict)
        suite = ET.fromstring(render_junit(run))[0]
        red = suite.findall("testcase/failure") + suite.findall("testcase/error")
        assert bool(red) == (outcome is not Outcome.CERTIFIED), (verdict, level, in_part)
        if verdict is Verdict.HARNESS_ERROR and level is Level.MUST and in_part:
            assert kind_of(case_of(suite, first.id)) == "error"  # never blamed on the client
    expected = {Outcome.CERTIFIED, Outcome.FAILED, Outcome.INCOMPLETE, Outcome.HARNESS_ERROR}
    assert seen == ({Outcome.INTERRUPTED} if interrupted else expected)


def test_hostile_text_stays_text(hostile: tuple[str, RunRecord]) -> None:
    payload, run = hostile
    suite = parse(run)
    failure = case_of(suite, "HBT-010").find("failure")
    assert failure is not None and failure.text is not None
    assert f"Observed: {printable(payload)}" in failure.text
    attached = [x.text for x in suite.iter("system-out")]
    assert set(attached) <= {f"[[ATTACHMENT|traces/{name}.jsonl]]" for name in ("login", "steady", "outage")}


def test_another_reader_counts_the_same(failed: RunRecord, tmp_path: Path) -> None:
    path = tmp_path / "TEST.xml"
    path.write_bytes(render_junit(failed, plain=True))
    alone = junitparser.JUnitXml.fromfile(str(path))
    path.write_bytes(render_junit(failed))
    (suite,) = junitparser.JUnitXml.fromfile(str(path))
    assert (alone.tests, alone.failures, alone.errors) == (suite.tests, suite.failures, suite.errors)
    assert isinstance(suite, junitparser.TestSuite)
    read = [junitparser.xunit2.TestCase.fromelem(case) for case in suite]  # type: ignore[no-untyped-call]
    assert len(read) == suite.tests == len(failed.rows) + 1
    results = [case.result[0] for case in read if case.result]
    assert (
        sum(isinstance(x, junitparser.Failure) for x in results) == suite.failures == 4
    )  # three rows, the certificate
    assert sum(isinstance(x, junitparser.Error) for x in results) == suite.errors == 5
    assert sum(isinstance(x, junitparser.Skipped) for x in results) == suite.skipped
    told = {p.name: p.value for p in next(case for case in read if case.name.startswith("REC-030")).properties()}
    assert told["measured"].startswith("attempts in 5 s: 11, limit 8")


def test_a_row_that_failed_everywhere_stays_readable(build: Callable[..., RunRecord]) -> None:
    failures = tuple(
        Finding(requirement="LOG-010", scenario=f"place-{n}", verdict=Verdict.FAIL, observed=f"nothing at {n}")
        for n in range(9)
    )
    failure = case_of(parse(build({"LOG-010": failures})), "LOG-010").find("failure")
    assert failure is not None and failure.text is not None
    assert "nothing at 2" in failure.text and "nothing at 3" not in failure.text
    assert "Further findings: fail in place-3, fail in place-4" in failure.text


def plain(run: RunRecord) -> ET.Element:
    return ET.fromstring(render_junit(run, plain=True))


def some_runs(build: Callable[..., RunRecord], failed: RunRecord) -> list[RunRecord]:
    return [failed, build(), build(part=""), build(strict=True), build(interrupted=True)]


@pytest.mark.parametrize("schema", [XUNIT, SUREFIRE], ids=lambda schema: schema.name)
def test_the_plain_form_breaks_no_rule_of_schemas_that_are_not_ours(
    build: Callable[..., RunRecord], failed: RunRecord, hostile: tuple[str, RunRecord], schema: Schema
) -> None:
    for run in (*some_runs(build, failed), hostile[1]):
        assert list(breaches(plain(run), schema)) == []


def test_the_usual_form_has_no_more_beyond_the_plugins_schema_than_the_properties_of_cases(
    build: Callable[..., RunRecord], failed: RunRecord
) -> None:
    for run in some_runs(build, failed):
        assert set(breaches(ET.fromstring(render_junit(run)), XUNIT)) == {"properties in testcase"}


@pytest.mark.parametrize("schema", [XUNIT, SUREFIRE], ids=lambda schema: schema.name)
@pytest.mark.parametrize(
    ("spoil", "said"),
    [
        (lambda root: root.set("disabled", "0"), "testsuite has no attribute disabled"),
        (lambda root: root.attrib.pop("errors"), "testsuite lacks errors"),
        (lambda root: ET.SubElement(root.find("testcase"), "properties"), "properties in testcase"),
        (lambda root: ET.SubElement(root, "flaky"), "there is no flaky"),
        (lambda root: root.set("time", "1e3"), "the time of testsuite"),
    ],
)
def test_the_rules_notice_what_the_schemas_refuse(
    failed: RunRecord, schema: Schema, spoil: Callable[[ET.Element], object], said: str
) -> None:
    root = plain(failed)
    spoil(root)
    assert said in set(breaches(root, schema))


def test_surefires_rules_notice_another_order_and_a_second_output(failed: RunRecord) -> None:
    root = plain(failed)
    case = next(case for case in root.iter("testcase") if case.find("system-out") is not None)
    case.insert(0, ET.Element("system-out"))
    root.insert(len(root), ET.Element("properties"))
    assert {"system-out twice in testcase", "the order in testsuite"} <= set(breaches(root, SUREFIRE))


def test_the_plain_form_says_the_same_of_every_case_and_loses_no_property(
    build: Callable[..., RunRecord], failed: RunRecord
) -> None:
    for run in some_runs(build, failed):
        usual, simple = parse(run), plain(run)
        told = properties(simple)
        for one, other in zip(usual.findall("testcase"), simple.findall("testcase"), strict=True):
            assert one.attrib == other.attrib
            assert [(x.tag, x.attrib, x.text) for x in one if x.tag != "properties"] == [
                (x.tag, x.attrib, x.text) for x in other
            ]
        for case in usual.findall("testcase")[:-1]:
            mine = properties(case)
            assert {f"{mine['requirement']} {name}": value for name, value in mine.items()}.items() <= told.items()
        tallies = ("tests", "failures", "errors", "skipped", "time")
        assert [usual.get(name) for name in tallies] == [simple.get(name) for name in tallies]


def test_of_a_time_that_nothing_ended_only_a_least_is_told(build: Callable[..., RunRecord]) -> None:
    def told(form: Form) -> str:
        silence = Measured(name="silence to giving up", value=62.51, unit="s", limit=60, error=6.155)
        found = Finding(
            requirement="HBT-050",
            scenario="silent",
            verdict=Verdict.FAIL,
            observed="it was not given up",
            form=form,
            measured=(silence,),
        )
        run = build({"HBT-050": (found,)}, part="")
        return properties(case_of(parse(run), "HBT-050"))["measured"]

    assert told(Form.TIME).startswith("silence to giving up: 62.51 s, limit 60 s (± 6.155 s, ")
    assert told(Form.ABSENCE) == (
        "silence to giving up: more than 62.51 s, limit 60 s (it had not come when the watch ended; that moment"
        " ± 6.155 s, monotonic clock of the harness)"
    )
