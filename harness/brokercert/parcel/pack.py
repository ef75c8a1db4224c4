"""Packs a run into a bundle.

The law: what is packed is whole. A run of which a trace is missing or altered is refused, and so is one that is not
certified, unless a draft is asked for, which says so on each page.
"""

from __future__ import annotations

import hashlib
import os
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from brokercert_reports.html import render_html, render_plan
from brokercert_reports.junit import render_junit
from brokercert_reports.plan import DRAFT, plan_of_run
from brokercert_reports.seal import record_bytes
from brokercert_reports.sheet import render_csv, render_xlsx
from brokercert_reports.summary import render_summary
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from brokercert.engine.ask.given import is_file, is_folder, read_given
from brokercert.engine.client.environment import tool
from brokercert.engine.errors import UsageError
from brokercert.engine.play.scenario import load_suite
from brokercert.engine.run.believed import believed
from brokercert.engine.run.defects import judge_of
from brokercert.parcel.archive import Member, is_safe, measured, write_archive
from brokercert.parcel.keys import public_pem
from brokercert.parcel.logs import logs_of
from brokercert.parcel.maker import maker_of
from brokercert.parcel.manifest import BUNDLE_FORMAT, MANIFEST, Listed, Manifest
from brokercert.parcel.sent import sendable, sender
from brokercert.parcel.statement import ENVELOPE, SIGNER, STATEMENT, envelope_of, statement_of
from brokercert.parcel.status import BundleError
from brokercert.requirements import load_set
from brokercert.sets import data_folder
from brokercert.sources import pages_of
from brokercert.trace import TraceError
from brokercert.verdict import UNPLAYED, Outcome, RunRecord, written

RECORD = "run.json"
SET, SOURCE = "set/", "set/source/"


def read_run(given: Path) -> tuple[Path, RunRecord]:
    """A run's folder and its record, from the folder or from its run.json. Raises `UsageError`."""
    path = given / RECORD if is_folder(given) else given
    data = read_given(path, "the folder of a run, as out/latest, or its run.json")
    return path, believed(path, data)


def is_own(run: RunRecord) -> bool:
    """Whether this very build judged it. Raises `RequirementError` where its set is not installed."""
    return (run.tool, run.judge) == (tool(), judge_of(load_suite(run.set_id)))


def refuse_other_form(run: RunRecord, data: bytes) -> None:
    """Raises `BundleError` where this build would write what it read as other bytes."""
    if record_bytes(run) != data:
        raise BundleError(f"{RECORD}: it is written otherwise than its run writes it: a field more, less, or elsewhere")


def pack(given: Path, out: Path | None, key: Ed25519PrivateKey | None, draft: bool) -> tuple[Path, RunRecord]:
    """Write the bundle of a run; its path (without `out`: in the run's folder) and the run. Raises `UsageError`."""
    path, run = read_run(given)
    if run.outcome is not Outcome.CERTIFIED and not draft:
        raise UsageError(
            f"{path}: {run.sentence}; a bundle is of a certified run; `--draft` makes one that says it is none"
        )
    if run.repeats > 1:
        raise UsageError(f"{path}: it tells of {run.repeats} runs; expected one of them, each in a folder beside it")
    target = out or path.parent / "bundle.zip"
    if is_file(target) and not read_given(target, "a bundle").startswith(b"PK"):
        raise UsageError(f"{target}: it is there, and no bundle; expected another name (--out)")
    try:
        if is_own(run):
            refuse_other_form(run, path.read_bytes())
        traces = _traces(run, path)
        members = [Member(RECORD, path), *traces, *_bytes(pages(run, path.parent, draft)), *_bytes(set_files(run))]
        _write(target, run, sorted(members, key=lambda one: one.name), key, draft)
    except (BundleError, TraceError) as error:
        raise UsageError(str(error)) from error
    except OSError as error:
        raise UsageError(f"{error.filename or target}: {error.strerror or error}; no bundle was written") from error
    return target, run


def _bytes(contents: Mapping[str, bytes]) -> list[Member]:
    return [Member(name, content) for name, content in contents.items()]


