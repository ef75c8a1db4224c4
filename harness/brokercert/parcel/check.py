"""Checks a bundle: nothing in it is believed, executed or loaded, and nothing but the bundle is looked at.

The law: what is whole is said only after all of it was held against the rest. The zip has one shape; the manifest names
every file, byte for byte; the statement follows from both; the verdicts follow from the traces, which are judged again
here; the pages follow from the verdicts.

*Wrong* is said of what no build of ours can have made. What only this build would make otherwise is *judged otherwise*,
where another one made it: a version has many builds, and a build is known by its sources.
"""

from __future__ import annotations

import hashlib
import tempfile
from collections.abc import Sequence
from contextlib import ExitStack, suppress
from dataclasses import dataclass, field
from itertools import zip_longest
from pathlib import Path

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

from brokercert.engine.ask.challenge import seed_of_challenge
from brokercert.engine.ask.given import is_file
from brokercert.engine.client.environment import tool
from brokercert.engine.errors import UsageError
from brokercert.engine.play.scenario import load_suite
from brokercert.engine.run.believed import EXPECTED, believed, in_form
from brokercert.engine.run.defects import judge_of
from brokercert.engine.run.offline import judge_traces
from brokercert.engine.run.saved import AS_LEFT
from brokercert.parallel import Workers
from brokercert.parcel.archive import Archive
from brokercert.parcel.compared import Difference, differences
from brokercert.parcel.keys import bundled_public_key, key_id, public_pem
from brokercert.parcel.maker import maker_of
from brokercert.parcel.manifest import MANIFEST, Manifest, parse_manifest
from brokercert.parcel.pack import RECORD, SET, SOURCE, is_own, pages, refuse_other_form, set_files, traces_of
from brokercert.parcel.statement import ENVELOPE, SIGNER, STATEMENT, is_about, refuse_wrong_signature, statement_of
from brokercert.parcel.status import BundleError, Status
from brokercert.requirements import RequirementError, RequirementSet, load_set, parse_files
from brokercert.seal import broken_seal
from brokercert.trace import TraceError, read_header
from brokercert.trace.agrees import read_once
from brokercert.verdict import RUN_FORMAT, Outcome, RunRecord

MOST_WORDS = 2**26  # bytes of run.json, which is in memory as a whole; that of a whole set has a few MB
MOST_SMALL = 2**22  # bytes of the manifest, the statement, and each file of the set
MOST_SET_FILES = 100


@dataclass(frozen=True)
class Checked:
    """A bundle that is whole. `otherwise`: what this version judges otherwise than the one that made it. `judge`: what
    has judged it here, where that is another one.
    """

    run: RunRecord
    draft: bool
    signer: str  # the name of the key, or nothing
    known: bool  # the key is the one that was asked for
    compared: bool  # its pages were made again and are the same; else another version made them
    judge: str = ""
    otherwise: tuple[Difference, ...] = ()

    @property
    def vouched(self) -> bool:
        """Whether its pages are known to be right: they were made again here, or they are signed by the key asked for.
        Else somebody may have written them, and named another version as their maker.
        """
        return self.compared or self.known

    @property
    def status(self) -> Status:
        if self.otherwise or not self.vouched:
            return Status.OTHERWISE
        return Status.DRAFT if self.draft else Status.WHOLE


@dataclass(frozen=True)
class _Opened:
    """What is known of a bundle once each of its files is what the manifest says."""

    archive: Archive
    manifest: Manifest
    run: RunRecord
    rows: RequirementSet
    own: bool  # this very build judged it, by the set that is installed here
    own_pages: bool  # this very build made its pages
    follows: bool  # its statement is the one that this build makes
    signer: str = ""
    known: bool = False
    digests: dict[str, str] = field(default_factory=dict)

    @property
    def judge(self) -> str:
        """What is otherwise here than where the bundle was made, in words; empty: nothing."""
        run, manifest = self.run, self.manifest
        if self.own and self.own_pages:
            return ""
        if tool() not in (run.tool, manifest.tool):
            return f"{run.tool} made it, {tool()} is installed here"
        if run.tool != manifest.tool:
            return f"{run.tool} judged it, {manifest.tool} packed it, {tool()} is installed here"
        if self.rows.hash != run.set_hash:
            return f"its set {self.rows.name} has another sha256 than the one installed here"
        ours = judge_of(load_suite(run.set_id))
        if run.judge != ours:
            return (
                f"another build of {tool()} judged it ({run.judge or 'which is not named'}), {ours} is installed here"
            )
        return f"another build of {tool()}, or of the libraries that it writes with, made its pages"


