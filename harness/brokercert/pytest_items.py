"""A certification inside a pytest run: one item a requirement and scenario, and the certificate.

The law: the engine runs once, before the items, and the items only repeat what it said; so no order, filter, hook or
rerun of theirs changes a verdict. What was deselected is untested in the certificate, which is always among the items
while a certification was asked for: a filter can never make a pass.

    tradovate-stage2::LOG-010::login-timed    fail: a failure; blocked, untested, ...: an error; not applicable: a skip
    tradovate-stage2::certificate             passes only where the whole (or the part asked for) is certified
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

import pytest

from brokercert.engine.errors import UsageError
from brokercert.requirements import RequirementError, RequirementSet, load_set
from brokercert.verdict import EXIT_CODES, ExcerptLine, Finding, Outcome, RowResult, RunRecord, Verdict, worst

if TYPE_CHECKING:
    from brokercert.engine.run import RunRequest

CERTIFICATE = "certificate"
NO_SCENARIO = "no-scenario"  # the name of the one item of a row that nothing exercises

# Options of other plugins, by what they would do to a certification, and what to say instead.
REFUSED: dict[str, str] = {
    # `-n` before `--tx`, which xdist derives from it.
    "numprocesses": "pytest-xdist spreads and repeats it, and slows the latencies that it scores; run with -n 0",
    "tx": "pytest-xdist spreads and repeats it, and slows the latencies that it scores; run without --tx",
    "reruns": "pytest-rerunfailures hides the failures that came first; run with --reruns 0",
    "force_flaky": "flaky hides the failures that came first; leave out --force-flaky",
    "retries": "pytest-retry hides the failures that came first; run with --retries 0",
}


class Certification:
    """One of a pytest session."""

    def __init__(self, config: pytest.Config, set_id: str, explicit: bool) -> None:
        self.config = config
        self.explicit = explicit
        refuse_plugins(config)
        try:
            self.rows: RequirementSet = load_set(set_id)
            self._request = self._make_request(set_id)
        except (UsageError, RequirementError) as error:
            raise pytest.UsageError(f"brokercert: {error}") from error
        self.outcome: RunRecord | None = None
        self._reports: dict[str, Path] = {}
        self._certificate: CertificateItem | None = None

    # Before.

    def _make_request(self, set_id: str) -> RunRequest:
        from brokercert.engine.asked import again, client_asked, part_asked
        from brokercert.engine.config import load_config, split_command
        from brokercert.engine.run import RunRequest
        from brokercert.engine.whom import PYTEST

        option = self.config.getoption
        named: str | None = option("brokercert_config")
        config = load_config(Path(named) if named else None, start=self.config.rootpath, option="--brokercert-config")
        text: str | None = option("brokercert_command")
        command = split_command(text, "--brokercert-command") if text is not None else ()
        part = part_asked(config, self.rows, option("brokercert_part"), "--brokercert-part")
        only = tuple(option("brokercert_only") or ())
        for row in only:
            if row not in self.rows.by_id:
                raise UsageError(
                    f"--brokercert-only {row}: no such requirement in {set_id}; `brokercert list` shows them"
                )
        spec = client_asked(
            config,
            self.rows,
            command,
            reference=option("brokercert_reference"),
            else_reference=self.config.getini("brokercert_reference"),
            door=PYTEST,
        )
        strict = bool(option("brokercert_strict")) or config.strict
        out: str | None = option("brokercert_out")
        return RunRequest(
            set_id=set_id,
            subject=spec,
            part=part,
            only=only,
            strict=strict,
            jobs=config.jobs,
            seed=config.seed,
            out=Path(out) if out else config.out,
            out_told="--brokercert-out" if out else config.told.get("out", "--brokercert-out"),
            limits=config.limits,
            again=again(
                config,
                set_id=set_id,
                part=part,
                strict=strict,
                seed=config.seed,
                typed=command,
                reference=spec.reference,
            ),
        )

    @property
    def header(self) -> str:
        """Whom it is of, before anything is run."""
        part = f", part {self._request.part}" if self._request.part else ""
        return f"brokercert: {self._request.subject.name}; {self.rows.id}{part}"

    @property
    def _wanted(self) -> list[str]:
        """The rows that are asked for, of the part and of --brokercert-only."""
        part, only = self._request.part, self._request.only
        ids = self.rows.part(part) if part else tuple(row.id for row in self.rows.rows)
        return [row for row in ids if not only or row in only]

    def items(self, session: pytest.Session) -> list[pytest.Item]:
        """All of ours, the certificate last."""
        from brokercert.engine.scenario import load_suite

        try:
            listed = load_suite(self.rows.id).listed()
        except UsageError as error:
            raise pytest.UsageError(f"brokercert: {error}") from error
        top = SetNode.from_parent(session, name=self.rows.id, nodeid=self.rows.id)
        top.add_marker(self.rows.marker)
        self._certificate = CertificateItem.from_parent(top, name=CERTIFICATE, certification=self)
        for row in self._wanted:
            node = RowNode.from_parent(top, name=row)
            for scenario in listed.get(row, (NO_SCENARIO,)):
                node.children.append(RowItem.from_parent(node, name=scenario, certification=self, row=row))
            top.children.append(node)
        top.children.append(self._certificate)
        return list(session.genitems(top))  # by pytest's own way, so that it counts and tells them

    def keep_certificate(self, items: list[pytest.Item]) -> None:
        """The certificate comes last, whoever selected or reordered; with it a certification stands and falls."""
        if self._certificate is None:
            return
        asked = self.explicit or self._certificate in items or any(isinstance(item, RowItem) for item in items)
        if asked:
            items[:] = [*(item for item in items if item is not self._certificate), self._certificate]

    # The run.

    def run(self, session: pytest.Session) -> None:
        """Run the engine for the rows whose items are left. Without any item of ours: not at all."""
        broken = session.testsfailed and not session.config.option.continue_on_collection_errors
        if broken or self._certificate not in session.items:
            return
        left = dict.fromkeys(item.row for item in session.items if isinstance(item, RowItem))
        every = self.rows.part(self._request.part) if self._request.part else tuple(self.rows.by_id)
        if not left:
            return  # all deselected: the certificate says so
        request = replace(self._request, only=() if len(left) == len(every) else tuple(left))
        try:
            self.outcome = run_engine(request, self._say)
        except (UsageError, RequirementError) as error:
            raise pytest.UsageError(f"brokercert: {error}") from error
        self._reports = write_run(self.outcome, request.out / self.outcome.run_id)
        if self.outcome.outcome is Outcome.INTERRUPTED:
            raise KeyboardInterrupt

    def _say(self, text: str) -> None:
        reporter = self.config.pluginmanager.get_plugin("terminalreporter")
        if reporter is not None:
            reporter.write_line(f"brokercert {text}")

    def summarize(self, reporter: pytest.TerminalReporter) -> None:
        if self.outcome is None:
            return
        reporter.section("brokercert")
        for name, path in self._reports.items():
            reporter.line(f"{name}: {path}")
        code = EXIT_CODES[self.outcome.outcome]
        reporter.line(f"{self.outcome.sentence} (`brokercert certify` would exit {code.value})")


def refuse_plugins(config: pytest.Config) -> None:
    """Raises `pytest.UsageError` where another plugin is to repeat or spread the items."""
    active = {name: config.getoption(name, None) for name in REFUSED}
    active["reruns"] = active["reruns"] or _ini(config, "reruns")
    active["retries"] = active["retries"] or _ini(config, "retries")
    if hasattr(config, "workerinput"):
        active["numprocesses"] = "worker"
    for name, value in active.items():
        if value and value != "0":
            raise pytest.UsageError(f"brokercert: a certification cannot run like this: {REFUSED[name]}")


def _ini(config: pytest.Config, name: str) -> object:
    try:
        return config.getini(name)
    except (KeyError, ValueError):  # no plugin knows it
        return None


def run_engine(request: RunRequest, say: Any) -> RunRecord:
    """The engine, in a loop of its own, telling its progress as lines."""
    from brokercert.cli.progress import PlainProgress
    from brokercert.engine import run

    return run.run_certification(request, PlainProgress(say))


def write_run(run: RunRecord, folder: Path) -> dict[str, Path]:
    from brokercert_reports.write import write_reports

    from brokercert.cli.finish import point_latest

    reports = write_reports(run, folder)
    point_latest(folder)
    return reports


# Items.


class _Node(pytest.Collector):
    """Not found in a file, but given its children: there need be no test in the project."""

    def __init__(self, **more: Any) -> None:
        super().__init__(**more)
        self.children: list[pytest.Item | pytest.Collector] = []

    def collect(self) -> Iterable[pytest.Item | pytest.Collector]:
        return self.children


class SetNode(_Node):
    """A requirement set."""


class RowNode(_Node):
    """A requirement."""


class _Item(pytest.Item):
    def __init__(self, *, certification: Certification, **more: Any) -> None:
        super().__init__(**more)
        self.certification = certification

    def reportinfo(self) -> tuple[Path, int | None, str]:
        """Where it "stands": what pytest shows as a file is the set."""
        return self.config.rootpath / self.nodeid.partition("::")[0], None, self.nodeid

    def told(self, name: str, value: object) -> None:
        """A property of JUnit's test case."""
        self.user_properties.append((name, value))