def pages(run: RunRecord, folder: Path, draft: bool) -> dict[str, bytes]:
    """Every page that follows from the run's record and its traces, by its name in the bundle. Raises `TraceError`."""
    mark = DRAFT if draft else ""
    sent = sender(run)
    run = sendable(run)
    plan = plan_of_run(run, draft=draft)
    return {
        "report.html": render_html(run, draft=mark).encode(),
        f"TEST-{run.set_id}.xml": render_junit(run, draft=mark),
        "summary.md": render_summary(run, draft=mark).encode(),
        "plan.csv": render_csv(plan),
        "plan.html": render_plan(plan, draft=mark).encode(),
        "plan.xlsx": render_xlsx(plan),
        **logs_of(run, folder, draft=draft, sent=sent),
    }


def set_files(run: RunRecord) -> dict[str, bytes]:
    """The set by which a run was judged, and the register of its source page. Raises `UsageError` where the installed
    one is another, and `RequirementError` where none is installed.
    """
    rows = load_set(run.set_id)
    if rows.hash != run.set_hash:
        raise UsageError(
            f"{run.named}: the run was judged by sha256 {run.set_hash[:12]}, {rows.hash[:12]} is installed; bundle it "
            f"with {run.tool}"
        )
    folder = data_folder(run.set_id)
    assert folder is not None, "its set was loaded from there"
    files = {SET + path.name: path.read_bytes() for path in sorted(folder.glob("*.toml"))}
    return files | {SOURCE + path.name: path.read_bytes() for path, _ in pages_of(rows)}


def traces_of(run: RunRecord) -> dict[str, str]:
    """The SHA-256 that the record has of each trace, by its file. Raises `BundleError` where a name is no trace's, or
    where what was played has none, what was not has one, or the same playing stands there twice.
    """
    found: dict[str, str] = {}
    seen: set[tuple[str, int]] = set()
    for one in run.scenarios:
        place = f"{RECORD}: scenario {one.name}" + (f" (playing {one.play})" if one.play != 1 else "")
        if (one.name, one.play) in seen:
            raise BundleError(f"{place}: it stands there twice; expected each playing once")
        seen.add((one.name, one.play))
        for name, told in (("trace", one.trace), ("sha256", one.sha256)):
            if bool(told) is (one.state in UNPLAYED):
                expected = "none, since it was not played" if told else "that of its trace, since it was played"
                raise BundleError(f"{place}: state {one.state}; {name}: {told or 'none'}; expected {expected}")
        if not one.trace:
            continue
        if not is_safe(one.trace) or not one.trace.startswith("traces/") or one.trace in found:
            raise BundleError(f"{place}: trace: {one.trace!r}; expected a file of its own in traces/")
        found[one.trace] = one.sha256
    return found


def _traces(run: RunRecord, path: Path) -> list[Member]:
    members = []
    for name, digest in traces_of(run).items():
        member = Member(name, path.parent / name)
        if measured(member).sha256 != digest:
            raise UsageError(
                f"{path.parent / name}: not the trace that its run wrote: {path} has another SHA-256 of it"
            )
        members.append(member)
    return members


def _write(target: Path, run: RunRecord, members: list[Member], key: Ed25519PrivateKey | None, draft: bool) -> None:
    if key is not None:
        members = sorted([*members, Member(SIGNER, public_pem(key.public_key()))], key=lambda one: one.name)
    known = [(member, measured(member)) for member in members]
    listed = tuple(Listed(path=member.name, size=one.size, sha256=one.sha256) for member, one in known)
    manifest = Manifest(
        format=BUNDLE_FORMAT, tool=tool(), run_id=run.run_id, draft=draft, files=listed, maker=maker_of(run.set_id)
    )
    document = written(manifest)
    statement = statement_of(run, _sha256(document), manifest.by_path[RECORD].sha256, draft)
    first = [Member(MANIFEST, document), Member(STATEMENT, statement)]
    first += [Member(ENVELOPE, envelope_of(statement, key))] if key is not None else []
    beside = target.with_name(f".{target.name}.{os.getpid()}")
    try:
        with beside.open("wb") as file:
            write_archive(file, [*((member, measured(member)) for member in first), *known])
        os.replace(beside, target)
    finally:
        with suppress(OSError):
            os.unlink(beside)


def _sha256(content: bytes) -> str:
    return hashlib.sha256(content).hexdigest()