def check(
    path: Path, key: Ed25519PublicKey | None = None, challenge: str | None = None, make: Workers | None = None
) -> Checked:
    """Raises `BundleError`, which says what is wrong and where, and `UsageError` of a file that cannot be read.

    `key`: it must be signed by that one. `challenge`: its run must have been asked with that text.
    """
    if not is_file(path):  # a pipe, say: to open it could wait for ever
        raise UsageError(f"{path}: it is no file; expected a bundle")
    with ExitStack() as stack:
        try:
            archive = Archive(stack.enter_context(path.open("rb")))
        except OSError as error:
            raise UsageError(f"{path}: {error.strerror}; expected a bundle") from error
        place = stack.enter_context(tempfile.TemporaryDirectory(prefix="brokercert-verify-"))
        folder = Path(place)
        opened = _opened(archive, folder, key)
        _refuse_challenge(opened.run, challenge)
        judged = _judged(opened, folder, make)
        return _compared(opened, judged, folder)


def _opened(archive: Archive, folder: Path, key: Ed25519PublicKey | None) -> _Opened:
    manifest = parse_manifest(_read(archive, MANIFEST, MOST_SMALL))
    listed = manifest.by_path
    _refuse_other_names(archive, manifest)
    (folder / "traces").mkdir()
    digests = {name: _digest(archive, name, folder) for name in listed}
    for name, digest in digests.items():
        if digest != listed[name].sha256 or archive.entries[name].size != listed[name].size:
            raise BundleError(f"{name}: it is not the file that {MANIFEST} names (size or SHA-256)")
    run = _run(folder / RECORD, manifest)
    rows = _installed(run)
    own = is_own(run) and rows.hash == run.set_hash
    own_pages = own and (manifest.tool, manifest.maker) == (tool(), maker_of(run.set_id))
    statement = _read(archive, STATEMENT, MOST_SMALL)
    document = hashlib.sha256(_read(archive, MANIFEST, MOST_SMALL)).hexdigest()
    follows = statement == statement_of(run, document, digests[RECORD], manifest.draft)
    if not follows and (own_pages or not is_about(statement, document)):
        raise BundleError(f"{STATEMENT}: it does not follow from {RECORD} and {MANIFEST}")
    signer, known = _signature(archive, statement, key)
    return _Opened(archive, manifest, run, rows, own, own_pages, follows, signer, known, digests)


def _read(archive: Archive, name: str, most: int) -> bytes:
    if name not in archive.entries:
        raise BundleError(f"{name}: it is missing")
    return archive.read(name, most)


def _refuse_other_names(archive: Archive, manifest: Manifest) -> None:
    """The files are those of the manifest, in its order, after it and what signs it."""
    if list(manifest.by_path) != sorted(one.path for one in manifest.files):
        raise BundleError(f"{MANIFEST}: files: they stand twice, or in another order than by their paths")
    signed = [ENVELOPE] if SIGNER in manifest.by_path else []
    expected = [MANIFEST, STATEMENT, *signed, *manifest.by_path]
    for name in expected:
        if name not in archive.entries:
            raise BundleError(f"{name}: it is missing")
    for name in archive.entries:
        if name not in expected:
            raise BundleError(f"{name}: {MANIFEST} does not name it")
    if list(archive.entries) != expected:
        raise BundleError("zip: its entries stand in another order than a bundle's")
    if RECORD not in manifest.by_path:
        raise BundleError(f"{MANIFEST}: files: {RECORD} is missing")


