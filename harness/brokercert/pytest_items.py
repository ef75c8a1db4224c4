"""A certification inside a pytest run: one item a requirement and scenario, and the certificate.

The law: the engine runs once, before the items, in a process of its own, and the items only repeat what it said. So no
order, filter, hook or rerun of theirs changes a verdict, and the status that pytest ends with is the run's
(`pytest_status.py`). What was deselected is untested in the certificate, which is always among the items while a
certification was asked for: a filter can never make a pass.

    tradovate-stage2::LOG-010::login-timed    fail: a failure; blocked, untested, ...: an error; not applicable: a skip
    tradovate-stage2::certificate             passes only where the whole (or the part asked for) is certified
"""

from __future__ import annotations

from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path
from typing import Any

import pytest

from brokercert.door.process import EngineBroke, UsageRefused, ask_plan, ask_run
from brokercert.door.wire import CERTIFICATE, Judged, Plan, Told
from brokercert.pytest_status import Wish

BROKEN = "brokercert: the engine broke, and nothing is known of the client"

# Options of other plugins, by what they would do to a certification, and what to say instead.
REFUSED: dict[str, str] = {
    # `-n` before `--tx`, which xdist derives from it.
    "numprocesses": "pytest-xdist spreads and repeats it, and slows the latencies that it scores; run with -n 0",
    "tx": "pytest-xdist spreads and repeats it, and slows the latencies that it scores; run without --tx",
    "reruns": "pytest-rerunfailures hides the failures that came first; run with --reruns 0",
    "force_flaky": "flaky hides the failures that came first; leave out --force-flaky",
    "retries": "pytest-retry hides the failures that came first; run with --retries 0",
}
REFUSED_MARKERS = ("skip", "skipif", "xfail")


class Certification:
    """One of a pytest session."""

    def __init__(self, config: pytest.Config, wish: Wish) -> None:
        self.config = config
        self.wish = wish
        self.asked = wish.stands
        self.judged: Judged | None = None
        self.broke = ""  # how the engine ended, where it did so without an answer
        self.over = False  # pytest came to the end of its items
        self._reds = 0  # reports of our items that are red
        self._certificate: CertificateItem | None = None
        refuse_plugins(config)
        try:
            self._plan: Plan = ask_plan(wish.options, config.rootpath, config.invocation_params.dir)
        except UsageRefused as error:
            raise pytest.UsageError(f"brokercert: {error}") from error
        except EngineBroke as error:
            pytest.exit(f"{BROKEN}\n{error}", returncode=pytest.ExitCode.INTERNAL_ERROR)

    @property
    def certified(self) -> bool:
        """Whether the run, and nothing else, says so."""
        return self.judged is not None and self.judged["status"] == 0 and self.judged["outcome"] == "certified"

    # Before.

    @property
    def header(self) -> str:
        """Whom it is of, before anything is run."""
        part = f", part {self._plan['part']}" if self._plan["part"] else ""
        return f"brokercert: {self._plan['whom']}; {self._plan['named']}{part}"

    def items(self, session: pytest.Session) -> list[pytest.Item]:
        """All of ours, the certificate last."""
        set_id = self._plan["set_id"]
        top = SetNode.from_parent(session, name=set_id, nodeid=set_id)
        top.add_marker(self._plan["marker"])
        self._certificate = CertificateItem.from_parent(top, name=CERTIFICATE, certification=self)
        for row, scenarios in self._plan["rows"].items():
            node = RowNode.from_parent(top, name=row)
            for scenario in scenarios:
                node.children.append(RowItem.from_parent(node, name=scenario, certification=self, row=row))
            top.children.append(node)
        top.children.append(self._certificate)
        return list(session.genitems(top))  # by pytest's own way, so that it counts and tells them

    def keep_certificate(self, items: list[pytest.Item]) -> None:
        """The certificate comes last, whoever selected or reordered; with it a certification stands and falls.

        Raises `pytest.UsageError` where an item of ours bears a marker that would change what it says.
        """
        ours = [item for item in items if isinstance(item, RowItem | CertificateItem)]
        self.asked = self.wish.stands or bool(ours)
        refuse_markers([*ours, *([self._certificate] if self._certificate and self.asked else [])])
        if self._certificate is not None and self.asked:
            items[:] = [*(item for item in items if item is not self._certificate), self._certificate]

    # The run.

    def run(self, session: pytest.Session) -> None:
        """Run the engine for the rows whose items are left. Without any item of ours: not at all."""
        broken = session.testsfailed and not session.config.option.continue_on_collection_errors
        left = list(dict.fromkeys(item.row for item in session.items if isinstance(item, RowItem)))
        if broken or not self.asked or not left:
            return  # all deselected: the certificate says so
        where = self.config.rootpath, self.config.invocation_params.dir
        try:
            self.judged, stopped = ask_run(self.wish.options, *where, left, self._say)
        except UsageRefused as error:
            raise pytest.UsageError(f"brokercert: {error}") from error
        except EngineBroke as error:
            self.broke = str(error)
            return
        if stopped or self.judged["outcome"] == "interrupted":
            raise KeyboardInterrupt

    def _say(self, text: str) -> None:
        reporter = self.config.pluginmanager.get_plugin("terminalreporter")
        if reporter is not None:
            reporter.write_line(f"brokercert {text}")

    # After.

    def told(self, row: str = "", scenario: str = "") -> Told:
        """What an item says; without a row: the certificate."""
        if self.broke:
            return Told(kind="error", message=self.broke, properties=[])
        if self.judged is None:
            why = "incomplete: every requirement was deselected, so that nothing was run"
            return Told(kind="error", message=why, properties=[])
        if not row:
            return self.judged["certificate"]
        told = self.judged["items"].get(row, {}).get(scenario)
        why = f"harness error: the run's record says nothing of {row} in {scenario}"
        return told or Told(kind="error", message=why, properties=[])

    def count(self, report: pytest.TestReport) -> None:
        """A report of any item, as pytest shows it."""
        if report.nodeid.startswith(f"{self._plan['set_id']}::") and report.failed and not hasattr(report, "wasxfail"):
            self._reds += 1

    def summarize(self, reporter: pytest.TerminalReporter) -> None:
        """What the run said, and whether that is to be seen in its items."""
        if not self.asked or (self.judged is None and not self.broke and (self._reds or not self.over)):
            return  # nothing was run: the certificate says so, or whatever kept pytest from its items
        reporter.section("brokercert")
        if self.judged is None:
            reporter.line(self.broke.partition("\n")[0] or "nothing was run, so that nothing is certified")
        else:
            for name, path in self.judged["reports"].items():
                reporter.line(f"{name}: {path}")
            reporter.line(f"{self.judged['sentence']} (`brokercert certify` would exit {self.judged['status']})")
        if self.over and not self.certified and not self._reds:
            reporter.line(
                "no item of the certification shows this: a conftest.py or a plugin skipped, dropped or rewrote them; "
                "the exit status follows the run"
            )


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