class RowItem(_Item):
    """What is said of one requirement in one scenario."""

    def __init__(self, *, row: str, **more: Any) -> None:
        super().__init__(**more)
        self.row = row

    def setup(self) -> None:
        """Whatever is no judgement of the client ends here, as an error or a skip."""
        run = self.certification.outcome
        if run is None:
            pytest.fail("harness error: the engine did not run", pytrace=False)
        row = next(result for result in run.rows if result.id == self.row)
        findings = [finding for finding in row.findings if finding.scenario == self.name]
        verdict = worst(finding.verdict for finding in findings)
        for name, value in self._properties(row, findings, verdict):
            self.told(name, value)
        self._judged: tuple[RunRecord, RowResult, list[Finding], Verdict] = (run, row, findings, verdict)
        if verdict is Verdict.NOT_APPLICABLE:
            pytest.skip(f"not applicable: {findings[0].observed}")
        if verdict not in (Verdict.PASS, Verdict.WARNING, Verdict.FAIL):
            pytest.fail(explain(run, row, findings, verdict), pytrace=False)

    def runtest(self) -> None:
        run, row, findings, verdict = self._judged
        if verdict is Verdict.FAIL or (run.strict and verdict is Verdict.WARNING):
            pytest.fail(explain(run, row, findings, verdict), pytrace=False)

    def _properties(self, row: RowResult, findings: list[Finding], verdict: Verdict) -> Iterator[tuple[str, object]]:
        from brokercert_reports.text import quantity

        yield "requirement", row.id
        yield "requirement_text", row.text
        yield "level", str(row.level)
        yield "source", row.source
        yield "scenario", self.name
        yield "verdict", str(verdict)
        for finding in findings:
            if finding.verdict is Verdict.WARNING:
                yield "warning", finding.observed
            for measured in finding.measured:
                limit = "" if measured.limit is None else f" (limit {quantity(measured.limit, measured.unit)})"
                yield f"measured: {measured.name}", f"{quantity(measured.value, measured.unit)}{limit}"


