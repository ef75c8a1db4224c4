"""Saved traces as they are found: that they are of one run, and what its `run.json` beside them says.

The law: nobody has to believe a folder. Traces of different runs are refused, naming two files and the field; where the
run's record stands beside them, a trace that it does not know, byte for byte, is refused too. Missing ones are for the
rows to say (`owed.py`).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import msgspec
from msgspec import structs

from brokercert.engine.ask.given import is_file, is_folder
from brokercert.engine.ask.waivers import Waivers
from brokercert.engine.errors import UsageError
from brokercert.engine.run.latest import LATEST
from brokercert.engine.run.manifest import ALTERED, Manifest, known, refuse_contradicted
from brokercert.engine.run.plan import Wanted, known_rows
from brokercert.requirements import RequirementError, RequirementSet, load_set, set_named
from brokercert.seal import broken_seal
from brokercert.sets import stem_of
from brokercert.trace import TraceError, read_header
from brokercert.trace.records import Asked, Header
from brokercert.verdict import NO_RECORD, RUN_FORMAT, Outcome, RunRecord, ScenarioResult, decode_run

NO_MANIFEST = "nothing vouches for what the traces should hold, since this version knows no manifest of their set"
LONGEST = 160  # characters shown of a value that differs: a line of a terminal, twice
AS_LEFT = "expected the folder as its run left it; to judge traces that nothing vouches for, move run.json away"

# What the traces of one run have in common, most telling first. Tier and level are not among them: what a run in real
# time leaves out of its grid is played in virtual time beside it, with the reference client in this process.
COMMON: tuple[tuple[str, Callable[[Header], Any]], ...] = (
    ("requirement set", lambda header: header.set_id),
    ("run id", lambda header: header.run.get("run_id", "")),
    ("subject", lambda header: header.subject),
    ("seed", lambda header: header.seed),
    ("challenge", lambda header: header.challenge),
    ("set hash", lambda header: header.set_hash),
    ("manifest", lambda header: header.manifest),
    ("limits", lambda header: header.limits),
    ("offers", lambda header: header.offers),
    ("absent", lambda header: header.absent),
    ("readings", lambda header: header.readings),
    ("entity types", lambda header: header.entity_types),
    ("asked", lambda header: header.asked),
)


@dataclass(frozen=True, slots=True)
class Saved:
    """Traces of one run. `record`: what their run wrote of itself, where that stands beside them."""

    files: tuple[Path, ...]
    headers: tuple[Header, ...]  # beside the files
    record: RunRecord | None = None
    place: Path | None = None  # the record's file
    manifest: Manifest | None = None  # what their set held; None: this version does not know

    @property
    def header(self) -> Header:
        """The one that stands for the run: of its own tier."""
        return next((header for header in self.headers if header.tier == "real"), self.headers[0])

    @property
    def source(self) -> Path:
        """The file that says what was asked for."""
        return self.place or self.files[self.headers.index(self.header)]

    @property
    def asked(self) -> Asked:
        """What the run was asked for; of traces older than that field, and without a record: the whole set."""
        if self.record is not None:
            return Asked(part=self.record.part, only=self.record.selected, strict=self.record.strict)
        return self.header.asked or Asked()

    @property
    def waivers(self) -> Waivers:
        """Those of the run, held by its own day. Without its record nobody vouches for any."""
        return Waivers(self.record.waivers, self.record.waived_on) if self.record is not None else Waivers()

    @property
    def was_interrupted(self) -> bool:
        """As its record says."""
        return self.record is not None and self.record.outcome is Outcome.INTERRUPTED

    @property
    def doubt(self) -> str:
        """Why nothing vouches that the traces are all of their run; empty: its record and its set's manifest do."""
        if self.record is None:
            return NO_RECORD
        return "" if self.manifest is not None else NO_MANIFEST

    @property
    def known(self) -> dict[tuple[str, int], ScenarioResult]:
        """What the record says was played, by scenario and playing."""
        return {(one.name, one.play): one for one in (self.record.scenarios if self.record else ()) if one.sha256}


@dataclass(frozen=True, slots=True)
class Asking:
    """What is asked of saved traces: the run's own words, but for what the command line says otherwise."""

    asked: Asked
    words: tuple[str, ...]  # of the command line, to be told again


def trace_files(paths: Sequence[Path]) -> list[Path]:
    """The trace files meant: a file itself, or all of a folder (a run's folder or its `traces`)."""
    files: list[Path] = []
    for path in paths:
        if is_folder(path):
            inside = sorted(path.glob("*.jsonl")) or sorted((path / "traces").glob("*.jsonl"))
            if not inside:
                raise UsageError(f"{path}: {_of_runs(path)}")
            files += inside
        else:
            files.append(path)
    return files