def refuse_markers(ours: Iterable[pytest.Item]) -> None:
    """Raises `pytest.UsageError` at the first item of ours that is marked to be skipped or expected to fail."""
    for item in ours:
        for name in REFUSED_MARKERS:
            if item.get_closest_marker(name) is not None:
                raise pytest.UsageError(
                    f"brokercert: {item.nodeid} bears the marker {name!r}; expected none of "
                    f"{', '.join(REFUSED_MARKERS)}: an item repeats what the run said. Where a conftest.py or a plugin "
                    "adds markers, leave the items of brokercert out; what the client lacks is declared in "
                    "brokercert.toml, under [capabilities.absent]"
                )


def _ini(config: pytest.Config, name: str) -> object:
    with suppress(KeyError, ValueError):  # no plugin knows it
        return config.getini(name)
    return None


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
    """Repeats what the engine said."""

    def __init__(self, *, certification: Certification, **more: Any) -> None:
        super().__init__(**more)
        self.certification = certification

    def reportinfo(self) -> tuple[Path, int | None, str]:
        """Where it "stands": what pytest shows as a file is the set."""
        return self.config.rootpath / self.nodeid.partition("::")[0], None, self.nodeid

    def says(self) -> Told:
        raise NotImplementedError

    def setup(self) -> None:
        """Whatever is no judgement of the client ends here, as an error or a skip."""
        told = self.says()
        self.user_properties += [(name, value) for name, value in told["properties"]]
        if told["kind"] == "skip":
            pytest.skip(told["message"])
        if told["kind"] == "error":
            pytest.fail(told["message"], pytrace=False)

    def runtest(self) -> None:
        told = self.says()
        if told["kind"] != "pass":
            pytest.fail(told["message"], pytrace=False)


class RowItem(_Item):
    """What is said of one requirement in one scenario."""

    def __init__(self, *, row: str, **more: Any) -> None:
        super().__init__(**more)
        self.row = row

    def says(self) -> Told:
        return self.certification.told(self.row, self.name)


class CertificateItem(_Item):
    """Whether the client is certified."""

    def says(self) -> Told:
        return self.certification.told()