class CertificateItem(_Item):
    """Whether the client is certified."""

    def setup(self) -> None:
        run = self.certification.outcome
        if run is None:
            pytest.fail("incomplete: every requirement was deselected, so that nothing was run", pytrace=False)
        self.told("certificate", run.sentence)
        self.told("run_id", run.run_id)
        self.told("set", f"{run.set_id} {run.set_version} {run.set_hash}")
        if run.outcome not in (Outcome.CERTIFIED, Outcome.FAILED):
            pytest.fail(run.sentence, pytrace=False)

    def runtest(self) -> None:
        run = self.certification.outcome
        assert run is not None
        if run.outcome is not Outcome.CERTIFIED:
            pytest.fail(run.sentence, pytrace=False)


def explain(run: RunRecord, row: RowResult, findings: list[Finding], verdict: Verdict) -> str:
    """The message of a failure: its first line a sentence to act on, then what was expected and the evidence."""
    from brokercert_reports.text import quantity

    worst_first = [finding for finding in findings if finding.verdict is verdict] or findings
    first = worst_first[0].observed if worst_first else row.reason
    lines = [f"{verdict}: {row.id} {row.title}: {first}", f"  requirement  {row.text} [{row.source}]"]
    for finding in worst_first:
        lines.append(f"  observed     {finding.observed}")
        if finding.expected:
            lines.append(f"  expected     {finding.expected}")
        if finding.blocked_by:
            lines.append(f"  blocked by   {finding.blocked_by}")
        lines += [
            f"  measured     {m.name}: {quantity(m.value, m.unit)} ± {quantity(m.error, m.unit)}"
            + ("" if m.limit is None else f", limit {quantity(m.limit, m.unit)}")
            for m in finding.measured
        ]
    scenarios = {finding.scenario for finding in worst_first}
    for excerpt in row.excerpts:
        if excerpt.scenario in scenarios:
            lines.append(f"  evidence     trace of {excerpt.scenario}:")
            lines += [_line(line) for line in excerpt.lines]
    for scenario in run.scenarios:
        if scenario.name in scenarios and scenario.output and verdict in (Verdict.FAIL, Verdict.HARNESS_ERROR):
            lines.append(f"  client       {scenario.exit}; its last lines:")
            lines += [f"    {line}" for line in scenario.output]
    if row.mend and verdict is Verdict.FAIL:
        lines.append(f"  to mend it   {row.mend}")
    if row.reproduce:
        lines.append(f"  reproduce    {row.reproduce}")
    return "\n".join(lines).encode("utf-8", "backslashreplace").decode()  # a client may print half a character


def _line(line: ExcerptLine) -> str:
    mark = ">" if line.marked else " "
    return f"  {mark} {line.record:>5} {line.at:9.3f} s  {line.conn or '':>3} {line.who:<7} {line.text}"