def _of_runs(folder: Path) -> str:
    """Why a folder without traces cannot be judged: it may hold runs."""
    found = (one.parent.parent for pattern in ("*", "*/*") for one in folder.glob(f"{pattern}/traces/*.jsonl"))
    runs = sorted({run for run in found if LATEST not in run.relative_to(folder).parts})
    if not runs:
        return "no trace in this folder; expected *.jsonl, or a folder traces/ of them"
    if is_file(folder / "run.json"):
        return f"a run that was repeated; judge one of its runs, as in `brokercert judge {runs[0]}`"
    return f"a folder of runs; judge one of them, as in `brokercert judge {_newest(folder, runs)}`"


def _newest(folder: Path, runs: Sequence[Path]) -> Path:
    latest = folder / LATEST
    return latest if any((latest / "traces").glob("*.jsonl")) else runs[-1]


def saved_traces(paths: Sequence[Path]) -> Saved:
    """What `paths` mean. Raises `UsageError` where they are not of one run, or not of the run whose record is there."""
    files = trace_files(paths)
    if not files:
        raise UsageError("no trace was given; expected files or folders of traces (out/latest)")
    headers = [_header(path) for path in files]
    _one_run(files, headers)
    seen: dict[tuple[str, int], Path] = {}
    for path, header in zip(files, headers, strict=True):
        key = (header.scenario, header.play)
        if key in seen:
            raise UsageError(
                f"{path}: a second trace of scenario {header.scenario!r}, beside {seen[key]}; "
                "judge the traces of one run at a time"
            )
        seen[key] = path
    place, record, data = _record_beside(files)
    saved = Saved(tuple(files), tuple(headers), record, place, _manifest_of(files, headers))
    if record is not None:
        _of_that_run(saved, record)
        broken = broken_seal(record, data)
        if broken:
            raise UsageError(f"{place}: {broken}; {AS_LEFT}")
    return saved


def _manifest_of(files: Sequence[Path], headers: Sequence[Header]) -> Manifest | None:
    """That of their set, where this version knows it. Raises `UsageError` where a header contradicts it."""
    try:
        manifest = known(headers[0].set_id).get(headers[0].manifest)
    except RequirementError:  # whoever asks for the set says it better
        return None
    if manifest is None:
        return None
    beside = {header.tier for header in headers} == {"real", "virtual"}
    for path, header in zip(files, headers, strict=True):
        refuse_contradicted(path, header, manifest)
    for path, header in zip(files, headers, strict=True):
        if beside and header.tier == "virtual" and not manifest.scenarios[header.scenario].cell:
            raise UsageError(
                f"{path}: tier virtual, beside a run in real time; {manifest.named} says that {header.scenario} is no "
                f"cell of the grid. {ALTERED}"
            )
    return manifest


def refuse_altered(saved: Saved, found: Iterable[tuple[Path, ScenarioResult]]) -> None:
    """Raises `UsageError` where a trace is not the file that the record names. It proves nothing of the client, for or
    against, so that there is nothing to judge.
    """
    altered = [path for path, one in found if one.sha256 and saved.known[one.name, one.play].sha256 != one.sha256]
    if altered:
        more = f", and so with {len(altered) - 1} more ({_names(altered[1:])})" if altered[1:] else ""
        raise UsageError(
            f"{altered[0]}: not the trace that its run wrote: {saved.place} has another SHA-256 of it{more}; {AS_LEFT}"
        )


def refuse_overwriting(out: Path, paths: Sequence[Path]) -> None:
    """Raises `UsageError` where reports in `out` would take the place of the record of the run that is judged."""
    place = out / "run.json"
    near = {where.resolve() for where in _places(trace_files(paths))}
    if place.resolve() in near and _recorded(place)[0] is not None:
        raise UsageError(f"--out {out}: {place} is the record of the run itself; expected another folder")


def set_of(saved: Saved, named: str | None) -> RequirementSet:
    """The set of the traces. Raises `UsageError` where `--set` says another, or this version has none of that name."""
    header, file = saved.header, saved.files[0]
    try:
        rows = load_set(header.set_id)
    except RequirementError as error:
        raise UsageError(f"{file}: set_id: {error}; judge it with {header.tool}") from error
    if named is not None and named not in (rows.name, rows.id, stem_of(rows.id)) and set_named(named).id != rows.id:
        raise UsageError(
            f"--set {named}: {file} is a trace of {rows.name}, which nothing else can judge; leave --set out"
        )
    return rows


def wanted_of(saved: Saved, rows: RequirementSet) -> Wanted:
    """What the run's plan followed from. Raises `UsageError` where this version knows no such part or row."""
    header, asked = saved.header, saved.asked
    try:
        known_rows(asked.only, rows)
        if asked.part:
            rows.part(asked.part)
    except (UsageError, RequirementError) as error:
        raise UsageError(f"{saved.source}: what its run was asked for: {error}; judge it with {header.tool}") from error
    return Wanted(
        frozenset(header.offers), header.tier, header.seed, asked.part, asked.only, preflight=header.preflight
    )