def _digest(archive: Archive, name: str, folder: Path) -> str:
    """The SHA-256 of a file. What is judged is written into `folder`, as it is read."""
    digest = hashlib.sha256()
    kept = name == RECORD or (name.startswith("traces/") and name.count("/") == 1)
    if not kept:
        for chunk in archive.chunks(name):
            digest.update(chunk)
        return digest.hexdigest()
    with (folder / name).open("wb") as file:
        for chunk in archive.chunks(name):
            digest.update(chunk)
            file.write(chunk)
    return digest.hexdigest()


def _run(path: Path, manifest: Manifest) -> RunRecord:
    if path.stat().st_size > MOST_WORDS:
        raise BundleError(f"{RECORD}: expected at most {MOST_WORDS} bytes")
    data = path.read_bytes()
    try:
        run = in_form(Path(RECORD), data)
    except UsageError as error:
        other = manifest.tool != tool() or _is_of_another_build(data)
        mend = f"; verify it with {manifest.tool}, of the build that made it" if other else ""
        raise BundleError(f"{_here(str(error))}{mend}", Status.UNREADABLE if other else Status.WRONG) from error
    if run.format != RUN_FORMAT:
        raise BundleError(
            f"{RECORD}: format {run.format}; this version reads {RUN_FORMAT}; verify it with {run.tool}",
            Status.UNREADABLE,
        )
    if run.run_id != manifest.run_id:
        raise BundleError(f"{MANIFEST}: run_id: {manifest.run_id}; {RECORD} has {run.run_id}")
    if run.outcome is not Outcome.CERTIFIED and not manifest.draft:
        raise BundleError(f"{RECORD}: outcome: {run.outcome}; only a draft may be of a run that is not certified")
    return run


def _is_of_another_build(data: bytes) -> bool:
    """Whether a record that cannot be read names another build of this version as its judge."""
    with suppress(ValueError, RecursionError, RequirementError):
        told = read_once(data)
        if isinstance(told, dict) and isinstance(told.get("judge"), str):
            return bool(told["judge"] != judge_of(load_suite(str(told.get("set_id", "")))))
    return False


def _installed(run: RunRecord) -> RequirementSet:
    try:
        return load_set(run.set_id)
    except RequirementError as error:
        raise BundleError(
            f"{RECORD}: set_id: {run.set_id}: no such set is installed here, so that nothing can judge its traces; "
            "install the package that offers it, and verify again",
            Status.UNREADABLE,
        ) from error


def _signature(archive: Archive, statement: bytes, key: Ed25519PublicKey | None) -> tuple[str, bool]:
    """The name of the key that signed it, and whether that is the one asked for."""
    if SIGNER not in archive.entries:
        if key is not None:
            raise BundleError(f"{ENVELOPE}: it is not signed; --key asks for a signature by {key_id(key)}")
        return "", False
    signer = bundled_public_key(archive.read(SIGNER, MOST_SMALL), SIGNER)
    refuse_wrong_signature(_read(archive, ENVELOPE, MOST_SMALL), statement, signer)
    if key is not None and public_pem(key) != public_pem(signer):
        raise BundleError(f"{SIGNER}: it is signed by the key {key_id(signer)}; --key asks for {key_id(key)}")
    return key_id(signer), key is not None


def _refuse_challenge(run: RunRecord, challenge: str | None) -> None:
    if challenge is not None and run.challenge != challenge:
        said = f"{run.challenge!r}" if run.challenge else "none"
        raise BundleError(f"{RECORD}: challenge: {said}; --challenge asks for {challenge!r}")
    if run.challenge and run.seed != seed_of_challenge(run.challenge):
        raise BundleError(
            f"{RECORD}: seed: {run.seed}; of the challenge {run.challenge!r} follows {seed_of_challenge(run.challenge)}"
        )


