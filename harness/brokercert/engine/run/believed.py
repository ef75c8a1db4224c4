"""A record of a run that is read again: what it says is held against what it says it of.

The law: nobody has to believe a `run.json`. A row's verdict follows from its findings. The outcome and its sentence
follow from the rows. Which rows there are follows from the manifest of the set, and the seal from all of the file. The
moment at which it began stands in the run's id, which each trace has, and waivers are held by the day of that moment. A
record that says otherwise was edited, or is of a version that judged otherwise. It is refused, by the field that
differs first. Where this version does not know the manifest, nothing is believed to be certified.

It has one form, in which each key of an object stands once: two readers would read another one differently.
"""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from brokercert.engine.ask.waivers import day_of, refuse_other_waivers
from brokercert.engine.errors import UsageError
from brokercert.engine.run.manifest import Manifest, known
from brokercert.engine.run.request import began_of
from brokercert.engine.run.saved import NO_MANIFEST
from brokercert.judge.rows import verdict_of
from brokercert.requirements import RequirementError, RequirementSet, load_set
from brokercert.seal import broken_seal
from brokercert.sets import stem_of
from brokercert.trace.agrees import read_once
from brokercert.verdict import RUN_FORMAT, Outcome, RunRecord, concluded, decode_run, written

EXPECTED = "expected a run.json as its run wrote it; `brokercert judge` makes one from the traces"


def believed(path: Path, data: bytes) -> RunRecord:
    """The record in `path`, which holds `data`. Raises `UsageError` where it is none, or contradicts itself or the
    manifest of its set.
    """
    run, form = _decoded(path, data)
    _refuse_contradiction(run, path, data)
    _refuse_other_form(path, data, form)  # last: what is wrong with a field tells more
    return run


def in_form(path: Path, data: bytes) -> RunRecord:
    """The record that stands in `data`, in the one form of them. What it says is not looked at. Raises `UsageError`."""
    run, form = _decoded(path, data)
    _refuse_other_form(path, data, form)
    return run


def _decoded(path: Path, data: bytes) -> tuple[RunRecord, bytes]:
    """The record, and its bytes in the one form."""
    try:
        return decode_run(data), written(read_once(data))
    except (ValueError, RecursionError, OverflowError) as error:  # msgspec's, and that of a byte that is no UTF-8, too
        raise UsageError(f"{path}: {error}; expected a run.json of this version of brokercert") from error


def _refuse_other_form(path: Path, data: bytes, form: bytes) -> None:
    if form != data:
        raise UsageError(f"{path}: it is written otherwise than a run.json; {EXPECTED}")


def _refuse_contradiction(run: RunRecord, path: Path, data: bytes) -> None:
    if run.format != RUN_FORMAT:
        raise UsageError(f"{path}: format {run.format}, this version reads {RUN_FORMAT}; report it with {run.tool}")
    for field, said, follows in _fields(run):
        if said != follows:
            raise UsageError(f"{path}: {field}: {said}; what it is made of says: {follows}; {EXPECTED}")
    refuse_other_waivers(path, run.waivers)
    broken = broken_seal(run, data)
    if broken:
        raise UsageError(f"{path}: {broken}; {EXPECTED}")


def _fields(run: RunRecord) -> Iterator[tuple[str, str, str]]:
    """Each field that follows from others: its name, what is said, and what follows."""
    manifest = _manifest_of(run)
    if manifest is not None:
        yield from _of_the_set(run, manifest)
        yield from _of_its_page(run)
    yield from _of_its_day(run)
    for row in run.rows:
        deselected = bool(run.selected) and row.id not in run.selected
        verdict, reason = verdict_of(row.level, row.findings, row.scenarios, deselected)
        yield f"{row.id}: verdict", row.verdict.value, verdict.value
        yield f"{row.id}: reason", row.reason, reason
    follows = concluded(run, interrupted=run.outcome is Outcome.INTERRUPTED)
    yield "outcome", run.outcome.value, follows.outcome.value
    yield "sentence", run.sentence, follows.sentence
    if follows.outcome is Outcome.CERTIFIED:
        yield "scenarios", *_scenarios(run, manifest)


def _of_its_day(run: RunRecord) -> Iterator[tuple[str, str, str]]:
    """When it began, and the day by which its waivers are held. A record of a judging has the moment of that."""
    if "judged" in run.environment:
        return
    began = began_of(run.run_id)
    if began and run.repeats == 1:  # of several runs it is the folder's name
        yield "started", run.started, began
    if run.waivers or run.waived_on:
        yield "waived_on", run.waived_on or "none", day_of(run.started)


def _manifest_of(run: RunRecord) -> Manifest | None:
    """That which the record names; None: this version does not know it. Raises `UsageError`."""
    try:
        return known(run.set_id).get(run.manifest)
    except (RequirementError, UsageError) as error:
        raise UsageError(f"{run.named}: {error}; report it with {run.tool}") from error


def _scenarios(run: RunRecord, manifest: Manifest | None) -> tuple[str, str]:
    """What a certificate tells nothing of, and what it should."""
    if manifest is None:
        return "believed", NO_MANIFEST
    told = {one.name for one in run.scenarios}
    asked = {row.id for row in run.rows if row.in_part}
    owed = [name for name, one in manifest.scenarios.items() if asked & set(one.exercises) and name not in told]
    return f"nothing of {', '.join(owed)}" if owed else "", f"something of {', '.join(owed)}" if owed else ""


def _of_the_set(run: RunRecord, manifest: Manifest) -> Iterator[tuple[str, str, str]]:
    """What the manifest says: rows, their levels, which are in the part; limits."""
    yield "set_version", run.set_version, manifest.version
    yield "set_hash", run.set_hash, manifest.set_hash
    yield "rows", ", ".join(row.id for row in run.rows), ", ".join(manifest.rows)
    for row, listed in zip(run.rows, manifest.rows.values(), strict=True):
        yield f"{row.id}: level", row.level, listed.level
        yield f"{row.id}: in_part", str(row.in_part).lower(), str(not run.part or run.part in listed.parts).lower()
    yield "limits", ", ".join(sorted(one.name for one in run.limits)), ", ".join(sorted(manifest.limits))
    for limit in run.limits:
        own = limit.value if limit.default is None else limit.default
        yield f"limits: {limit.name}", str(own), str(manifest.limits[limit.name])


def _of_its_page(run: RunRecord) -> Iterator[tuple[str, str, str]]:
    """What today's set says of its name and page, where the record names that set. Older records have neither.

    A record that is of before there was another edition names its set by its id alone, and is right.
    """
    rows = load_set(run.set_id)
    if rows.hash != run.set_hash:
        return
    if run.set_name not in _names_of(rows):
        yield "set_name", run.set_name, rows.name
    if run.source is not None and rows.source is not None:
        yield "source.edition", run.source.edition, rows.source.edition


def _names_of(rows: RequirementSet) -> tuple[str, ...]:
    """All that a record may call a set, whether another edition of it was known to its tool or not; "" is its id."""
    stem = stem_of(rows.id)
    return "", rows.id, f"{stem}@{rows.source.edition}" if rows.source else rows.id