def asking_of(
    saved: Saved, rows: RequirementSet, part: str | None, only: Sequence[str] | None, strict: bool | None
) -> Asking:
    """None: as the run has it. An empty part, or an empty id, is the whole set. Raises `UsageError`
    or `RequirementError` where there is no such part or row.
    """
    words: list[str] = []
    if only is not None:
        words += [word for row in only for word in ("--only", row)]
        only = tuple(row for row in only if row)
        known_rows(only, rows)
    if part is not None:
        words += ["--part", part]
        if part:
            rows.part(part)  # raises where there is no such part
    if strict is not None:
        words.append("--strict" if strict else "--no-strict")
    ours = {"part": part, "only": None if only is None else tuple(only), "strict": strict}
    said = {name: value for name, value in ours.items() if value is not None}
    return Asking(structs.replace(saved.asked, **said), tuple(words))


def _header(path: Path) -> Header:
    try:
        return read_header(path)
    except TraceError as error:
        raise UsageError(str(error)) from error


def _one_run(files: Sequence[Path], headers: Sequence[Header]) -> None:
    for path, header in zip(files[1:], headers[1:], strict=True):
        for name, value_of in COMMON:
            first, other = value_of(headers[0]), value_of(header)
            if first != other:
                raise UsageError(
                    f"{path}: {name} {_shown(other, first)}, but {files[0]} has {_shown(first, other)}: traces of "
                    "different runs; expected those of one (the folder of a run, or files of it)"
                )


def _shown(value: Any, other: Any) -> str:
    if isinstance(value, dict) and isinstance(other, dict):
        value = {key: value[key] for key in value if other.get(key) != value[key]}
    text = str(value) if isinstance(value, str | int) else repr(value)
    return text if len(text) <= LONGEST else f"{text[:LONGEST]}…"


def _places(files: Sequence[Path]) -> list[Path]:
    """Where the record of their run may stand: beside them, or beside their folder `traces`."""
    folders = dict.fromkeys(path.absolute().parent for path in files)
    near = [here for folder in folders for here in (folder, *([folder.parent] if folder.name == "traces" else []))]
    return [folder / "run.json" for folder in dict.fromkeys(near)]


def _record_beside(files: Sequence[Path]) -> tuple[Path | None, RunRecord | None, bytes]:
    """The record of their run, where it stands and its bytes."""
    for place in _places(files):
        record, data = _recorded(place)
        if record is not None:
            return place, record, data
    return None, None, b""


def _recorded(place: Path) -> tuple[RunRecord | None, bytes]:
    """The record that a run wrote of itself; what an earlier judging wrote vouches for nothing."""
    try:
        data = place.read_bytes()
        record = decode_run(data)
    except FileNotFoundError:
        return None, b""
    except OSError as error:
        raise UsageError(f"{place}: {error.strerror}; {AS_LEFT}") from error
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
        raise UsageError(f"{place}: {error}; expected a run.json of this version of brokercert; {AS_LEFT}") from error
    if record.format != RUN_FORMAT:
        raise UsageError(f"{place}: format {record.format}, this version reads {RUN_FORMAT}; judge with {record.tool}")
    return (None if "judged" in record.environment else record), data


def _of_that_run(saved: Saved, record: RunRecord) -> None:
    header, place = saved.header, saved.place
    limits = {one.name: one.value for one in record.limits}
    for name, theirs, ours in (
        ("run id", header.run.get("run_id", record.run_id), record.run_id),
        ("requirement set", header.set_id, record.set_id),
        ("set hash", header.set_hash, record.set_hash),
        ("manifest", header.manifest, record.manifest),
        ("tier", saved.header.tier, record.tier),
        ("subject", header.subject, record.subject.name),
        ("seed", header.seed, record.seed),
        ("challenge", header.challenge, record.challenge),
        ("limits", {name: value for name, value in header.limits.items() if name in limits}, limits),
        ("absent", header.absent, {one.name: one.reason for one in record.subject.absent}),
        ("readings", header.readings, record.subject.readings),
        ("entity types", header.entity_types, record.subject.entity_types),
        ("asked", header.asked or saved.asked, saved.asked),
    ):
        if theirs != ours:
            raise UsageError(
                f"{place}: {name} {_shown(ours, theirs)}, but {saved.files[0]} has {_shown(theirs, ours)}: the record "
                f"of another run; {AS_LEFT}"
            )
    for path, one in zip(saved.files, saved.headers, strict=True):
        if (one.scenario, one.play) not in saved.known:
            raise UsageError(f"{path}: {place} knows of no trace of scenario {one.scenario!r}; {AS_LEFT}")


def _names(paths: Sequence[Path], most: int = 5) -> str:
    names = [path.name for path in paths]
    return ", ".join(names[:most]) + (", ..." if len(names) > most else "")