def _judged(opened: _Opened, folder: Path, make: Workers | None) -> RunRecord:
    """The run as its traces are judged here. Refused is what is not of this run."""
    run, archive = opened.run, opened.archive
    known = traces_of(run)
    for name in archive.entries:
        if name.startswith("traces/") and name not in known:
            raise BundleError(f"{name}: {RECORD} knows of no such trace")
    for name, digest in known.items():
        if opened.digests.get(name) is None:
            raise BundleError(f"{name}: it is missing, and {RECORD} names it")
        if opened.digests[name] != digest:
            raise BundleError(f"{name}: not the trace that its run wrote: {RECORD} has another SHA-256 of it")
    if not known:
        raise BundleError(f"{RECORD}: scenarios: none has a trace; nothing can be judged")
    _refuse_other_set(opened)
    _refuse_other_rows(opened)
    data = (folder / RECORD).read_bytes()
    if broken := broken_seal(run, data):  # whoever judged it
        raise BundleError(f"{RECORD}: {broken}")
    try:
        believed(Path(RECORD), data)
        for name in known:
            if read_header(folder / name).tool != run.tool:
                raise BundleError(f"{name}: its tool is not {run.tool}, which {RECORD} names")
        judged = judge_traces([folder], make=make)
    except (UsageError, RequirementError, TraceError) as error:
        text = _here(str(error), folder)
        if opened.own:
            raise BundleError(text) from error
        raise BundleError(f"{text}; {opened.judge}", Status.OTHERWISE) from error
    if opened.own:
        refuse_other_form(run, data)
    return judged


def _here(text: str, folder: Path | None = None) -> str:
    """A sentence about a run's folder, said of a bundle: what is advised of a folder is no advice here."""
    text = text.replace(f"; {AS_LEFT}", "").replace(f"; {EXPECTED}", "")
    return text if folder is None else text.replace(f"{folder}/", "").replace(str(folder), RECORD)


def _refuse_other_rows(opened: _Opened) -> None:
    """The rows are those of the set, where that is the one that the run names."""
    if opened.rows.hash != opened.run.set_hash:
        return
    said, known = [row.id for row in opened.run.rows], [row.id for row in opened.rows.rows]
    for number, (one, other) in enumerate(zip_longest(said, known, fillvalue="none"), 1):
        if one != other:
            raise BundleError(f"{RECORD}: rows: row {number} is {one}; of the set it is {other}")


def _refuse_other_set(opened: _Opened) -> None:
    """The set that lies in the bundle is the one that the run names, by its hash."""
    names = [name for name in opened.archive.entries if name.startswith(SET) and not name.startswith(SOURCE)]
    if len(names) > MOST_SET_FILES:
        raise BundleError(f"{SET.rstrip('/')}: {len(names)} files; expected at most {MOST_SET_FILES}")
    try:
        texts = {name.removeprefix(SET): opened.archive.read(name, MOST_SMALL).decode() for name in names}
        rows = parse_files(texts, name=SET.rstrip("/"))
    except (RequirementError, UnicodeDecodeError) as error:
        raise BundleError(f"{SET.rstrip('/')}: {error}") from error
    if (rows.id, rows.hash) != (opened.run.set_id, opened.run.set_hash):
        raise BundleError(f"{SET.rstrip('/')}: it is not the requirement set that {RECORD} names (id or hash)")


def _compared(opened: _Opened, judged: RunRecord, folder: Path) -> Checked:
    run = opened.run
    found = tuple(differences(run, judged))
    if found and opened.own:
        first = found[0]
        more = f" (and {len(found) - 1} more such fields)" if len(found) > 1 else ""
        raise BundleError(f"{RECORD}: {first.place}: {first.said}; of its traces follows: {first.follows}{more}")
    wrong = _wrong_page(opened, folder)
    if wrong and opened.own_pages:
        raise BundleError(wrong)
    compared = opened.follows and not wrong
    return Checked(run, opened.manifest.draft, opened.signer, opened.known, compared, opened.judge, found)


def _wrong_page(opened: _Opened, folder: Path) -> str:
    """What is otherwise in the bundle's pages than this build makes them of its record and traces; empty: nothing."""
    run = opened.run
    try:
        made = {**pages(run, folder, opened.manifest.draft), **set_files(run)}
    except (UsageError, RequirementError, TraceError) as error:
        return _here(str(error), folder)
    for name, content in made.items():
        if name not in opened.digests:
            return f"{name}: it is missing"
        if opened.digests[name] != hashlib.sha256(content).hexdigest():
            return f"{name}: it is not what {RECORD} and the traces make of it"
    known: Sequence[str] = [*made, *traces_of(run), RECORD, SIGNER]
    return next((f"{name}: no bundle has such a file" for name in opened.digests if name not in known), "")
